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
from treplica.simulation.autosave import NAME


def main(chosen: argparse.Namespace) -> int:
    """Load, run, print the summary."""
    _check_times(chosen.duration, chosen.dt)
    if chosen.checkpoint_every is not None:
        check_checkpoints(chosen.checkpoint_every, chosen.dt)
        if chosen.out is None:
            allowed = "given together with --out FOLDER, where the checkpoint and the recordings go"
            raise InvalidValue("--checkpoint-every", chosen.checkpoint_every, allowed)
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
    checkpoint = None if chosen.checkpoint_every is None else chosen.out / NAME
    return carry_out(sim, chosen.duration, chosen.out, chosen.json, chosen.checkpoint_every, checkpoint)


def carry_out(
    sim: Simulation,
    duration: float,
    folder: Path | None,
    as_json: bool,
    checkpoint_every: float | None,
    checkpoint: Path | None,
) -> int:
    """Run, write the summary and the description into the folder, and print what came out."""
    network = sim.network
    network.seed = sim.seed
    label = "going on" if sim.time else "simulating"
    with sim:
        try:
            run_with_bar(sim, duration, label, not as_json, checkpoint_every, checkpoint)
        finally:
            summary = sim.summary()
            if folder:
                network.save(folder / "network.json")
                write_summary(folder / "summary.json", summary.as_dict())
        recorded = {probe.name: _described(sim[probe]) for probe in network.probes}
        if as_json:
            shown = str(folder) if folder else None
            print_json({"summary": summary.as_dict(), "recorded": recorded, "folder": shown})
            return 0
        console.print(str(summary), soft_wrap=True, markup=False)
        if recorded:
            console.print()
            print_table("recorded", list(recorded.items()))
        if folder:
            console.print(f"\nresults in {folder}", soft_wrap=True, markup=False)
    return 0


def _check_times(duration: float, dt: float) -> None:
    """Refuse before the folder is filled what the run would refuse after it."""
    for name, value in (("--duration", duration), ("--dt", dt)):
        if not (math.isfinite(value) and value > 0.0):
            raise InvalidValue(name, value, "a finite number > 0 ms")
    steps_of("--duration", duration, dt, least=1)


def check_checkpoints(every: float, dt: float) -> None:
    """Refuse a time between checkpoints that is not one."""
    if not (math.isfinite(every) and every > 0.0):
        raise InvalidValue("--checkpoint-every", every, "a finite number > 0 ms")
    steps_of("--checkpoint-every", every, dt, least=1)


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
