"""Exact spike times as tables, in files, from files of other origin, and decoded."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from treplica.coding import SpikeTrains, latency_decode, read_spikes
from treplica.coding.seal import seal
from treplica.errors import DescriptionError

TIMES = [0.25, 0.25, 0.3, 1.2, 4.75]


def spikes(values: Any = None) -> SpikeTrains:
    """Neuron 2 spikes twice in the first step."""
    return SpikeTrains.from_steps([1, 1, 1, 3, 10], [1, 2, 2, 0, 2], 3, 0.5, 10, values=values, exact=TIMES)


SPIKES = spikes()


def test_tables_have_exact_times() -> None:
    assert SPIKES.to_pandas()["time_ms"].tolist() == TIMES
    table = SPIKES.to_pandas()
    table["time_ms"] = 0.0  # the table is the caller's own
    assert SPIKES.times.tolist() == TIMES
    trains = SPIKES.to_neo().spiketrains
    assert [train.magnitude.tolist() for train in trains] == [[1.2], [0.25], [0.25, 0.3, 4.75]]


def test_neo_takes_times_that_rounding_put_past_an_end() -> None:
    late = SpikeTrains([3], [0], 1, 0.1, 1, 2, exact=[0.30000000000000004 + 5e-11])  # type: ignore[arg-type]
    assert late.times[0] > late.stop
    (train,) = late.to_neo().spiketrains
    assert train.magnitude.tolist() == [late.stop]


@pytest.mark.parametrize("values", [None, [5, 6, 7, 8, 9]])
def test_files_keep_exact_times(tmp_path: Path, values: Any) -> None:
    for trains in (spikes(values), spikes(values).between(1.5, 4.0)):
        trains.save(tmp_path / "x.h5")
        assert SpikeTrains.load(tmp_path / "x.h5") == trains
        assert read_spikes(tmp_path / "x.h5") == trains


def test_files_say_that_older_releases_cannot_read_them(tmp_path: Path) -> None:
    SPIKES.save(tmp_path / "exact.h5")
    SPIKES.select([0]).on_grid().save(tmp_path / "plain.h5")
    with h5py.File(tmp_path / "exact.h5") as exact, h5py.File(tmp_path / "plain.h5") as plain:
        assert (exact.attrs["version"], plain.attrs["version"]) == (2, 1)
        assert {*exact} == {"steps", "ids", "exact"}
        assert {*plain} == {"steps", "ids"}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("missing", "is not a readable treplica-spikes file .*exact"),
        ("shape", r"is not a valid treplica-spikes file: len\(exact\) must be 5"),
        ("span", r"is not a valid treplica-spikes file: exact\[3\] must be in the span of its step 3"),
        ("order", "is not a valid treplica-spikes file: spike 1"),
    ],
)
def test_sealed_nonsense_is_refused(tmp_path: Path, damage: str, message: str) -> None:
    path = tmp_path / "x.h5"
    SPIKES.save(path)
    with h5py.File(path, "r+") as file:
        if damage == "missing":
            del file["exact"]
        elif damage == "shape":
            file["exact"].resize((4,))
        else:
            file["exact"][...] = {"span": [0.25, 0.25, 0.3, 1.6, 4.75], "order": [0.3, 0.25, 0.3, 1.2, 4.75]}[
                damage
            ]
    seal(path)
    with pytest.raises(DescriptionError, match=message):
        SpikeTrains.load(path)


def test_foreign_files_keep_their_times_if_asked(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", times=SPIKES.times[::-1], ids=SPIKES.ids[::-1])
    assert read_spikes(tmp_path / "x.npz", dt=0.5, size=3, exact=True) == SPIKES
    lines = [f"{neuron + 1} {time!r}" for time, neuron in zip(TIMES, SPIKES.ids, strict=True)]
    (tmp_path / "x.dat").write_text("sender time_ms\n" + "\n".join(lines))
    assert read_spikes(tmp_path / "x.dat", dt=0.5, first_id=1, exact=True) == SPIKES
    with pytest.raises(DescriptionError, match=r"times\[0\] must be on the grid"):
        read_spikes(tmp_path / "x.dat", dt=0.5, first_id=1)
    with pytest.raises(DescriptionError, match=r"times\[4\] must be a time in \(0, 4.5\] ms, got 4.75"):
        read_spikes(tmp_path / "x.dat", dt=0.5, first_id=1, exact=True, duration=4.5)


@pytest.mark.parametrize(("last", "steps"), [(0.3, 3), (0.30000000000000004, 3), (0.31, 4), (0.29, 3)])
def test_a_file_of_unknown_duration_ends_with_the_step_of_its_last_spike(
    tmp_path: Path, last: float, steps: int
) -> None:
    (tmp_path / "x.dat").write_text(f"0 {last!r}\n")
    assert read_spikes(tmp_path / "x.dat", dt=0.1, exact=True).n_steps == steps
    for none in ("nan", "inf", "1e300"):
        (tmp_path / "x.dat").write_text(f"0 {none}\n")
        with pytest.raises(DescriptionError):
            read_spikes(tmp_path / "x.dat", dt=0.1, exact=True)


# Codes


def charging(value: np.ndarray, cut: float) -> np.ndarray:
    return np.log(value / (value - cut))


def test_values_are_decoded_from_exact_times() -> None:
    """From the times that the formulas of the codes give, without an error of half a step."""
    values = np.random.default_rng(1).uniform(0.3, 1.0, 50)
    cut, window, tau = 0.2, 20.0, 7.0
    low, high = charging(np.array([1.0, cut + (1.0 - cut) / 255.0]), cut)
    codes: list[tuple[np.ndarray, dict[str, Any]]] = [
        (1.0 + (1.0 - values) * (window - 1.0), {}),
        (
            1.0 + (window - 1.0) * (charging(values, cut) - low) / (high - low),
            {"law": "logarithmic", "cut": cut},
        ),
        (tau * charging(values, cut), {"law": "logarithmic", "cut": cut, "tau": tau}),
    ]
    for times, law in codes:
        trains = SpikeTrains.from_exact_times(5.0 + 25.0 + times, np.arange(50), 50, 1.0, 50.0, start=5.0)
        decoded = latency_decode(trains, window, gap=5.0, **law)
        assert np.abs(decoded[1] - values).max() < 1e-12
        assert decoded[0].tolist() == [0.0] * 50
        on_grid = latency_decode(trains.on_grid(), window, gap=5.0, **law)
        assert np.abs(on_grid[1] - values).max() > 0.01


def test_spikes_before_the_time_of_one_are_one() -> None:
    for law in ({}, {"law": "logarithmic", "cut": 0.2}, {"law": "logarithmic", "cut": 0.2, "tau": 7.0}):
        early = SpikeTrains.from_exact_times([1e-5, 0.5, 2.5], [0, 1, 2], 4, 1.0, 3.0)
        decoded = latency_decode(early, 3.0, silent=-1.0, **law)[0]  # type: ignore[arg-type]
        assert decoded[:2].tolist() == [1.0, 1.0]
        assert 0.2 <= decoded[2] < 1.0
        assert decoded[3] == -1.0
    first_counts = SpikeTrains.from_exact_times([1.25, 1.5], [0, 0], 1, 1.0, 3.0)
    assert latency_decode(first_counts, 3.0).tolist() == [[1.0 - 0.25 / 2.0]]
