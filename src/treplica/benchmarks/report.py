"""The one form in which every benchmark reports."""

from __future__ import annotations

import os
import platform
import statistics
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

    Ratios say how many times better we are: the peer's time or memory over ours, our rate over the peer's.
    """

    name: str
    figures: Figures
    peers: dict[str, Figures] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

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
        return {
            "name": self.name,
            "machine": machine(),
            "versions": {**versions(), **self.versions},
            "figures": self.figures,
            "peers": self.peers,
            "ratios": self.ratios(),
        }


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
