"""What a process measures that runs one network and nothing else; see `beside`."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any

from treplica import Simulation
from treplica.benchmarks.measure import measure
from treplica.benchmarks.progress import Progress
from treplica.benchmarks.report import Figures
from treplica.benchmarks.table import BENCHMARKS


def measured(
    name: str, settings: dict[str, Any], timing: dict[str, Any], threads: int | None, storage: Any
) -> Figures:
    """The figures of a network, and what it came to: a checksum of all states, spikes and events from the beginning."""
    entry = replace(BENCHMARKS[name], storage=storage)
    return measure(entry, settings, timing, threads, Progress(name, False), came_to)


def came_to(sim: Simulation) -> Figures:
    """A checksum of all states, and how many spikes and synaptic events there were."""
    states = 0
    for index, population in enumerate(sim.plan.populations):
        for variable in population.composition.states():
            states = zlib.crc32(sim.engine.read(index, variable).tobytes(), states)
    return {
        "states": states,
        "spikes_so_far": int(sim.spikes.sum()),
        "events_so_far": sim.engine.synaptic_events,
    }
