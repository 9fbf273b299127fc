"""Every exception that Treplica raises on purpose.

    TreplicaError
    ├── InvalidValue       (ValueError)   a quantity has a value that is not allowed
    ├── UnknownName        (LookupError)  a name that nobody declared, with the nearest known one
    ├── ModelError         (ValueError)   a model function leaves the model language; carries file and line
    ├── DescriptionError   (ValueError)   a file that is not a readable network, spike or image file
    ├── DownloadError      (OSError)      a data set cannot be downloaded, or what came is not it
    ├── MissingExtra       (ImportError)  an optional dependency is absent; carries the install command
    ├── OutputError        (OSError)      a run cannot write where it was told to
    ├── TrainingError      (RuntimeError) a training had to stop: a loss or gradient is not finite
    └── SimulationError    (RuntimeError) a run had to stop
        ├── NumericalError                a state variable became NaN or infinite
        └── HandlerError                  a handler of events raised; carries its name and the event

Messages name the quantity, the value given, what is allowed and what to do next; the same facts are fields.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TreplicaError(Exception):
    """Root of every error raised on purpose by Treplica."""


class InvalidValue(TreplicaError, ValueError):
    """A quantity was given a value that is not allowed.

    Fields: `quantity` (what), `value` (what was given), `allowed` (what would be accepted),
    `advice` (what to do next, may be empty).
    """

    def __init__(self, quantity: str, value: object, allowed: str, advice: str = "") -> None:
        self.quantity, self.value, self.allowed, self.advice = quantity, value, allowed, advice
        shown = repr(value)
        if len(shown) > 200:
            shown = shown[:197] + "..."
        message = f"{quantity} must be {allowed}, got {shown}."
        super().__init__(f"{message} {advice}" if advice else message)


class UnknownName(TreplicaError, LookupError):
    """A name that was not declared. Fields: `kind`, `name`, `known`, `nearest` (or None)."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        near = difflib.get_close_matches(str(name), self.known, n=1, cutoff=0.5)
        self.nearest = near[0] if near else None
        hint = f" Did you mean {self.nearest!r}?" if self.nearest else ""
        listing = ", ".join(self.known) if self.known else "none"
        super().__init__(f"{kind} {name!r} is not known.{hint} Known: {listing}.")

    def __str__(self) -> str:  # LookupError subclasses would otherwise show the repr of the message
        return str(self.args[0])


class ModelError(TreplicaError, ValueError):
    """A model function is outside the model language. Fields: `file`, `line`, `problem`, `advice`."""

    def __init__(self, file: str, line: int, problem: str, advice: str = "") -> None:
        self.file, self.line, self.problem, self.advice = file, line, problem, advice
        super().__init__(f"{file}:{line}: {problem}." + (f" {advice}" if advice else ""))


class DescriptionError(TreplicaError, ValueError):
    """A file cannot be read as what it should be. Fields: `path`, `problem`, `advice`."""

    def __init__(self, path: object, problem: str, advice: str = "") -> None:
        self.path, self.problem, self.advice = str(path), problem, advice
        super().__init__(f"{path}: {problem}." + (f" {advice}" if advice else ""))


class DownloadError(TreplicaError, OSError):
    """A file of a data set cannot be downloaded, or what came is not it.

    Fields: `address`, `path` (where the file belongs), `problem`, `advice`.
    """

    def __init__(self, address: str, path: object, problem: str, advice: str = "") -> None:
        self.address, self.path, self.problem, self.advice = address, str(path), problem, advice
        super().__init__(f"{address}: {problem}." + (f" {advice}" if advice else ""))


class MissingExtra(TreplicaError, ImportError):
    """An optional dependency is absent. Fields: `package`, `extra`, `command`."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        self.package, self.extra = package, extra
        self.command = f"pip install 'treplica[{extra}]'"
        super().__init__(
            f"{purpose} needs {package}, which is not installed. Install it with: {self.command}"
        )


class OutputError(TreplicaError, OSError):
    """A run cannot write where it was told to. Fields: `path`, `problem`, `advice`."""

    def __init__(self, path: object, problem: str, advice: str = "") -> None:
        self.path, self.problem, self.advice = str(path), problem, advice
        super().__init__(f"{path}: {problem}." + (f" {advice}" if advice else ""))


class TrainingError(TreplicaError, RuntimeError):
    """A training had to stop.

    Fields: `problem`, `where` (the layer and its time step), `epoch` and `batch` (both from 1 on).
    """

    def __init__(self, problem: str, where: str, epoch: int, batch: int) -> None:
        self.problem, self.where, self.epoch, self.batch = problem, where, epoch, batch
        place = f": {where}" if where else ""
        super().__init__(
            f"In batch {batch} of epoch {epoch} {problem}{place}. The weights are those before that batch. "
            "Lower the learning rate, clip the gradient, or look at that layer."
        )


class SimulationError(TreplicaError, RuntimeError):
    """A run had to stop."""


class NumericalError(SimulationError):
    """A state variable became NaN or infinite. Fields: `population`, `neuron`, `variable`, `step`, `time`."""

    def __init__(
        self, population: str, neuron: int, variable: str, value: float, step: int, dt: float
    ) -> None:
        self.population, self.neuron, self.variable = population, neuron, variable
        self.value, self.step, self.time = value, step, step * dt
        super().__init__(
            f"{population}[{neuron}].{variable} became {value} in step {step} (t = {step * dt:g} ms). "
            "Use a smaller dt, or look for a parameter or weight that drives it there."
        )


class HandlerError(SimulationError):
    """A handler of events raised. Fields: `handler` (its name), `event`; the handler's error is the cause."""

    def __init__(self, handler: str, event: object, error: Exception) -> None:
        self.handler, self.event = handler, event
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        super().__init__(
            f"The handler {handler} raised at {event!r}: {what.rstrip('.')}. The simulation can go on from there; "
            "other events and handlers are kept."
        )
