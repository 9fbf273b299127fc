"""`treplica run`: a Python file that defines `network`, or a saved description."""

from __future__ import annotations

import argparse
import math
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any

from treplica import Network, SpikeTrains
from treplica.cli.terminal import console, print_json, print_table, run_with_bar
from treplica.engines.grid import steps_of
from treplica.errors import DescriptionError, InvalidValue
from treplica.network.checks import check_count
from treplica.simulation import Simulation


def main(chosen: argparse.Namespace) -> int:
    """Load, run, print the summary."""
    _check_times(chosen.duration, chosen.dt)
    network = load_network(chosen.file)
    if chosen.seed is not None:
        network.seed = check_count("--seed", chosen.seed, 0, 2**64 - 1)
    for wanted in chosen.record:
        population, _, variable = wanted.partition(".")
        network.record(network.population(population), variable or "spikes")
    sim = Simulation(
        network,
        dt=chosen.dt,
        engine=chosen.engine,
        threads=chosen.threads,
        precision=chosen.precision,
        record_to=chosen.out,
        quiet=chosen.json,
    )
    with sim:
        try:
            run_with_bar(sim, chosen.duration, "simulating", show=not chosen.json)
        finally:
            summary = sim.summary()
            if chosen.out:
                network.save(chosen.out / "network.json")
                write_summary(chosen.out / "summary.json", summary.as_dict())
        recorded = {probe.name: _described(sim[probe]) for probe in network.probes}
        if chosen.json:
            folder = str(chosen.out) if chosen.out else None
            print_json({"summary": summary.as_dict(), "recorded": recorded, "folder": folder})
            return 0
        console.print(str(summary), soft_wrap=True, markup=False)
        if recorded:
            console.print()
            print_table("recorded", list(recorded.items()))
        if chosen.out:
            console.print(f"\nresults in {chosen.out}", soft_wrap=True, markup=False)
    return 0


def _check_times(duration: float, dt: float) -> None:
    """Refuse before the folder is filled what the run would refuse after it."""
    for name, value in (("--duration", duration), ("--dt", dt)):
        if not (math.isfinite(value) and value > 0.0):
            raise InvalidValue(name, value, "a finite number > 0 ms")
    steps_of("--duration", duration, dt, least=1)


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
    network = _run_file(path).get("network")
    if not isinstance(network, Network):
        advice = "Assign it: network = treplica.Network()."
        raise DescriptionError(path, "does not define a variable `network` that is a Network", advice)
    return network


def _run_file(path: Path) -> dict[str, Any]:
    """The variables of a Python file, which may import what lies beside it."""
    beside = str(path.resolve().parent)
    sys.path.insert(0, beside)
    try:
        return runpy.run_path(str(path))
    except Exception as error:
        trace = error.__traceback__
        while trace and trace.tb_frame.f_code.co_filename != str(path):
            trace = trace.tb_next  # what leads to the file is ours and of no interest
        traceback.print_exception(type(error), error, trace)
        raise DescriptionError(path, f"stopped with {type(error).__name__} (above): {error}") from error
    finally:
        sys.path.remove(beside)


def _described(result: Any) -> str:
    if isinstance(result, SpikeTrains):
        return f"{len(result):,} spikes of {result.size:,} neurons"
    return f"{len(result):,} samples of {result.variable} of {len(result.ids):,} neurons"
