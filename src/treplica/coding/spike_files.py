"""Spikes from files of other origin."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from treplica.coding.files import reading
from treplica.coding.grid import check_count, check_dt, check_positive, slack
from treplica.coding.store import load_spikes
from treplica.coding.trains import SpikeTrains
from treplica.errors import DescriptionError, InvalidValue

Times = NDArray[np.float64]
Ids = NDArray[np.int64]

MOST_NEURONS = 2**31


def read_spikes(
    path: str | os.PathLike[str],
    dt: float | None = None,
    size: int | None = None,
    duration: float | None = None,
    first_id: int = 0,
    exact: bool = False,
) -> SpikeTrains:
    """Spike trains of a file.

    - `path`: one of
        - .h5 that `SpikeTrains.save` or a simulation wrote (it needs none of the other arguments);
        - .npz with arrays `times` (ms) and `ids`, and perhaps dt, size, duration;
        - text of lines `id time`, such as NEST's .dat and .gdf files, with comments after # and a heading.
    - `dt`: ms, grid of the times; needed where the file does not tell it
    - `exact`: keep times as they are, also between the points of the grid (text and .npz), see `SpikeTrains.exact`
    - `size`: number of neurons; None for the file's, or the largest id + 1
    - `duration`: ms from time 0; None for the file's, or the time of the last spike
    - `first_id`: what the first neuron is called in the file (NEST: 1, or a population's first node)

    Raises `DescriptionError` for what cannot be read so, `InvalidValue` for a wrong argument.
    """
    place = Path(path)
    if place.suffix.lower() in (".h5", ".hdf5"):
        return load_spikes(place)
    check_count("first_id", first_id, 0)
    told: dict[str, float] = {} if dt is None else {"dt": check_dt(dt)}
    if size is not None:
        told["size"] = check_count("size", size, 1)
    if duration is not None:
        told["duration"] = check_positive("duration", duration, "ms")
    times, ids, in_file = _from_npz(place) if place.suffix.lower() == ".npz" else _from_text(place)
    told = {**in_file, **told}
    if "dt" not in told:
        raise InvalidValue(
            "dt", dt, "the time step in ms of the recording", f"{place.name} does not tell it."
        )
    with reading(place, "spike file"):
        return _trains(times, ids, first_id, told, exact)


def _trains(times: Times, ids: Ids, first_id: int, told: dict[str, float], exact: bool) -> SpikeTrains:
    if len(ids) and not (first_id <= int(ids.min()) and int(ids.max()) - first_id < MOST_NEURONS):
        raise ValueError(f"its ids go from {ids.min()} to {ids.max()}, the first should be {first_id}")
    last_id, last = (int(ids.max()) - first_id, float(times.max())) if len(ids) else (0, 0.0)
    size, dt, duration = told.get("size", last_id + 1), told["dt"], told.get("duration")
    if duration is None:  # a time off the grid is named with its place below
        steps = round(last / check_dt(dt))
        duration = (steps + 1 if exact and last / dt > steps + slack(steps) else steps) * dt
    make = SpikeTrains.from_exact_times if exact else SpikeTrains.from_times
    return make(times, ids - first_id, int(size), dt, duration)


def _from_npz(path: Path) -> tuple[Times, Ids, dict[str, float]]:
    # Opened here, because NumPy leaves a damaged archive open.
    with reading(path, "spike file"), open(path, "rb") as file, np.load(file, allow_pickle=False) as found:
        if not {"times", "ids"} <= set(found.files):
            listing = ", ".join(found.files) or "none"
            raise DescriptionError(path, f"holds no arrays named times and ids (its arrays: {listing})")
        told = {name: float(found[name]) for name in ("dt", "size", "duration") if name in found.files}
        times, ids = np.asarray(found["times"], np.float64), np.asarray(found["ids"])
        if times.ndim != 1 or ids.shape != times.shape or (ids.dtype.kind not in "iu" and ids.size):
            raise ValueError(f"times {times.shape} and ids {ids.dtype}{ids.shape} do not fit")
        return times, ids.astype(np.int64), told


def _from_text(path: Path) -> tuple[Times, Ids, dict[str, float]]:
    with reading(path, "spike file"):
        lines = path.read_text("utf-8").splitlines()
        rows = [(number, line.replace(",", " ").split()) for number, line in enumerate(lines, start=1)]
        rows = [(number, cells) for number, cells in rows if cells and not cells[0].startswith("#")]
        if rows and not rows[0][1][0].lstrip("+-").isdigit():
            _check_heading(rows.pop(0)[1])
        times, ids = np.empty(len(rows)), np.empty(len(rows), np.int64)
        for row, (number, cells) in enumerate(rows):
            if len(cells) != 2 or not cells[0].isdigit():
                raise ValueError(f"line {number} is {' '.join(cells)[:60]!r}, not an id and a time")
            ids[row], times[row] = int(cells[0]), float(cells[1])
        return times, ids, {}


def _check_heading(cells: list[str]) -> None:
    """Refuse a heading of other columns, such as NEST's time_step and time_offset."""
    known = {"sender", "id", "ids", "neuron", "gid"}, {"time_ms", "time", "times", "t"}
    if len(cells) != 2 or any(cell.lower() not in names for cell, names in zip(cells, known, strict=True)):
        raise ValueError(
            f"the heading {' '.join(cells)[:60]!r} is none of `id time` or NEST's `sender time_ms`"
        )
