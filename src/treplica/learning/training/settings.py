"""The numbers of a training: everything that its result depends on besides network, data and loss."""

from __future__ import annotations

import dataclasses
import math
import typing
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args, get_origin

from treplica.coding.grid import check_count
from treplica.errors import InvalidValue, UnknownName

OptimizerName = Literal["adamw", "adam", "sgd"]
ScheduleName = Literal["one-cycle", "cosine", "constant"]
Choice = Literal["last", "best"]


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained.

    - `epochs`: passes over the data
    - `batch`: samples of a batch; the last one of an epoch may have fewer
    - `seed`: of the weights, the order of samples and all other random choices
    - `optimizer`: "adamw", "adam" or "sgd" (with `momentum`); `weight_decay` and `lr` are theirs
    - `schedule`: of the learning rate over all batches, with `lr` its greatest: "one-cycle" (rises over the share
      `warm_up`, then falls; Smith & Topin 2018, arXiv:1708.07120), "cosine" or "constant"
    - `clip`: greatest norm of the gradient of all parameters; 0 does not clip
    - `hold_out`: share of the training samples that is held out to validate on where no validation set is given
    - `choose`: "last", the weights after the last epoch; "best", those with the greatest accuracy on the validation
      set, the earlier of two
    - `evaluation_batch`: samples of a batch that is only evaluated
    - `threads`: of PyTorch on the CPU; 0 leaves its number. One is fastest for small layers, and where other work
      keeps the cores busy. Sums depend on it in their last digits
    """

    epochs: int = 10
    batch: int = 128
    seed: int = 0
    optimizer: OptimizerName = "adamw"
    lr: float = 2e-3
    weight_decay: float = 0.01
    momentum: float = 0.9
    schedule: ScheduleName = "one-cycle"
    warm_up: float = 0.3
    clip: float = 0.0
    hold_out: float = 0.0
    choose: Choice = "last"
    evaluation_batch: int = 500
    threads: int = 0

    def __post_init__(self) -> None:
        """Refuse what no training can be done with."""
        for name in ("epochs", "batch", "evaluation_batch"):
            check_count(name, getattr(self, name), 1)
        check_count("threads", self.threads, 0)
        if check_count("seed", self.seed, 0) >= 2**63:
            raise InvalidValue("seed", self.seed, "a whole number from 0 to 2**63 - 1")
        for name, choices in (("optimizer", OptimizerName), ("schedule", ScheduleName), ("choose", Choice)):
            if getattr(self, name) not in get_args(choices):
                raise UnknownName(name, str(getattr(self, name)), get_args(choices))
        _check("lr", self.lr, self.lr > 0.0, "> 0")
        _check("weight_decay", self.weight_decay, self.weight_decay >= 0.0, ">= 0")
        _check("momentum", self.momentum, 0.0 <= self.momentum < 1.0, "with 0 <= momentum < 1")
        _check("warm_up", self.warm_up, 0.0 < self.warm_up < 1.0, "with 0 < warm_up < 1")
        _check("clip", self.clip, self.clip >= 0.0, ">= 0, where 0 does not clip")
        _check("hold_out", self.hold_out, 0.0 <= self.hold_out < 1.0, "with 0 <= hold_out < 1")

    def but(self, **changes: Any) -> Self:
        """The same with other values. Raises UnknownName for names that there are not."""
        known = [f.name for f in dataclasses.fields(self)]
        for name in changes:
            if name not in known:
                raise UnknownName("setting", name, known)
        return dataclasses.replace(self, **changes)

    def parsed(self, given: typing.Mapping[str, str]) -> Self:
        """The same with values given as text, such as `{"lr": "1e-3"}`."""
        kinds = typing.get_type_hints(type(self))
        known = {n: k for n, k in kinds.items() if n in {f.name for f in dataclasses.fields(self)}}
        for name in given:
            if name not in known:
                raise UnknownName("setting", name, known)
        return self.but(**{name: _value(name, text, known[name]) for name, text in given.items()})


def _check(name: str, value: float, good: bool, allowed: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (math.isfinite(value) and good):
        raise InvalidValue(name, value, f"a finite number {allowed}")


_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _value(name: str, text: str, kind: Any) -> Any:
    """A value from its text, as its type asks for."""
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise UnknownName(name, text, map(str, get_args(kind)))
        return text
    if kind is bool:
        if text.lower() not in _WORDS:
            raise InvalidValue(name, text, "true or false")
        return _WORDS[text.lower()]
    try:
        return kind(text)
    except ValueError:
        allowed = {int: "a whole number", float: "a number"}.get(kind, str(kind))
        raise InvalidValue(name, text, allowed) from None
