"""When a run saves its simulation, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from treplica.engines.grid import steps_of
from treplica.errors import InvalidValue
from treplica.network.checks import check_number

#: The checkpoint of a run among its recordings.
NAME = "run.checkpoint"


@dataclass(frozen=True)
class Autosave:
    """every: steps of model time between checkpoints (None: there are none). path: the file."""

    every: int | None
    path: Path

    def stop(self, step: int, end: int) -> int:
        """The next step after which the simulation is saved: a multiple of `every`, or the end of the run."""
        return end if self.every is None else min(end, (step // self.every + 1) * self.every)


def autosave(every: float | None, path: str | Path | None, dt: float, folder: Path | None) -> Autosave:
    """What `run(checkpoint_every=..., checkpoint=...)` asks for; InvalidValue where it does not fit.

    folder: where recordings go, and the checkpoint by default.
    """
    if every is None:
        if path is not None:
            advice = "Or call `save` when the run has ended."
            raise InvalidValue("checkpoint", str(path), "given together with checkpoint_every (ms)", advice)
        return Autosave(None, Path())
    steps = steps_of("checkpoint_every", check_number("checkpoint_every", every), dt, least=1)
    if path is None:
        if folder is None:
            raise InvalidValue("checkpoint", None, "a file, where nothing is recorded to a folder")
        path = folder / NAME
    return Autosave(steps, Path(path).absolute())
