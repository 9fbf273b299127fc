"""A simulation in a file: what the steps to come depend on, and what was recorded and counted so far.

One sealed HDF5 file that needs nothing else, except recordings that are on disk: of those it knows the position.

    treplica-checkpoint   attributes format, version
    network               the description, the text that `Network.save` writes
    about                 JSON: settings, schedule, counts, what was fed, units of ports, recordings
    snapshot/...          arrays of the engine's state, see `snapshot_file`
    recordings/...        arrays that recordings held in memory
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from treplica.coding.files import replacing
from treplica.coding.seal import BLOCK, seal
from treplica.coding.store import array_of, filters, opened_as
from treplica.coding.streams import Position
from treplica.engines.plan import Plan
from treplica.engines.resolve import resolve
from treplica.engines.snapshot import Snapshot, spike_types
from treplica.errors import DescriptionError, UnknownName
from treplica.network import Network, Probe
from treplica.network.checks import check_count
from treplica.network.file import from_text
from treplica.simulation.choice import choose
from treplica.simulation.entries import check_entries
from treplica.simulation.feeding import Fed
from treplica.simulation.recorders import sampler_of
from treplica.simulation.recording import Kept
from treplica.simulation.settings import Schedule, Settings
from treplica.simulation.snapshot_file import check_range, columns, from_arrays, to_arrays

FORMAT, VERSION = "treplica-checkpoint", 1


@dataclass(frozen=True)
class Counts:
    """What a simulation has counted: wall time in s, spikes of each population, the most spikes of a step."""

    wall_s: float
    spikes: list[int]
    busiest: int


@dataclass(frozen=True)
class Course:
    """What a simulation is beside its network and its engine's state.

    units: by port, the weight of one whole unit: what arrivals in the snapshot are counted in. fed: see `Feeder`.
    """

    settings: Settings
    schedule: Schedule
    counts: Counts
    units: dict[str, float]
    fed: Fed
    recordings: dict[str, Kept]


def units_of(plan: Plan) -> dict[str, float]:
    """The unit of every port."""
    return {port.name: port.unit for p in plan.populations for port in p.composition.ports}


def write(path: Path, network: str, course: Course, snapshot: Snapshot) -> None:
    """Write a checkpoint beside `path`, wait until it is on the disk, and rename it.

    network: its description as text. Raises OutputError where the place cannot be written.
    """
    import h5py

    with replacing(path, alone=True, durable=True) as beside:
        with h5py.File(beside, "w", userblock_size=BLOCK) as file:
            file.attrs.update({"format": FORMAT, "version": VERSION})
            file["network"] = np.frombuffer(network.encode(), dtype=np.uint8)
            file["about"] = np.frombuffer(json.dumps(_plain(course, path)).encode(), dtype=np.uint8)
            for name, array in to_arrays(snapshot).items():
                file[f"snapshot/{name}"] = array
            for probe, kept in course.recordings.items():
                for name, array in kept.arrays.items():
                    chunked = (
                        {"maxshape": (None, *array.shape[1:]), **filters(array.dtype)} if array.size else {}
                    )
                    file.create_dataset(f"recordings/{probe}/{name}", data=array, **chunked)
        seal(beside)


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds; the plan is that of the network."""

    network: Network
    plan: Plan
    course: Course
    snapshot: Snapshot


def read(path: Path) -> Saved:
    """Read a checkpoint; DescriptionError for what is not one, is damaged, cut off or of another version."""
    with opened_as(path, FORMAT, (VERSION,), sealed=True) as file:
        text = array_of(file, "network").tobytes().decode()
        course = _course(check_entries(json.loads(array_of(file, "about").tobytes())), file, path)
        network = from_text(text, path)
        plan = _plan(network, course.settings, path)
        if course.units != units_of(plan):
            advice = "Load it with the release of Treplica that wrote it."
            raise DescriptionError(path, "has weights that this release would round otherwise", advice)
        if set(course.recordings) != {probe.name for probe in network.probes}:
            raise DescriptionError(path, "has other recordings than its network has probes")
        snapshot = from_arrays(plan, lambda name: array_of(file, f"snapshot/{name}"))
        _check_course(course, plan, network, snapshot.step)
    return Saved(network, plan, course, snapshot)


def _plan(network: Network, asked: Settings, path: Path) -> Plan:
    """The plan of a network; settings that no simulation can have been asked for are refused."""
    try:
        choice = choose(network, asked.engine, asked.threads, asked.storage, asked.sleep, asked.precision)
        check_count("memory_budget", asked.memory_budget, 1, 2**63 - 1)
        return resolve(
            network, asked.dt, asked.seed, asked.precision, asked.weights, continuous=not choice.steps
        )
    except UnknownName as problem:
        raise DescriptionError(path, f"is not a valid {FORMAT} file: {str(problem).rstrip('.')}") from problem


def _check_course(course: Course, plan: Plan, network: Network, step: int) -> None:
    """ValueError for counts, arrivals and recordings that do not fit the plan."""
    if len(course.counts.spikes) != len(plan.populations):
        raise ValueError(f"it counts the spikes of {len(course.counts.spikes)} populations")
    for population, port in course.fed:
        check_range("fed", np.array([population]), 0, len(plan.populations) - 1)
        check_range("fed", np.array([port]), 0, len(plan.populations[population].composition.ports) - 1)
    for probe in network.probes:
        _check_kept(course.recordings[probe.name], plan, probe, step)


def _check_kept(kept: Kept, plan: Plan, probe: Probe, step: int) -> None:
    """ValueError for a recording that is not what its probe saw until a step."""
    graded = plan.populations[plan.index(probe.target.population)].graded > 1
    spikes = probe.variable == "spikes"
    types = spike_types(graded, plan.continuous)
    names = {*types} if spikes else {"values"} if kept.position is None else {"values", "times"}
    if {*kept.arrays} != (names if kept.position is None else set()):
        raise ValueError(f"the recording {probe.name} has the arrays {', '.join(kept.arrays)}")
    if kept.position is not None and {*kept.position.digests} != names:
        raise ValueError(f"the recording {probe.name} has other checksums than arrays")
    if kept.steps != (step if spikes else 0):
        raise ValueError(f"the recording {probe.name} ends in step {kept.steps}, the run in step {step}")
    if spikes and kept.position is None:
        columns(f"recordings/{probe.name}", lambda name: kept.arrays[name.rpartition("/")[2]], types, plan.dt)
        check_range(f"recordings/{probe.name}/steps", kept.arrays["steps"], 1, step)
        check_range(f"recordings/{probe.name}/ids", kept.arrays["ids"], 0, len(probe.target) - 1)
    elif not spikes:
        samples = step // sampler_of(plan, probe).interval
        shape = (
            kept.arrays["values"].shape if kept.position is None else (kept.position.rows, len(probe.target))
        )
        if shape != (samples, len(probe.target)):
            raise ValueError(f"the recording {probe.name} has the shape {shape} after step {step}")


def _plain(course: Course, path: Path) -> dict[str, Any]:
    """JSON for a course."""
    about = asdict(replace(course, recordings={}))
    about["settings"]["record_to"] = _place(course.settings.record_to, path)
    about["fed"] = [[*port, spans] for port, spans in course.fed.items()]
    about["recordings"] = {
        probe: {"steps": k.steps, "arrays": list(k.arrays), "position": k.position and asdict(k.position)}
        for probe, k in course.recordings.items()
    }
    return about


def _place(folder: str | Path | None, path: Path) -> str | None:
    """Where recordings are: as seen from the checkpoint if it lies among them, so that both can be moved."""
    if folder is None:
        return None
    target, own = Path(folder).resolve(), path.parent.resolve()
    return os.path.relpath(target, own) if own.is_relative_to(target) else str(target)


def _course(about: dict[str, Any], file: Any, path: Path) -> Course:
    settings, place = about["settings"], about["settings"]["record_to"]
    recordings = {}
    for probe, kept in about["recordings"].items():
        arrays = {name: array_of(file, f"recordings/{probe}/{name}") for name in kept["arrays"]}
        position = kept["position"] and Position(**kept["position"])
        recordings[probe] = Kept(kept["steps"], arrays, position)
    return Course(
        Settings(**{**settings, "record_to": None if place is None else path.parent / place}),
        Schedule(**about["schedule"]),
        Counts(**about["counts"]),
        about["units"],
        {(p, port): [tuple(span) for span in spans] for p, port, spans in about["fed"]},
        recordings,
    )
