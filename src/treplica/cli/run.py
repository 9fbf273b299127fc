"""`treplica run`: a Python file that defines `network`, or a saved description."""

from __future__ import annotations

import argparse
import runpy
from pathlib import Path
from typing import Any

from treplica import Network, SpikeTrains
from treplica.cli.terminal import console, print_json, print_table, run_with_bar
from treplica.errors import DescriptionError
from treplica.simulation import Simulation


def main(chosen: argparse.Namespace) -> int:
    """Load, run, print the summary."""
    network = load_network(chosen.file)
    for wanted in chosen.record:
        population, _, variable = wanted.partition(".")
        network.record(network.population(population), variable or "spikes")
    sim = Simulation(
        network,
        dt=chosen.dt,
        engine=chosen.engine,
        threads=chosen.threads,
        precision=chosen.precision,
        seed=chosen.seed,
        record_to=chosen.out,
        quiet=chosen.json,
    )
    with sim:
        try:
            run_with_bar(sim, chosen.duration, "simulating", show=not chosen.json)
        finally:
            if chosen.out:
                network.save(chosen.out / "network.json")
                write_summary(chosen.out / "summary.json", sim.summary().as_dict())
        recorded = {probe.name: _described(sim[probe]) for probe in network.probes}
        if chosen.json:
            print_json(
                {"summary": sim.summary().as_dict(), "recorded": recorded, "folder": _folder(chosen.out)}
            )
            return 0
        console.print(str(sim.summary()))
        if recorded:
            print_table("recorded", list(recorded.items()))
        if chosen.out:
            console.print(f"results in {chosen.out}")
    return 0


def write_summary(path: Path, data: dict[str, Any]) -> None:
    """Write a JSON file, beside and renamed."""
    import json

    from treplica.coding.files import replacing

    with replacing(path) as beside:
        beside.write_text(json.dumps(data, indent=1) + "\n")


def load_network(path: Path) -> Network:
    """The `network` of a Python file, or a saved description."""
    if path.suffix != ".py":
        return Network.load(path)
    if not path.is_file():
        raise DescriptionError(path, "there is no such file")
    network = runpy.run_path(str(path)).get("network")
    if not isinstance(network, Network):
        advice = "Assign it: network = treplica.Network()."
        raise DescriptionError(path, "does not define a variable `network` that is a Network", advice)
    return network


def _described(result: Any) -> str:
    if isinstance(result, SpikeTrains):
        return f"{len(result):,} spikes of {result.size:,} neurons"
    return f"{len(result):,} samples of {result.variable} of {len(result.ids):,} neurons"


def _folder(out: Path | None) -> str | None:
    return str(out) if out else None
