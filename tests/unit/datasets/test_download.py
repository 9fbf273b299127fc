"""Downloads from a server that breaks, lies and refuses; nothing outside this machine is asked."""

import hashlib
import io
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import Site
from crashes import killed_after

from treplica.datasets.checksums import Checksum
from treplica.datasets.download import download
from treplica.datasets.progress import showing
from treplica.datasets.sources import Source
from treplica.errors import DownloadError, OutputError

CONTENT = np.random.default_rng(5).bytes(600_000)
SUM = hashlib.sha256(CONTENT).hexdigest()


def source(*addresses: str) -> Source:
    return Source("x.gz", tuple(f"{address}/x.gz" for address in addresses), Checksum("sha256", SUM))


@pytest.fixture
def x(site: Site) -> Source:
    site.files["/x.gz"] = CONTENT
    return source(site.address)


def leftovers(folder: Path) -> list[str]:
    return sorted(found.name for found in folder.iterdir() if found.name != ".lock")


def test_a_whole_file(x: Source, site: Site, tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    path = download(x, tmp_path / "new" / "folder", lambda *report: told.append(report))
    assert path == tmp_path / "new" / "folder" / "x.gz"
    assert path.read_bytes() == CONTENT
    assert leftovers(path.parent) == ["x.gz"]
    assert told[0] == ("x.gz", 0, 600_000)
    assert told[-1] == ("x.gz", 600_000, 600_000)
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})
    download(x, path.parent)
    assert site.asked == [""]  # what is there is not asked for again


def test_interruptions_are_gone_on_with(x: Source, site: Site, tmp_path: Path) -> None:
    site.breaks = [1000, 0, 250_000]
    assert download(x, tmp_path).read_bytes() == CONTENT
    assert site.asked == ["", "bytes=1000-", "bytes=1000-", "bytes=251000-"]
    assert leftovers(tmp_path) == ["x.gz"]


def test_a_server_that_always_breaks_keeps_the_part_for_the_next_time(
    x: Source, site: Site, tmp_path: Path
) -> None:
    site.breaks = [70_000, 0, 0, 0, 0, 0, 0, 0]
    with pytest.raises(DownloadError) as caught:
        download(x, tmp_path)
    assert f"{site.address}/x.gz: cannot be downloaded (the connection ended early)" in str(caught.value)
    assert str(tmp_path / "x.gz") in caught.value.advice
    assert "70,000 bytes are kept in x.gz.part" in caught.value.advice
    assert leftovers(tmp_path) == ["x.gz.part"]
    site.asked.clear()
    site.breaks.clear()
    assert download(x, tmp_path).read_bytes() == CONTENT
    assert site.asked == ["bytes=70000-"]


@pytest.mark.parametrize("ranges", ["ignored", "shifted"])
def test_a_server_without_ranges_is_read_from_the_beginning(
    x: Source, site: Site, tmp_path: Path, ranges: str
) -> None:
    site.ranges, site.breaks = ranges, [400_000]
    assert download(x, tmp_path).read_bytes() == CONTENT
    assert site.asked[:2] == ["", "bytes=400000-"]
    assert len(site.asked) == (2 if ranges == "ignored" else 3)


@pytest.mark.parametrize("told", ["nothing", "chunks"])
def test_a_length_that_is_not_told(x: Source, site: Site, tmp_path: Path, told: str) -> None:
    site.told = told
    totals: list[int | None] = []
    assert download(x, tmp_path, lambda file, done, total: totals.append(total)).read_bytes() == CONTENT
    assert set(totals) == {None}


@pytest.mark.parametrize("at", [100_000, 300_009, 600_000])
def test_chunks_that_break_off(x: Source, site: Site, tmp_path: Path, at: int) -> None:
    site.told, site.ranges, site.breaks = "chunks", "ignored", [at]
    assert download(x, tmp_path).read_bytes() == CONTENT
    assert len(site.asked) == 2


def test_a_part_that_is_whole_already(x: Source, site: Site, tmp_path: Path) -> None:
    (tmp_path / "x.gz.part").write_bytes(CONTENT)
    assert download(x, tmp_path).read_bytes() == CONTENT
    assert site.asked == ["bytes=600000-"]


def test_a_part_that_is_too_long_is_begun_anew(x: Source, site: Site, tmp_path: Path) -> None:
    (tmp_path / "x.gz.part").write_bytes(CONTENT + b"more")
    assert download(x, tmp_path).read_bytes() == CONTENT
    assert site.asked == ["bytes=600004-", ""]


@pytest.mark.parametrize(
    "content",
    [b"<html>Please log in.</html>", CONTENT[:-1], CONTENT[:-1] + b"\0", b""],
    ids=["a page", "cut off", "one byte changed", "empty"],
)
def test_what_has_another_checksum_is_refused(x: Source, site: Site, tmp_path: Path, content: bytes) -> None:
    site.files["/x.gz"] = content
    for _ in range(2):
        with pytest.raises(DownloadError) as caught:
            download(x, tmp_path)
        assert caught.value.address == f"{site.address}/x.gz"
        assert f"is {hashlib.sha256(content).hexdigest()}, not {SUM}" in str(caught.value)
        assert str(tmp_path / "x.gz.refused") in str(caught.value)
        assert leftovers(tmp_path) == ["x.gz.refused"]
        assert (tmp_path / "x.gz.refused").read_bytes() == content
    site.files["/x.gz"] = CONTENT
    assert download(x, tmp_path).read_bytes() == CONTENT


def test_the_rest_of_another_file_is_refused(x: Source, tmp_path: Path) -> None:
    (tmp_path / "x.gz.part").write_bytes(b"something else")
    with pytest.raises(DownloadError, match="checksum"):
        download(x, tmp_path)
    assert download(x, tmp_path).read_bytes() == CONTENT


def test_contents_of_what_is_no_zip(site: Site, tmp_path: Path) -> None:
    site.files["/x.zip"] = b"no zip"
    checksum = Checksum("contents", SUM, r"\.wav$")
    with pytest.raises(DownloadError, match=r"is none \(is not a readable zip file .*\), not "):
        download(Source("x.zip", (f"{site.address}/x.zip",), checksum), tmp_path)


def test_nobody_answers(nobody: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadError) as caught:
        download(source(nobody), tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{nobody}/x.gz: cannot be downloaded (")
    assert message.endswith(f"Download it by other means as {tmp_path / 'x.gz'}.")
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("status", [404, 403, 503])
def test_a_server_that_refuses(x: Source, site: Site, tmp_path: Path, status: int) -> None:
    site.status = status
    if status == 404:
        site.files.clear()
    with pytest.raises(DownloadError, match=f"HTTP {status} "):
        download(x, tmp_path)
    assert len(site.asked) == 1


def test_the_second_address_is_asked_where_the_first_fails(site: Site, nobody: str, tmp_path: Path) -> None:
    both = source(nobody, site.address)
    with pytest.raises(DownloadError, match=rf"nor from {site.address}/x\.gz \(HTTP 404"):
        download(both, tmp_path)
    site.files["/x.gz"] = CONTENT
    assert download(both, tmp_path).read_bytes() == CONTENT


def test_a_killed_process_leaves_a_part_that_the_next_one_goes_on_with(
    x: Source, site: Site, tmp_path: Path
) -> None:
    site.pause = 0.002
    part, times = tmp_path / "x.gz.part", 0
    for delay in (0.15, 0.3, 0.5):
        times += killed_after(delay, lambda: download(x, tmp_path))
    assert times >= 2
    assert leftovers(tmp_path) == ["x.gz.part"]
    have = part.read_bytes()
    assert have == CONTENT[: len(have)]
    assert 0 < len(have) < len(CONTENT)
    site.pause = 0.0
    site.asked.clear()
    assert download(x, tmp_path).read_bytes() == CONTENT
    assert site.asked == [f"bytes={len(have)}-"]


def test_two_at_a_time_download_once(x: Source, site: Site, tmp_path: Path) -> None:
    site.pause = 0.0005
    found: list[bytes] = []
    both = [threading.Thread(target=lambda: found.append(download(x, tmp_path).read_bytes())) for _ in "ab"]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert found == [CONTENT, CONTENT]
    assert site.asked == [""]


def test_a_folder_that_cannot_be_written(x: Source, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"data sets cannot be kept there .* TREPLICA_CACHE"):
        download(x, tmp_path / "file" / "mnist")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk without room")
def test_a_full_disk(x: Source, tmp_path: Path) -> None:
    (tmp_path / "x.gz.part").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"x\.gz\.part: cannot be written \(No space left on device\)"):
        download(x, tmp_path)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_in_a_terminal_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, pipe = Terminal(), io.StringIO()
    monkeypatch.setenv("TERM", "xterm")
    for stream in (terminal, pipe):
        monkeypatch.setattr(sys, "stderr", stream)
        with showing(None) as show:
            show("x.gz", 300_000, 600_000)
            time.sleep(0.15)  # the bar is drawn ten times a second
    assert "downloading x.gz" in terminal.getvalue()
    assert "300.0/600.0 kB" in terminal.getvalue()
    assert pipe.getvalue() == ""
