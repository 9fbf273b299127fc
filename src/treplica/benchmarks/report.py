"""The one form in which every benchmark reports."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

Figures = dict[str, float]
#: Figures of which more is better.
RATES = ("synaptic_events_per_s",)
PACKAGES = ("treplica", "numpy", "numba", "scipy", "nest-simulator", "networkx")


@dataclass
class Report:
    """What a benchmark measured: `figures` (SI units in the keys), the same keys for each peer, and ratios.

    Ratios say how many times better we are: the peer's time or memory over ours, our rate over the peer's. `machine` is
    taken when the report is begun: its load is the load before the benchmark. beside: figures of the same network with
    synapses kept and recomputed, at sizes where both fit, by "NEURONS WAY".
    """

    name: str
    figures: Figures
    peers: dict[str, Figures] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=lambda: machine())
    beside: dict[str, Figures] = field(default_factory=dict)

    def ratios(self) -> dict[str, float]:
        """How many times better, for every time, memory or rate of work that both have, by `peer.figure`."""
        return {
            f"{peer}.{key}": self.figures[key] / theirs if key in RATES else theirs / self.figures[key]
            for peer, figures in self.peers.items()
            for key, theirs in figures.items()
            if self.figures.get(key) and theirs and key.endswith(("_s", "_bytes"))
        }

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        about = {
            "name": self.name,
            "settings": self.settings,
            "machine": self.machine,
            "versions": {**versions(), **self.versions},
            "figures": self.figures,
            "peers": self.peers,
            "ratios": self.ratios(),
        }
        return {**about, "beside": self.beside} if self.beside else about


def machine() -> dict[str, Any]:
    """The processor, its cores, memory and load."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_bytes": pages,
        "system": f"{platform.system()} {platform.machine()}",
        "load_1min": os.getloadavg()[0],
    }


def busy_cores(seconds: float = 1.0) -> float | None:
    """How many cores other processes keep busy: the mean over some time in which this one sleeps; None off Linux."""
    ticks_file = Path("/proc/stat")
    if not ticks_file.exists():
        return None

    def busy_and_all() -> tuple[int, int]:
        ticks = [int(word) for word in ticks_file.read_text().split("\n", 1)[0].split()[1:9]]
        return sum(ticks) - ticks[3] - ticks[4], sum(ticks)  # 3 is idle, 4 waits for a disk

    busy, everything = busy_and_all()
    time.sleep(seconds)
    later, all_later = busy_and_all()
    return (os.cpu_count() or 1) * (later - busy) / max(all_later - everything, 1)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that matter here and are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def medians(measure: Callable[[], Mapping[str, float]], repeats: int) -> Figures:
    """The median of every figure over several measurements."""
    runs = [measure() for _ in range(repeats)]
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}
