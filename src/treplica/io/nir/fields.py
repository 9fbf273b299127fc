"""What the fields of NIR nodes hold: one table, because a field means the same in every node that has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from treplica.errors import InvalidValue

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
# A number stands where it is known before a graph is: the channels of a convolution whose input size is not.
OpenShape: TypeAlias = tuple[int | None, ...]


@dataclass(frozen=True)
class Field:
    """What a field holds: meaning, unit, whether whole numbers only, how many axes, lowest value, words allowed."""

    meaning: str
    unit: str = "1"
    whole: bool = False
    axes: tuple[int, ...] | None = None
    low: int | None = None
    words: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """What is accepted, in words."""
        kinds: dict[tuple[int, ...] | None, str] = {
            None: "numbers",
            (0,): "a whole number",
            (1,): "a row of whole numbers",
            (0, 1): "a whole number or a row of them",
        }
        text = kinds[self.axes]
        if self.low is not None:
            text += f", >= {self.low}"
        return ", or ".join([text, *map(repr, self.words)])


def _whole(meaning: str, *axes: int, low: int | None = None, words: tuple[str, ...] = ()) -> Field:
    return Field(meaning, whole=True, axes=axes, low=low, words=words)


FIELDS = {
    "shape": _whole("shape of the signal, without time and batch", 1, low=0),
    "input_type": _whole("shape of the input, without time and batch", 1, low=0),
    "weight": Field("outputs, inputs (of a group), then the kernel of a convolution"),
    "bias": Field("added to the output"),
    "scale": Field("factor of every unit"),
    "input_shape": _whole("size of the input along the axes of the kernel", 0, 1, low=1),
    "kernel_size": _whole("units that are pooled along each axis", 0, 1, low=1),
    "stride": _whole("distance of neighbouring windows along each axis", 0, 1, low=1),
    "padding": _whole("zeros on either side of each axis", 0, 1, low=0, words=("same", "valid")),
    "dilation": _whole("distance of neighbouring taps of the kernel along each axis", 0, 1, low=1),
    "groups": _whole("groups of channels that do not see each other", 0, low=1),
    "start_dim": _whole("first axis to join; the batch is not counted", 0),
    "end_dim": _whole("last axis to join; the batch is not counted", 0),
    "delay": Field("how much later the input goes out", "s", low=0),
    "r": Field("resistance: gain of the input"),
    "tau": Field("membrane time constant", "s"),
    "tau_mem": Field("membrane time constant", "s"),
    "tau_syn": Field("synaptic time constant", "s"),
    "v_leak": Field("potential at rest"),
    "v_threshold": Field("potential above which a neuron fires"),
    "v_reset": Field("potential after a spike"),
    "w_in": Field("weight of the input of the synapse"),
    "threshold": Field("value above which the output is 1"),
}


def as_field(owner: str, name: str, value: object, *, words: bool = False) -> Array | str:
    """Return a field's value as a read-only copy of its own type, or as one of its words.

    Raises `InvalidValue` with `owner.name` for what the table does not allow.
    """
    rule, quantity = FIELDS[name], f"{owner}.{name}"
    allowed = rule.allowed if words or not rule.words else rule.allowed.partition(", or")[0]
    if isinstance(value, str):
        if words and value in rule.words:
            return value
        raise InvalidValue(quantity, value, allowed)
    try:
        array = np.array(value)
    except ValueError:  # rows of different lengths
        raise InvalidValue(quantity, value, allowed) from None
    if array.dtype.kind not in ("iu" if rule.whole else "fiu"):
        raise InvalidValue(quantity, value if array.ndim == 0 else array.dtype, allowed)
    if rule.axes is not None and array.ndim not in rule.axes:
        raise InvalidValue(quantity, array.shape, allowed, "That is the shape of what was given.")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise InvalidValue(quantity, float("nan"), f"{allowed}, not NaN")
    if rule.low is not None and array.size and array.min() < rule.low:
        raise InvalidValue(quantity, array.min().item(), allowed)
    array.flags.writeable = False
    return array


def spread(value: Array, axes: int) -> Shape:
    """Return a number for each axis, from one for all or one for each."""
    return tuple(int(each) for each in np.broadcast_to(value, (axes,)))


@contextmanager
def within(place: str) -> Iterator[None]:
    """Say where in a graph a wrong value stands."""
    try:
        yield
    except InvalidValue as problem:
        quantity = f"{place}: {problem.quantity}"
        raise InvalidValue(quantity, problem.value, problem.allowed, problem.advice) from problem


def same(one: object, other: object) -> bool:
    """Tell whether two values of fields or metadata are equal, types included."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        alike = one.dtype == other.dtype and one.shape == other.shape
        return alike and one.tobytes() == other.tobytes()
    return type(one) is type(other) and (one == other or (one != one and other != other))
