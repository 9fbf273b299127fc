"""`treplica info`: this installation, or what a description holds."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from typing import Any

from treplica import connectivity, neurons, synapses
from treplica.benchmarks.report import machine, versions
from treplica.cli.run import load_network
from treplica.cli.terminal import print_json, print_table
from treplica.connectivity.parallel import available_threads
from treplica.network import Network

EXTRAS = {"plot": "matplotlib", "learn": "torch", "mpi": "mpi4py", "cuda": "numba_cuda"}


def main(chosen: argparse.Namespace) -> int:
    """Print what is asked for."""
    data = _network(load_network(chosen.file)) if chosen.file else _installation()
    if chosen.json:
        print_json(data)
        return 0
    for title, part in data.items():
        if isinstance(part, dict):
            print_table(f"[bold]{title}[/bold]", [(str(k), str(v)) for k, v in part.items()])
        else:
            print_table(f"[bold]{title}[/bold]", [(str(part),)])
    return 0


def _installation() -> dict[str, Any]:
    extras = {
        extra: "installed" if find_spec(package) else f"absent: pip install 'treplica[{extra}]'"
        for extra, package in EXTRAS.items()
    }
    return {
        "versions": versions(),
        "machine": {**machine(), "usable_cores": available_threads()},
        "extras": extras,
        "neurons": {n: _first_line(getattr(neurons, n).doc) for n in neurons.__all__},
        "receptors": {n: _first_line(getattr(synapses, n).doc) for n in synapses.__all__},
        "rules": {
            n: _first_line(getattr(connectivity, n).__doc__)
            for n in connectivity.__all__
            if isinstance(getattr(connectivity, n), type)
        },
    }


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().split("\n")[0]


def _network(network: Network) -> dict[str, Any]:
    return {
        "network": {"seed": network.seed, "neurons": sum(p.size for p in network.populations)},
        "populations": {
            p.name: f"{p.size:,} x {p.neuron}" + (f" with {', '.join(p.receptors)}" if p.receptors else "")
            for p in network.populations
        },
        "projections": {
            p.name: f"{p.source} to {p.target}: {p.rule}, weight {p.weight}, delay {p.delay} ms, port {p.port}"
            for p in network.projections
        },
        "stimuli": {s.name: f"{s.target}: {type(s.drive).__name__}" for s in network.stimuli},
        "probes": {p.name: f"{p.variable} of {p.target}" for p in network.probes},
    }
