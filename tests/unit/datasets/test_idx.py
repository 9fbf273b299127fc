"""idx files, and the images of MNIST that are kept in them."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from support import shared_data

from treplica.datasets import fashion_mnist, mnist, read_idx
from treplica.errors import DescriptionError, UnknownName


def idx(array: np.ndarray, kind: int = 0x08) -> bytes:
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, kind, array.ndim]) + shape + array.astype(array.dtype.newbyteorder(">")).tobytes()


LEVELS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) * 10


def test_idx_plain_gzipped_and_of_other_types(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(idx(LEVELS))
    assert np.array_equal(read_idx(path), LEVELS)
    path.write_bytes(gzip.compress(idx(LEVELS)))
    assert np.array_equal(read_idx(path), LEVELS)
    for kind, name in ((0x0B, np.int16), (0x0C, np.int32), (0x0D, np.float32), (0x0E, np.float64)):
        path.write_bytes(idx(LEVELS.astype(name), kind))
        assert read_idx(path).dtype == name
        assert np.array_equal(read_idx(path), LEVELS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an idx file"),
        (b"\x89PNG....", r"is not an idx file: it begins with 89 50 4e 47, not with 00 00, a type of 08, 09"),
        (b"\0\0\x0a\x01\0\0\0\x01\0", "is not an idx file"),
        (b"\0\0\x08\x00", "is not an idx file"),
        (b"\0\0\x08\x03\0\0\0\x01", "is cut off: 3 axes need 16 bytes before the data, not 8"),
        (idx(LEVELS)[:-1], r"is cut off: uint8\[2, 3, 4\] takes 40 bytes, not 39"),
        (idx(LEVELS) + b"\0", r"is too long: uint8\[2, 3, 4\] takes 40 bytes, not 41"),
        (gzip.compress(idx(LEVELS), mtime=0)[:-12], "is not a readable idx file"),
    ],
    # Named: ids made of the bytes would differ between test processes if a byte did.
    ids=[
        "empty",
        "png",
        "unknown type",
        "no axes",
        "cut in the axes",
        "cut in the data",
        "too long",
        "cut gzip",
    ],
)
def test_idx_refuses(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(DescriptionError, match=message):
        read_idx(tmp_path / "x")


def test_mnist_of_the_shared_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TREPLICA_DATA", str(shared_data("mnist").parent))
    images = mnist("test")
    assert (images.inputs.shape, images.inputs.dtype) == ((10_000, 28, 28), np.float32)
    assert (images.inputs.min(), images.inputs.max()) == (0.0, 1.0)
    # the published counts of the test set
    assert np.bincount(images.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert repr(images) == "<Images: MNIST test, 10,000 of 28 × 28 pixels, 10 classes>"


def test_fashion_mnist_of_the_shared_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TREPLICA_DATA", str(shared_data("fashion_mnist").parent))
    images = fashion_mnist("test")
    assert np.bincount(images.labels).tolist() == [1000] * 10
    assert images.classes[images.labels[0]] == "Ankle boot"
    # shoes are wide and low, trousers narrow and high
    ink = [
        images.inputs[images.labels == images.classes.index(name)].mean(0) for name in ("Sneaker", "Trouser")
    ]
    assert ink[0].mean(1)[:8].sum() < 0.1 * ink[1].mean(1)[:8].sum()


def test_files_must_belong_together(tmp_path: Path) -> None:
    images, labels = tmp_path / "t10k-images-idx3-ubyte", tmp_path / "t10k-labels-idx1-ubyte.gz"
    images.write_bytes(idx(LEVELS))
    labels.write_bytes(gzip.compress(idx(np.array([3, 7], np.uint8))))
    read = mnist("test", folder=tmp_path)
    assert read.labels.tolist() == [3, 7]
    assert read.inputs == pytest.approx(LEVELS / 255.0)
    labels.write_bytes(gzip.compress(idx(np.array([3, 10], np.uint8))))
    with pytest.raises(DescriptionError, match=r"labels 3 … 10, not 0 … 9"):
        mnist("test", folder=tmp_path)
    labels.write_bytes(gzip.compress(idx(np.array([3, 7, 1], np.uint8))))
    with pytest.raises(DescriptionError, match="one whole number for each of the 2 images"):
        mnist("test", folder=tmp_path)
    images.write_bytes(idx(LEVELS[0]))
    with pytest.raises(DescriptionError, match="not images"):
        mnist("test", folder=tmp_path)
    with pytest.raises(UnknownName, match="Did you mean 'test'"):
        mnist("tests")  # type: ignore[arg-type]
