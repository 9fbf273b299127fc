import sys
from pathlib import Path

import numpy as np
import pytest
from support import shared_data

from treplica.coding import SpikeTrains, read_images, read_spikes, resize
from treplica.errors import DescriptionError, InvalidValue, MissingExtra

LEVELS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) * 10


def test_numpy_images(tmp_path: Path) -> None:
    grey = (LEVELS / 255).astype(np.float32)
    for array, expected in (
        (LEVELS, grey),
        (LEVELS[0], grey[:1]),
        (LEVELS.astype(np.uint16) * 257, grey),
        (grey.astype(np.float64), grey),
        (LEVELS > 100, (LEVELS > 100).astype(np.float32)),
    ):
        np.save(tmp_path / "x.npy", array)
        assert np.array_equal(read_images(tmp_path / "x.npy"), expected)
    np.savez(tmp_path / "x.npz", LEVELS)
    assert np.array_equal(read_images(tmp_path / "x.npz"), grey)
    np.savez(tmp_path / "x.npz", labels=np.arange(2), images=LEVELS)
    assert np.array_equal(read_images(tmp_path / "x.npz"), grey)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (LEVELS.astype(np.int64), "holds numbers of type int64. Convert it"),
        (LEVELS / 10.0, "holds values outside 0 … 1"),
        (np.array([[0.5, np.nan]]), "holds values outside 0 … 1"),
        (np.zeros(5), r"holds an array \[5\], not images"),
        (np.zeros((0, 2, 2)), r"holds an array \[0, 2, 2\], not images"),
        (np.array([[{}]], dtype=object), "is not a readable NumPy file"),
    ],
)
def test_numpy_arrays_that_are_no_images(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    with pytest.raises(DescriptionError, match=message):
        read_images(tmp_path / "x.npy")


def test_ambiguous_and_absent_files(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=LEVELS, b=LEVELS)
    with pytest.raises(DescriptionError, match=r"no array named images \(its arrays: a, b\)"):
        read_images(tmp_path / "x.npz")
    for name in ("absent.npy", "absent.npz", "absent.csv", "absent.png"):
        with pytest.raises(DescriptionError, match="there is no such file"):
            read_images(tmp_path / name)
    with pytest.raises(DescriptionError, match="tells no known image format"):
        read_images(tmp_path / "x.tiff")
    with pytest.raises(DescriptionError, match=r"a folder without \.png files"):
        read_images(tmp_path)


def test_csv_images(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("0,0.5,1,0.25\n1,1,0,0\n")
    assert read_images(path).tolist() == [[[0, 0.5], [1, 0.25]], [[1, 1], [0, 0]]]
    path.write_text("0, 51, 102, 255, 0, 0\n")
    assert read_images(path, shape=(3, 2))[0] == pytest.approx(np.array([[0, 0.2], [0.4, 1], [0, 0]]))
    with pytest.raises(DescriptionError, match=r"has 6 values per line, not a square number\. Give shape"):
        read_images(path)
    for text in ("", "1,2\n3\n", "a,b,c,d\n", "0,0,0,-1\n", "0,0,1.5,1\n", "0,0,0,256\n", "0,0,0,nan\n"):
        path.write_text(text)
        with pytest.raises(DescriptionError):
            read_images(path)


def test_png_images(tmp_path: Path) -> None:
    from matplotlib.image import imsave

    grey = LEVELS[0] / 255
    imsave(tmp_path / "b.png", np.repeat(grey[..., None], 3, axis=2))
    red = np.zeros((3, 4, 3))
    red[..., 0] = 1.0
    imsave(tmp_path / "a.png", red)
    (tmp_path / "notes.txt").write_text("not an image")
    images = read_images(tmp_path)
    assert images.shape == (2, 3, 4)
    assert images[0] == pytest.approx(0.299)
    assert images[1] == pytest.approx(grey, abs=1e-6)
    assert np.array_equal(read_images(tmp_path / "b.png"), images[1:])
    imsave(tmp_path / "c.png", np.zeros((2, 2, 3)))
    with pytest.raises(DescriptionError, match=r"c\.png: has 2·2 pixels, but a\.png has 3·4"):
        read_images(tmp_path)
    (tmp_path / "c.png").write_bytes((tmp_path / "b.png").read_bytes()[:60])
    with pytest.raises(DescriptionError, match=r"c\.png: is not a readable PNG image"):
        read_images(tmp_path)


def test_png_without_matplotlib_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.image", None)
    with pytest.raises(MissingExtra, match=r"treplica\[plot\]"):
        read_images(tmp_path / "x.png")


def test_resize_by_hand() -> None:
    images = np.array([[[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]], np.float32)
    assert resize(images, 1, 2).tolist() == [[[2.5, 4.5]]]
    assert resize(images, 2, 4).tolist() == images.tolist()
    assert resize(images, 2, 3)[0, 0] == pytest.approx([0.25, 1.5, 2.75])  # pixels of 4/3 old ones
    assert resize(images, 2, 8)[0, 0] == pytest.approx([0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3])
    assert resize(images, 2, 8).dtype == np.float32
    for wrong in (images[0], np.zeros((0, 2, 2)), np.array([[["a"]]])):
        with pytest.raises(InvalidValue, match="images must be"):
            resize(wrong, 2, 2)
    with pytest.raises(InvalidValue, match="height"):
        resize(images, 0, 2)


SPIKES = SpikeTrains.from_times([0.1, 0.3, 0.3], [1, 2, 0], 3, 0.1, 0.3)


def test_spikes_of_nest(tmp_path: Path) -> None:
    path = shared_data("potjans_diesmann", "PyNEST", "reference_data", "spike_recorder-7718-0.dat")
    trains = read_spikes(path, dt=0.1, size=2068, duration=1500.0, first_id=1)
    table = np.loadtxt(path, skiprows=3)
    assert len(trains) == len(table) == 907
    assert sorted(zip(trains.times.round(6), trains.ids + 1, strict=True)) == sorted(
        (time.round(6), neuron) for neuron, time in table
    )


def test_spikes_of_text_npz_and_our_own_files(tmp_path: Path) -> None:
    text, archive, own = tmp_path / "x.gdf", tmp_path / "x.npz", tmp_path / "x.h5"
    text.write_text("# a comment\n5\t0.100\n6 0.3\n\n4,0.3\n")
    assert read_spikes(text, dt=0.1, first_id=4) == SPIKES
    np.savez(archive, times=SPIKES.times, ids=SPIKES.ids, dt=0.1, size=4, duration=1.0)
    assert read_spikes(archive) == SpikeTrains.from_times(SPIKES.times, SPIKES.ids, 4, 0.1, 1.0)
    SPIKES.save(own)
    assert read_spikes(own) == SPIKES
    text.write_text("")
    assert len(read_spikes(text, dt=0.1, size=7)) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0.1 7\n", "line 1 is '0 0.1 7', not an id and a time"),
        ("id time\n0 0.1\nx 0.1\n", "line 3 is 'x 0.1'"),
        ("0 0.1\n1.5 0.1\n", "line 2 is '1.5 0.1'"),
        ("sender time_step time_offset\n1 4 0\n", "the heading 'sender time_step time_offset' is none of"),
        ("0 0.1\n0 0.25\n", r"times\[1\] must be on the grid"),
        ("0 0.1\n0 0.1\n", "spikes at most once in a step"),
        ("0 nan\n", r"times\[0\] must be on the grid|NaN"),
        ("99999999999 0.1\n", "its ids go from 99999999999"),
        ("9" * 30 + " 0.1\n", "not a readable spike file"),
    ],
)
def test_text_that_is_no_spikes(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.dat").write_text(text)
    with pytest.raises(DescriptionError, match=message):
        read_spikes(tmp_path / "x.dat", dt=0.1)


def test_arguments_of_read_spikes(tmp_path: Path) -> None:
    (tmp_path / "x.dat").write_text("0 0.1\n")
    with pytest.raises(InvalidValue, match=r"dt must be the time step .* x\.dat does not tell it"):
        read_spikes(tmp_path / "x.dat")
    for wrong in (
        {"dt": 0.0},
        {"dt": 0.1, "size": 0},
        {"dt": 0.1, "duration": -1.0},
        {"dt": 0.1, "first_id": -1},
    ):
        with pytest.raises(InvalidValue):
            read_spikes(tmp_path / "x.dat", **wrong)  # type: ignore[arg-type]
    with pytest.raises(DescriptionError, match="the first should be 1"):
        read_spikes(tmp_path / "x.dat", dt=0.1, first_id=1)
    np.savez(tmp_path / "x.npz", times=[0.1])
    with pytest.raises(DescriptionError, match=r"no arrays named times and ids \(its arrays: times\)"):
        read_spikes(tmp_path / "x.npz")
