"""The networks that are measured: one entry each. Their peers are the scripts `peers/NAME_PEER.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from treplica import Network
from treplica.benchmarks.drives import NOISE, SPIKES, choose_drive
from treplica.benchmarks.microcircuit import description
from treplica.engines.storage import Storage
from treplica.errors import InvalidValue, UnknownName
from treplica.systems.brunel import brunel
from treplica.systems.hpc_benchmark import hpc_benchmark
from treplica.systems.izhikevich_2003 import izhikevich_2003
from treplica.systems.mesh import KICK, MESH_WEIGHT, RARE_RATE, mesh
from treplica.systems.microcircuit import microcircuit
from treplica.systems.vogels_abbott import vogels_abbott
from treplica.systems.vogels_abbott_dense import vogels_abbott_dense

#: Settings that can be chosen where a network has them.
CHOICES = ("neurons", "scale", "drive", "rate")
#: What can be chosen for every network.
TIMING = ("seconds", "repeats", "threads", "precision")


@dataclass(frozen=True)
class Benchmark:
    """A network to measure, and how.

    - `make`: makes the network from the settings and a `seed`
    - `settings`: what it is made from
    - `small`: settings instead for the smallest network that has the same kernels
    - `dt`: ms
    - `warm_up_ms`: model time before anything is timed
    - `seconds`, `repeats`: model time of each timed run, and how many runs unless asked for otherwise
    - `for_peers`: from the settings to what peers need to make the same network
    - `long`: it takes minutes, so what goes on is said on standard error
    - `storage`: how synapses are kept, as `Simulation` has it
    - `precision`: unless asked for otherwise
    - `records`: populations whose spikes are recorded to disk
    - `beside`: sizes at which kept and recomputed synapses are measured first, beside each other
    - `drives`: what is measured, by the setting `drive`, where each has settings of its own; see `choose_drive`
    """

    make: Callable[..., Network]
    settings: Mapping[str, Any] = field(default_factory=dict)
    small: Mapping[str, Any] = field(default_factory=dict)
    dt: float = 0.1
    warm_up_ms: float = 200.0
    seconds: float = 1.0
    repeats: int = 5
    seed: int = 7
    for_peers: Callable[..., dict[str, Any]] = dict
    long: bool = False
    storage: Storage = "auto"
    precision: str = "float64"
    records: tuple[str, ...] = ()
    beside: tuple[int, ...] = ()
    drives: Mapping[str, Benchmark] = field(default_factory=dict)

    def driven_by(self, drive: str = "") -> Benchmark:
        """The entry for a drive; this one, where a drive is a setting like others."""
        return self.drives.get(drive, self)

    def choose(self, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The settings with some of `CHOICES` instead; raises `InvalidValue` for one that this network lacks."""
        known = [choice for choice in CHOICES if choice in self.settings]
        for key, value in asked.items():
            if key not in known:
                advice = f"It has --{', --'.join((*known, *TIMING))}."
                raise InvalidValue(f"--{key}", value, f"left out of the benchmark {name}", advice)
        return {**self.settings, **asked}

    def small_network(self) -> Network:
        """A network with the same kernels that is quickly built."""
        return self.make(**{**self.settings, **self.small})


_MESH = dict(neurons=100_000, k=6, p=0.02, refractory=0.0)
_MESHES = {
    NOISE: Benchmark(mesh, dict(**_MESH, drive=NOISE, weight=10.0, noise=5.0), dict(neurons=1000), dt=1.0),
    SPIKES: Benchmark(
        mesh,
        dict(**_MESH, drive=SPIKES, weight=MESH_WEIGHT, rate=RARE_RATE, kick=KICK),
        dict(neurons=5000),
        dt=1.0,
        precision="int16",
        records=("mesh",),
    ),
}
BENCHMARKS = {
    "mesh": replace(_MESHES[NOISE], drives=_MESHES),
    "cuba": Benchmark(vogels_abbott, dict(kind="cuba", neurons=4000), dict(neurons=100)),
    "coba": Benchmark(vogels_abbott, dict(kind="coba", neurons=4000), dict(neurons=100)),
    "brunel": Benchmark(brunel, dict(neurons=12_500, g=5.0, eta=2.0), dict(neurons=100), seconds=0.5),
    "izhikevich2003": Benchmark(izhikevich_2003, dt=1.0, warm_up_ms=1000.0, seconds=5.0),
    "hpc": Benchmark(
        hpc_benchmark, dict(scale=1.0), dict(scale=0.01), warm_up_ms=100.0, seconds=0.25, long=True
    ),
    "microcircuit": Benchmark(
        microcircuit,
        dict(scale=1.0, drive="poisson"),
        dict(scale=0.005),
        warm_up_ms=500.0,
        repeats=1,
        seed=1,
        for_peers=description,
        long=True,
    ),
    "procedural": Benchmark(
        vogels_abbott_dense,
        dict(neurons=400_000, p=0.1),
        dict(neurons=100),
        dt=1.0,
        seconds=0.2,
        long=True,
        storage="procedural",
        beside=(20_000, 50_000),
    ),
}


def chosen(name: str, asked: Mapping[str, Any]) -> tuple[Benchmark, dict[str, Any], str]:
    """The entry of that name, its settings, and why it has this drive, where that was left open.

    Raises UnknownName; InvalidValue for a setting that the network lacks.
    """
    if name not in BENCHMARKS:
        raise UnknownName("benchmark", name, BENCHMARKS)
    entry, why = BENCHMARKS[name], ""
    if entry.drives:
        drive, why = choose_drive(asked, entry.settings["neurons"])
        entry, asked = entry.driven_by(drive), {**asked, "drive": drive}
    return entry, entry.choose(name, asked), why
