"""Recordings of events: written by hand, those of the shared data, and damaged ones."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from support import shared_data

from treplica.datasets import Recordings, mnist, nmnist
from treplica.errors import DescriptionError, InvalidValue, UnknownName


def event(x: int, y: int, polarity: int, us: int) -> bytes:
    return bytes([x, y]) + (polarity << 23 | us).to_bytes(3, "big")


ONE = event(3, 33, 1, 0) + event(33, 0, 0, 70_001) + event(33, 1, 1, 70_001)
TWO = event(7, 8, 0, 2**23 - 1)


def small(folder: Path, labels: str = "#sample #class\n1\t5\n2\t0\n", **others: bytes) -> Path:
    target = folder / "NMNISTsmall"
    target.mkdir(parents=True, exist_ok=True)
    for name, content in {"1.bs2": ONE, "2.bs2": TWO, **others}.items():
        (target / name).write_bytes(content)
    (target / "train1K.txt").write_text(labels)
    return folder


def test_events_by_hand(tmp_path: Path) -> None:
    seen = nmnist("train", "small", folder=small(tmp_path))
    assert seen.indptr.tolist() == [0, 3, 4]
    assert seen.x.tolist() == [3, 33, 33, 7]
    assert seen.y.tolist() == [33, 0, 1, 8]
    assert seen.polarity.tolist() == [1, 0, 1, 0]
    assert seen.t.tolist() == np.array([0.0, 70.001, 70.001, 8388.607], np.float32).tolist()
    assert seen.labels.tolist() == [5, 0]
    assert (seen.width, seen.height, len(seen)) == (34, 34, 2)
    kinds = [str(array.dtype) for array in (seen.indptr, seen.x, seen.y, seen.polarity, seen.t, seen.labels)]
    assert kinds == ["int64", "int16", "int16", "uint8", "float32", "int64"]
    assert repr(seen) == "<Recordings: N-MNIST small train, 2 with 4 events, 34 × 34 pixels, 10 classes>"
    taken = seen.take([1, 0, 1])
    assert taken.indptr.tolist() == [0, 1, 4, 5]
    assert taken.x.tolist() == [7, 3, 33, 33, 7]
    assert taken.labels.tolist() == [0, 5, 0]
    assert len(seen.take([]).t) == 0
    for wrong in ([2], [-1], [0.5]):
        with pytest.raises(InvalidValue, match="indices must be"):
            seen.take(wrong)


@pytest.mark.parametrize("packed", [False, True])
def test_the_full_layout_is_in_the_order_of_mnist(tmp_path: Path, packed: bool) -> None:
    files = {
        "Train/0/00002.bin": TWO,
        "Train/5/00001.bin": ONE,
        "Train/4/00003.bin": b"",
        "Train/note.txt": b"",
    }
    if packed:
        with zipfile.ZipFile(tmp_path / "Train.zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
                archive.writestr(f"__MACOSX/{name.replace('/0', '/._0')}", b"x")
    else:
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
    seen = nmnist("train", folder=tmp_path)
    assert seen.labels.tolist() == [5, 0, 4]
    assert seen.indptr.tolist() == [0, 3, 4, 4]
    assert seen.name == "N-MNIST train"


def test_an_incomplete_copy_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Test" / "7").mkdir(parents=True)
    with pytest.raises(DescriptionError, match=r"Test: holds no recordings such as Train/5/00001\.bin"):
        nmnist("test", folder=tmp_path)
    (tmp_path / "Test" / "7" / "00001.bin").write_bytes(ONE)
    (tmp_path / "Test" / "7" / "00003.bin").write_bytes(ONE)
    with pytest.raises(DescriptionError, match="Test: is incomplete: recording 2 is not in it"):
        nmnist("test", folder=tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (ONE[:-1], r"1\.bs2: is cut off: events have 5 bytes, and it has 14"),
        (ONE + event(34, 0, 0, 70_002), r"1\.bs2: event 3 lies outside the 34 × 34 pixels of the camera"),
        (event(0, 34, 0, 0), r"1\.bs2: event 0 lies outside"),
        (ONE + event(0, 0, 0, 70_000), r"1\.bs2: event 3 comes before its predecessor"),
    ],
    ids=["cut off", "too far right", "too low", "backwards"],
)
def test_damaged_recordings(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DescriptionError, match=message):
        nmnist("train", "small", folder=small(tmp_path, **{"1.bs2": content}))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("1 2 3\n", r"train1K\.txt: line 1 is '1 2 3', not a recording and its label"),
        ("#\n1 x\n", "line 2 is '1 x'"),
        ("1 10\n", "line 1 has the label 10, not 0 … 9"),
        ("1 5\n3 1\n", "is incomplete: recording 3 is not in it"),
        ("9" * 5000 + " 1\n", "is incomplete: recording 9+ is not in it"),
        ("# nothing\n", "lists no recordings"),
    ],
    ids=["three words", "no number", "label", "absent", "long", "empty"],
)
def test_damaged_labels(tmp_path: Path, labels: str, message: str) -> None:
    with pytest.raises(DescriptionError, match=message):
        nmnist("train", "small", folder=small(tmp_path, labels))


def test_wrong_names(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match=r"NMNISTsmall: holds no test100\.txt"):
        nmnist("test", "small", folder=small(tmp_path))
    with pytest.raises(UnknownName, match="split of N-MNIST 'valid' is not known"):
        nmnist("valid")  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="Did you mean 'small'"):
        nmnist("test", "smal")  # type: ignore[arg-type]


@pytest.mark.parametrize(("split", "count", "events"), [("train", 1000, 4_133_231), ("test", 100, 385_596)])
def test_shared_recordings(monkeypatch: pytest.MonkeyPatch, split: str, count: int, events: int) -> None:
    data = shared_data("nmnist_small", "nmnist_small.zip").parents[1]
    monkeypatch.setenv("TREPLICA_DATA", str(data))
    seen = nmnist(split, "small")  # type: ignore[arg-type]
    assert (len(seen), len(seen.t)) == (count, events)
    assert np.diff(seen.indptr).min() > 500
    # three movements of about 100 ms
    assert 300.0 < seen.t.max() < 340.0
    assert 0.3 < seen.polarity.mean() < 0.7
    shared_data("mnist")
    assert np.array_equal(seen.labels, mnist(split).labels[:count])  # type: ignore[arg-type]


def test_events_lie_where_the_image_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TREPLICA_DATA", str(shared_data("nmnist_small", "nmnist_small.zip").parents[1]))
    shared_data("mnist")
    seen, images = nmnist("test", "small"), mnist("test")
    alike = np.zeros((100, 100))
    maps = np.zeros((100, 28, 28))
    np.add.at(
        maps,
        (
            np.repeat(np.arange(100), np.diff(seen.indptr)),
            np.clip(seen.y - 3, 0, 27),
            np.clip(seen.x - 3, 0, 27),
        ),
        1.0,
    )
    for i in range(100):
        for j in range(100):
            alike[i, j] = np.corrcoef(maps[i].ravel(), images.inputs[j].ravel())[0, 1]
    # the map of a recording resembles its own image more than those of nearly all others
    assert (alike > np.diag(alike)[:, None]).mean() < 0.05


def test_fields_must_fit_together() -> None:
    none = np.empty(0, np.int16)
    good = {
        "name": "x", "indptr": np.array([0, 0]), "x": none, "y": none, "polarity": none.astype(np.uint8),
        "t": none.astype(np.float32), "labels": np.array([0]), "classes": ("a",), "width": 1, "height": 1,
    }  # fmt: skip
    assert len(Recordings(**good)) == 1  # type: ignore[arg-type]
    for wrong in (
        {"indptr": np.array([0, 1])},
        {"indptr": np.array([1, 0])},
        {"indptr": np.array([0, 0, 0])},
        {"labels": np.array([1])},
        {"labels": np.array([-1])},
        {"x": np.zeros(1, np.int16)},
    ):
        with pytest.raises(InvalidValue):
            Recordings(**{**good, **wrong})  # type: ignore[arg-type]
