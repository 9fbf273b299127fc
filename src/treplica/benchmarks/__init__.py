"""Benchmarks by name; each measures Treplica and, if asked, its peers in the same run."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from treplica.benchmarks.report import Report
from treplica.errors import UnknownName

NAMES = ("mesh", "microcircuit")


def benchmark(name: str) -> Callable[..., Report]:
    """The benchmark's function; its keywords are the settings that `treplica bench` offers."""
    if name not in NAMES:
        raise UnknownName("benchmark", name, NAMES)
    run: Callable[..., Report] = import_module(f"treplica.benchmarks.{name}").run
    return run


__all__ = ["NAMES", "Report", "benchmark"]
