"""HDF5 files of spikes and traces.

`save` seals its files with a checksum, so a damaged one is refused instead of read as other spikes. A file
names its format and version in attributes of the root:

    treplica-spikes   attributes size, dt (ms), n_steps, first_step; datasets steps, ids[, values][, exact (ms)]
    treplica-traces   attributes variable, unit; datasets values [T, n], ids [n], times [T] (ms)

The version is 1, or 2 where spikes have exact times: releases that know only 1 would read them as spikes on the grid.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.coding.files import reading, replacing
from treplica.coding.journal import journal_of, opened
from treplica.coding.moving import columns
from treplica.coding.seal import BLOCK, check_seal, seal
from treplica.coding.traces import Traces
from treplica.coding.trains import SpikeTrains
from treplica.errors import DescriptionError

VERSIONS = {"treplica-spikes": (1, 2), "treplica-traces": (1,)}
"""Versions of each format that can be read."""


def save_spikes(path: str | os.PathLike[str], trains: SpikeTrains) -> None:
    """Write spike trains; raises `OutputError` where the place cannot be written."""
    arrays = {name: column for name, column in columns(trains).items() if column is not None}
    about = {"size": trains.size, "dt": trains.dt, "n_steps": trains.n_steps, "first_step": trains.first_step}
    _write(path, "treplica-spikes", about, arrays)


def load_spikes(path: str | os.PathLike[str]) -> SpikeTrains:
    """Read spike trains; raises `DescriptionError` for a foreign, damaged or absent file."""
    with opened_as(path, "treplica-spikes") as file:
        exact = file.attrs["version"] == 2
        return SpikeTrains(
            array_of(file, "steps"), array_of(file, "ids"), int(file.attrs["size"]), float(file.attrs["dt"]),
            int(file.attrs["n_steps"]), int(file.attrs["first_step"]),
            array_of(file, "values") if "values" in file else None,
            array_of(file, "exact") if exact else None,
        )  # fmt: skip


def save_traces(path: str | os.PathLike[str], traces: Traces) -> None:
    """Write traces; raises `OutputError` where the place cannot be written."""
    arrays = {"values": traces.values, "ids": traces.ids, "times": traces.times}
    _write(path, "treplica-traces", {"variable": traces.variable, "unit": traces.unit}, arrays)


def load_traces(path: str | os.PathLike[str]) -> Traces:
    """Read traces; raises `DescriptionError` for a foreign, damaged or absent file."""
    with opened_as(path, "treplica-traces") as file:
        names = str(file.attrs["variable"]), str(file.attrs["unit"])
        return Traces(array_of(file, "values"), array_of(file, "ids"), array_of(file, "times"), *names)


def _write(
    path: str | os.PathLike[str], name: str, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    import h5py

    with replacing(path) as beside:
        with h5py.File(beside, "w", userblock_size=BLOCK) as file:
            file.attrs["format"], file.attrs["version"] = name, version_of(arrays)
            file.attrs.update(about)
            for key, array in arrays.items():
                file.create_dataset(key, data=array, maxshape=(None,) * array.ndim, **filters(array.dtype))
        seal(beside)


def version_of(arrays: Collection[str]) -> int:
    """The version of a file with these arrays."""
    return 2 if "exact" in arrays else 1


def filters(dtype: np.dtype[Any]) -> dict[str, Any]:
    """How h5py is to keep an array: always with checksums, and packed unless that takes long and gains little.

    Level 1 packs steps (long runs of small differences) about as well as level 9, several times faster. Measured
    potentials lose a fifth of their size, and took most of the time of recording them.
    """
    packed = {} if dtype.kind == "f" else {"compression": "gzip", "compression_opts": 1, "shuffle": True}
    return {**packed, "fletcher32": True}


@contextmanager
def opened_as(
    path: str | os.PathLike[str], name: str, versions: Collection[int] = (), sealed: bool = False
) -> Iterator[Any]:
    """Yield the open file of a format; what h5py or a check says about its content becomes `DescriptionError`.

    versions: those that can be read (none given: see `VERSIONS`). sealed: refuse a file without a seal.
    """
    known = versions or VERSIONS[name]
    if not journal_of(path).exists():  # with a journal the file is being changed, and its seal is gone
        check_seal(path, sealed)
    with reading(path, f"{name} file"), opened(path) as file:
        found = file.attrs.get("format"), file.attrs.get("version")
        if found[0] != name:
            raise DescriptionError(path, f"is not a {name} file (its format attribute is {found[0]!r})")
        if found[1] not in known:
            advice = "Read it with the release of Treplica that wrote it."
            readable = " or ".join(map(str, known))
            raise DescriptionError(path, f"is a {name} file of version {found[1]}, not {readable}", advice)
        yield file


def array_of(file: Any, key: str) -> NDArray[Any]:
    """Whole dataset `key`; a shape beyond what the file can hold is refused before memory is asked for."""
    dataset = file[key]
    # deflate packs at most about 1032 to 1
    if dataset.size * dataset.dtype.itemsize > 2000 * max(dataset.id.get_storage_size(), 1) + 65536:
        raise ValueError(f"{key} claims the shape {dataset.shape}")
    return np.asarray(dataset[()])
