"""The vocabulary for PyTorch: the bits of the specification, and gradients.

The elementary functions run the same definitions as everywhere, from exact operations on bits; those have no
useful derivative, so each function brings its own, the mathematical one. The square root is not PyTorch's own
on a CPU: that one is not correctly rounded. Import this module inside functions only: it brings in torch.
"""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from treplica.errors import InvalidValue
from treplica.learning.surrogate import Surrogate
from treplica.model import Formula
from treplica.model.derivatives import DERIVATIVES
from treplica.model.lowering import Precision, elementary_formulas
from treplica.model.rebind import rebind

#: A function of every number of a tensor, such as the derivative that training uses for spike(x).
Elementwise = Callable[[Tensor], Tensor]


class Kind(NamedTuple):
    """What the tensors of a call have in common."""

    dtype: torch.dtype
    device: torch.device


class _Bits(NamedTuple):
    """The bits of an IEEE float type: the integer type of its width, fraction bits, bias of the exponent."""

    precision: Precision
    whole: torch.dtype
    fraction: int
    bias: int


_BITS = {
    torch.float64: _Bits("float64", torch.int64, 52, 1023),
    torch.float32: _Bits("float32", torch.int32, 23, 127),
}


def common_kind(name: str, values: Mapping[str, Any]) -> Kind:
    """The dtype and device of the tensors among `values`; InvalidValue if there is not one of each."""
    kinds = {n: Kind(v.dtype, v.device) for n, v in values.items() if isinstance(v, Tensor)}
    for given, kind in kinds.items():
        if kind.dtype not in _BITS:
            raise InvalidValue(f"{name}.{given}: dtype", kind.dtype, "torch.float64 or torch.float32")
        first, wanted = next(iter(kinds.items()))
        if kind != wanted:
            allowed = f"a {wanted.dtype} on {wanted.device} like {first}"
            raise InvalidValue(f"{name}.{given}", kind, allowed, "Convert it with tensor.to(other).")
    if not kinds:
        allowed = "tensors, at least one of them"
        raise InvalidValue(f"{name}: arguments", dict(values), allowed, "Use model.step for numbers.")
    return next(iter(kinds.values()))


def literals(kind: Kind) -> Callable[[Any], Tensor]:
    """A function that makes numbers tensors of a dtype and device; tensors stay.

    Python numbers would do for most operations, but not where all operands are numbers, and some devices
    compute a division by one as a product with its reciprocal.
    """

    def literal(value: Any) -> Tensor:
        if isinstance(value, Tensor):
            return value
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise InvalidValue("argument", value, "a tensor or a number")
        with torch.inference_mode(False):  # a constant made there could not be used in training afterwards
            return torch.tensor(float(value), dtype=kind.dtype, device=kind.device)

    return literal


def pow2(k: Tensor) -> Tensor:
    """2**k for whole k inside the normal exponents; NaN gives NaN."""
    bits = _BITS[k.dtype]
    known = torch.where(torch.isnan(k), 0.0, k)
    power = ((known.to(bits.whole) + bits.bias) << bits.fraction).view(k.dtype)
    return torch.where(torch.isnan(k), k, power)


def mantissa(x: Tensor) -> Tensor:
    """The m in [0.5, 1) of x = m * 2**e for normal x > 0; anything for other x."""
    bits = _BITS[x.dtype]
    low = x.view(bits.whole) & ((1 << bits.fraction) - 1)
    return (low | ((bits.bias - 1) << bits.fraction)).view(x.dtype)


def exponent(x: Tensor) -> Tensor:
    """The e of x = m * 2**e for normal x > 0; anything for other x."""
    bits = _BITS[x.dtype]
    return ((x.view(bits.whole) >> bits.fraction) - (bits.bias - 1)).to(x.dtype)


def minimum(a: Tensor, b: Tensor) -> Tensor:
    """The smaller of two; `b` where they do not compare (NaN). The gradient goes to the one that is taken."""
    return torch.where(a < b, a, b)


def maximum(a: Tensor, b: Tensor) -> Tensor:
    """The larger of two; `b` where they do not compare (NaN). The gradient goes to the one that is taken."""
    return torch.where(a > b, a, b)


_EXACT: dict[str, Callable[..., Any]] = {
    "absolute": torch.abs,
    "exponent": exponent,
    "floor": torch.floor,
    "hold": Tensor.detach,
    "mantissa": mantissa,
    "maximum": maximum,
    "minimum": minimum,
    "pow2": pow2,
    "where": torch.where,
}


def _root(x: Tensor) -> Tensor:
    """The square root, correctly rounded; NaN below 0."""
    if x.device.type != "cpu":
        return torch.sqrt(x)
    with np.errstate(invalid="ignore"):
        return torch.from_numpy(np.asarray(np.sqrt(x.detach().numpy())))


@functools.cache
def _definition(word: str, kind: Kind) -> Callable[[Tensor], Tensor]:
    """What a function computes, without gradients."""
    if word == "sqrt":
        return _root
    checked = elementary_formulas(_BITS[kind.dtype].precision)[word].checked
    return rebind(checked, _EXACT, literals(kind))


@functools.cache
def _bound(formula: Formula, kind: Kind, numbers: tuple[float, ...] = ()) -> Elementwise:
    """A formula of x and numbers as a function of x, with gradients."""
    literal = literals(kind)
    function = rebind(formula.checked, words(), literal)
    given = [literal(number) for number in numbers]
    return lambda x: function(x, *given)


def evaluated(formula: Formula, x: Tensor, numbers: tuple[float, ...] = ()) -> Tensor:
    """A formula of x and numbers at every x, with gradients through x."""
    kind = common_kind("surrogate", {"x": x})
    return _bound(formula, kind, numbers)(x)


class _Elementary(torch.autograd.Function):
    """A function of one number with the derivative of what it approximates."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, word: str) -> Tensor:
        """The definition."""
        y = _definition(word, Kind(x.dtype, x.device))(x)
        ctx.word = word
        ctx.save_for_backward(y if DERIVATIVES[word].takes_result else x)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """The derivative."""
        (kept,) = ctx.saved_tensors
        return gradients[0] * evaluated(DERIVATIVES[ctx.word].formula, kept), None


class _Replaced(torch.autograd.Function):
    """A function of one number with another derivative than its own, which may be 0 almost everywhere."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, function: Elementwise, derivative: Elementwise | None) -> Tensor:
        """The function."""
        ctx.derivative = derivative
        if derivative:
            ctx.save_for_backward(x)
        return function(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        """The derivative given for it."""
        if ctx.derivative is None:
            return torch.zeros_like(gradients[0]), None, None
        (x,) = ctx.saved_tensors
        return gradients[0] * ctx.derivative(x), None, None


def with_derivative(function: Elementwise, derivative: Elementwise | None) -> Elementwise:
    """A function of one number with this derivative in the place of its own; None is 0."""

    def apply(x: Tensor) -> Any:
        return _Replaced.apply(x, function, derivative)

    return apply


def heaviside(x: Tensor) -> Tensor:
    """1 where x >= 0, else 0."""
    return (x >= 0.0).to(x.dtype)


def whole_spikes(x: Tensor) -> Tensor:
    """floor(x) where x > 0, else 0."""
    return torch.where(x > 0.0, torch.floor(x), 0.0)


def smoothed(word: str, surrogate: object) -> Elementwise:
    """The smooth function of a surrogate with its true derivative: what `word` is where nothing may jump."""
    if not isinstance(surrogate, Surrogate):
        advice = "Take one of treplica.learning.surrogates."
        raise InvalidValue(f"smooth=True: the surrogate of {word}", surrogate, "a Surrogate", advice)
    return with_derivative(lambda x: evaluated(surrogate.smooth, x, surrogate.numbers), surrogate)


def words(
    surrogate: Elementwise | None = None,
    graded_surrogate: Elementwise | None = None,
    *,
    smooth: bool = False,
    spike: Elementwise | None = None,
) -> dict[str, Callable[..., Any]]:
    """The vocabulary by name, on tensors of one dtype and device.

    surrogate, graded_surrogate: the derivatives that training uses for spike(x) and graded(x); None passes no
    gradient through them. smooth: spike(x), and graded(x) if it has a surrogate, are the smooth functions of their
    surrogates. spike: what spike(x) is instead.
    """
    jumps = {
        "spike": spike or with_derivative(heaviside, surrogate),
        "graded": with_derivative(whole_spikes, graded_surrogate),
    }
    if smooth:
        jumps["spike"] = smoothed("spike", surrogate)
        if graded_surrogate is not None:
            jumps["graded"] = smoothed("graded", graded_surrogate)

    def elementary(word: str, x: Tensor) -> Any:
        return _Elementary.apply(x, word)

    known = {word: functools.partial(elementary, word) for word in DERIVATIVES}
    return {**_EXACT, **known, **jumps}
