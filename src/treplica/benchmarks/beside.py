"""Kept and recomputed synapses of one network beside each other, each in a process of its own.

A process of its own because the peak of memory is that of a process. Both must come to the same spikes and, what is
more, to the same states of all neurons.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from treplica import Simulation
from treplica.benchmarks.progress import Progress
from treplica.benchmarks.report import Figures
from treplica.benchmarks.table import BENCHMARKS
from treplica.engines.budget import estimate_memory
from treplica.errors import SimulationError

#: What the ways to keep synapses are called in a report.
WAYS = {"kept": "auto", "recomputed": "procedural"}
ONE = """
import json, sys
from treplica.benchmarks.alone import measured
print(json.dumps(measured(*json.loads(sys.argv[1]))))
"""


def compare(
    name: str, settings: Mapping[str, Any], timing: Mapping[str, Any], threads: int | None, progress: Progress
) -> dict[str, Figures]:
    """Figures by "NEURONS kept" and "NEURONS recomputed", for every size of the entry up to that of the settings.

    Raises SimulationError where the two do not come to the same states, or one of them fails.
    """
    BENCHMARKS[name].make(**settings)  # what cannot be made is refused here, not in another process
    found: dict[str, Figures] = {}
    for neurons in sorted({min(size, settings["neurons"]) for size in BENCHMARKS[name].beside}):
        ends = set()
        for way, storage in WAYS.items():
            progress.say(f"{neurons:,} neurons, synapses are {way}")
            asked = [name, {**settings, "neurons": neurons}, dict(timing), threads, storage]
            command = [sys.executable, "-c", ONE, json.dumps(asked)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                last = "\n".join(done.stderr.strip().splitlines()[-1:])
                raise SimulationError(f"The benchmark {name} failed at {neurons} neurons, {way}: {last}")
            figures = json.loads(done.stdout.strip().rpartition("\n")[2])
            ends.add(tuple(figures.pop(key) for key in ("states", "spikes_so_far", "events_so_far")))
            found[f"{neurons} {way}"] = figures
        if len(ends) > 1:
            raise SimulationError(
                f"The benchmark {name} at {neurons} neurons: recomputed synapses give other states than kept ones, "
                "or another number of spikes or synaptic events. That is an error in Treplica: please report it."
            )
    return found


def if_kept(sim: Simulation) -> Figures:
    """The memory that the network would take with its synapses kept, as it is estimated before anything is built."""
    dt, precision, threads = sim.plan.dt, sim.plan.format.name, sim.engine.threads
    return {"if_kept_bytes": estimate_memory(sim.network, dt, precision, "auto", "auto", threads).total}
