"""`treplica info`: this installation, or what a description holds."""

from __future__ import annotations

import argparse
import textwrap
from importlib.util import find_spec
from typing import Any

from treplica import connectivity, neurons, synapses
from treplica.benchmarks.report import machine, versions
from treplica.cli.run import load_network
from treplica.cli.terminal import console, print_json, print_table
from treplica.connectivity.parallel import available_threads
from treplica.network import Network, Projection

EXTRAS = {
    "plot": "matplotlib", "learn": "torch", "tensorboard": "tensorboard", "mpi": "mpi4py", "cuda": "numba_cuda",
}  # fmt: skip


def main(chosen: argparse.Namespace) -> int:
    """Print what is asked for."""
    data = _network(load_network(chosen.file)) if chosen.file else _installation()
    if chosen.json:
        print_json(data)
        return 0
    for number, (title, part) in enumerate(data.items()):
        if number:
            console.print()
        print_table(title, [(k, str(v)) for k, v in part.items()])
    return 0


def _installation() -> dict[str, dict[str, Any]]:
    extras = {
        extra: "installed" if find_spec(package) else f"absent: pip install 'treplica[{extra}]'"
        for extra, package in EXTRAS.items()
    }
    classes = {n: c for n in connectivity.__all__ if isinstance(c := getattr(connectivity, n), type)}
    rules = [n for n, c in classes.items() if issubclass(c, connectivity.AbstractRule)]
    draws = [n for n, c in classes.items() if hasattr(c, "values")]
    return {
        "versions": versions(),
        "machine": {**machine(), "usable_cores": available_threads()},
        "extras": extras,
        "neurons": {n: _first_line(getattr(neurons, n).doc) for n in neurons.__all__},
        "receptors": {n: _first_line(getattr(synapses, n).doc) for n in synapses.__all__},
        "rules": {n: _first_line(classes[n].__doc__) for n in rules if n != "AbstractRule"},
        "draws": {n: _first_line(classes[n].__doc__) for n in draws},
    }


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().split("\n")[0]


def _network(network: Network) -> dict[str, dict[str, Any]]:
    parts: dict[str, dict[str, Any]] = {
        "network": {"seed": network.seed, "neurons": sum(p.size for p in network.populations)},
        "populations": {
            p.name: f"{p.size:,} x {_brief(p.neuron)}"
            + (f" with {', '.join(p.receptors)}" if p.receptors else "")
            for p in network.populations
        },
        "projections": {p.name: _projection(p) for p in network.projections},
        "stimuli": {
            s.name: f"{_brief(s.drive)} onto {s.port or s.current} of {s.target}" for s in network.stimuli
        },
        "probes": {p.name: f"{p.variable} of {p.target}" for p in network.probes},
    }
    return {title: part for title, part in parts.items() if part}


def _projection(projection: Projection) -> str:
    weight, delay = _brief(projection.weight), _brief(projection.delay)
    ends = f"{projection.source} to {projection.target}"
    return f"{ends}: {_brief(projection.rule)}, weight {weight}, delay {delay} ms, port {projection.port}"


def _brief(thing: object) -> str:
    """Its text, without the inside of long arrays."""
    return textwrap.shorten(repr(thing), 100, placeholder=" ...")
