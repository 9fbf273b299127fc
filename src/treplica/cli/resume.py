"""`treplica resume`: a run that was interrupted or killed, from its last checkpoint to its end."""

from __future__ import annotations

import argparse
from pathlib import Path

from treplica.cli.run import carry_out, check_checkpoints
from treplica.cli.terminal import go_on_with
from treplica.errors import DescriptionError
from treplica.simulation import Simulation
from treplica.simulation.autosave import NAME


def main(chosen: argparse.Namespace) -> int:
    """Load, run what was left, print the summary of the whole."""
    path = checkpoint_of(chosen.checkpoint)
    try:
        return _resume(path, chosen)
    except KeyboardInterrupt as stopped:
        raise KeyboardInterrupt(str(stopped) or f"interrupted; {go_on_with(path)}") from None


def _resume(path: Path, chosen: argparse.Namespace) -> int:
    sim = Simulation.load(
        path, threads=chosen.threads, engine=chosen.engine, record_to=chosen.out, quiet=chosen.json
    )
    every = sim.checkpoint_every
    if chosen.checkpoint_every is not None:
        check_checkpoints(chosen.checkpoint_every, sim.dt)
        every = chosen.checkpoint_every
    checkpoint = None if every is None else path
    folder = sim.recorders.folder
    for named in (chosen.out, path.parent):
        if folder and named and named.resolve() == folder.resolve():
            folder = named  # as the user wrote it
    return carry_out(sim, sim.remaining, folder, chosen.json, every, checkpoint)


def checkpoint_of(path: Path) -> Path:
    """The checkpoint that is meant: the file, or the one in a folder that `treplica run --out` wrote."""
    if not path.is_dir():
        return path
    if not (path / NAME).is_file():
        advice = (
            "Name a checkpoint, or a folder of a run with --checkpoint-every; "
            "one that was killed before its first checkpoint is begun again."
        )
        raise DescriptionError(path, f"there is no {NAME} in this folder", advice)
    return path / NAME
