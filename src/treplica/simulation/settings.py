"""What a simulation was asked for, and how far a run is to go: what a checkpoint keeps beside the network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from treplica.errors import InvalidValue


@dataclass(frozen=True)
class Settings:
    """The arguments of a `Simulation`, as they were given; `seed` is the one that is used."""

    dt: float
    engine: str
    threads: int | None
    precision: str
    weights: str
    storage: str
    sleep: str
    seed: int
    record_to: str | Path | None
    memory_budget: int

    def changed(
        self, engine: str | None, threads: int | None, storage: str | None, record_to: str | Path | None
    ) -> Settings:
        """With another engine, threads, storage or folder where one is given; the plain engine has one thread.

        InvalidValue for another engine where one of both works in steps and the other does not.
        """
        if engine is not None and (engine == "event") != (self.engine == "event"):
            allowed = "'event', as before" if self.engine == "event" else "one that works in steps, as before"
            raise InvalidValue("engine", engine, allowed)
        if threads is None and engine != "plain":
            threads = self.threads
        return replace(
            self,
            engine=self.engine if engine is None else engine,
            threads=threads,
            storage=self.storage if storage is None else storage,
            record_to=self.record_to if record_to is None else record_to,
        )

    def checked(self, dt: float, folder: Path | None) -> Settings:
        """With plain numbers instead of NumPy's, and the folder where it is; for settings that passed all checks."""
        threads = None if self.threads is None else int(self.threads)
        return replace(self, dt=dt, threads=threads, memory_budget=int(self.memory_budget), record_to=folder)


@dataclass(frozen=True)
class Schedule:
    """end: the step at which the present run ends. every: steps between checkpoints (None: there are none)."""

    end: int = 0
    every: int | None = None
