"""Where files are looked for, in which order, and what is said where they are nowhere."""

import gzip
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import Site
from support import shared_data
from test_idx import LEVELS, idx

from treplica.datasets import fashion_mnist, mnist, nmnist, spoken_digits
from treplica.datasets.archive import Files
from treplica.datasets.checksums import Checksum
from treplica.datasets.sources import SOURCES, SPOKEN_DIGITS, Source
from treplica.errors import DescriptionError, DownloadError, InvalidValue


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set both folders to fresh ones: data/ and cache/."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("TREPLICA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TREPLICA_CACHE", str(tmp_path / "cache"))
    return tmp_path


def put(folder: Path, *labels: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train-images-idx3-ubyte").write_bytes(idx(LEVELS))
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.array(labels, np.uint8))))


def test_the_order_of_places(places: Path) -> None:
    put(places / "cache" / "mnist", 1, 1)
    assert mnist("train").labels.tolist() == [1, 1]
    put(places / "data" / "mnist", 2, 2)
    assert mnist("train").labels.tolist() == [2, 2]
    put(places / "here", 3, 3)
    assert mnist("train", folder=places / "here").labels.tolist() == [3, 3]


def test_the_cache_in_the_home_folder(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TREPLICA_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(places))
    put(places / ".cache" / "treplica" / "fashion_mnist", 4, 5)
    assert fashion_mnist("train", download=False).labels.tolist() == [4, 5]


def test_absent_files_without_a_download(places: Path) -> None:
    with pytest.raises(DescriptionError) as caught:
        mnist("train", download=False)
    message = str(caught.value)
    assert message.startswith("train-images-idx3-ubyte.gz or train-images-idx3-ubyte: is not in ")
    assert f"{places}/data/mnist nor in {places}/cache/mnist." in message
    assert (
        "Download https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz there" in message
    )
    assert "download=True" in message
    for read in (nmnist, spoken_digits, fashion_mnist):
        with pytest.raises(DescriptionError, match=r"is not in .*Download http.* there, as \w"):
            read("test", folder=places / "data")
    assert not (places / "cache").exists()


def test_data_folder_that_is_not_there(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TREPLICA_DATA", str(places / "dta"))
    with pytest.raises(InvalidValue, match=r"TREPLICA_DATA must be a folder that exists, got .*dta"):
        mnist("train")


def test_absent_files_are_downloaded_into_the_cache(
    places: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {}
    for name, array in {"images-idx3": LEVELS, "labels-idx1": np.array([7, 8], np.uint8)}.items():
        file = f"t10k-{name}-ubyte.gz"
        site.files[f"/{file}"] = gzip.compress(idx(array))
        checksum = Checksum("sha256", hashlib.sha256(site.files[f"/{file}"]).hexdigest())
        wanted[file] = Source(file, (f"{site.address}/{file}",), checksum)
    monkeypatch.setitem(SOURCES, "mnist", wanted)
    told: list[str] = []
    images = mnist("test", report=lambda file, done, total: told.append(file))
    assert images.labels.tolist() == [7, 8]
    assert images.inputs == pytest.approx(LEVELS / 255.0)
    assert set(told) == set(wanted)
    assert {path.name for path in (places / "cache" / "mnist").glob("*.gz")} == set(wanted)
    assert len(site.asked) == 2
    mnist("test")
    assert len(site.asked) == 2


def test_no_network(places: Path, nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        SOURCES, "fsdd", {"fsdd.zip": Source("fsdd.zip", (f"{nobody}/x.zip",), Checksum("sha256", ""))}
    )
    with pytest.raises(DownloadError) as caught:
        spoken_digits("train")
    assert f"{nobody}/x.zip" in str(caught.value)
    assert str(places / "cache" / "fsdd" / "fsdd.zip") in str(caught.value)


def test_every_file_has_addresses_and_a_checksum() -> None:
    assert len(SOURCES) == 5
    for sources in SOURCES.values():
        for name, source in sources.items():
            assert source.file == name
            assert source.addresses
            assert len(source.checksum.value) == (32 if source.checksum.kind == "md5" else 64)
            assert bool(source.checksum.members) == (source.checksum.kind == "contents")


@pytest.mark.parametrize("dataset", ["fsdd", "nmnist_small"])
def test_checksum_of_the_shared_data(dataset: str) -> None:
    (source,) = SOURCES[dataset].values()
    assert source.checksum.of(shared_data(dataset, source.file)) == source.checksum.value


def zipped(prefix: str, compression: int, **files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as file:
        for name, content in files.items():
            file.writestr(f"{prefix}{name}.wav", content)
        file.writestr("README.md", prefix)
    return stream.getvalue()


def test_checksum_of_contents_is_that_of_sha256sum_however_packed(tmp_path: Path) -> None:
    sounds = {"1_theo_0": b"one", "0_theo_10": b"ten", "0_theo_9": b"nine"}
    (tmp_path / "a").write_bytes(zipped("recordings/", zipfile.ZIP_STORED, **sounds))
    backwards = dict(reversed(sounds.items()))
    (tmp_path / "b").write_bytes(zipped("repository-1/recordings/", zipfile.ZIP_DEFLATED, **backwards))
    (tmp_path / "c").write_bytes(zipped("recordings/", zipfile.ZIP_STORED, **{**sounds, "1_theo_0": b"One"}))
    printed = "".join(
        f"{hashlib.sha256(sounds[name]).hexdigest()}  {name}.wav\n"
        for name in ("0_theo_10", "0_theo_9", "1_theo_0")
    )
    checksum = Checksum("contents", "", SPOKEN_DIGITS)
    expected = hashlib.sha256(printed.encode()).hexdigest()
    assert [checksum.of(tmp_path / name) == expected for name in "abc"] == [True, True, False]


def test_files_of_a_folder_and_of_a_zip_read_alike(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.bin").write_bytes(b"a")
    (folder / "b.bin").write_bytes(b"b")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.mkdir("deep")
        file.write(folder / "b.bin", "b.bin")
        file.write(folder / "deep" / "a.bin", "deep/a.bin")
    for place in (folder, tmp_path / "x.zip"):
        with Files(place) as files:
            assert files.names == ["b.bin", "deep/a.bin"]
            assert [match.string for match in files.matching(r"/a\.bin$")] == ["deep/a.bin"]
            assert files.read("deep/a.bin") == b"a"
            with pytest.raises(DescriptionError, match="absent: there is no such file"):
                files.read("absent")
