"""The vocabulary of models as expressions of Triton, each rounded as on a CPU."""

from __future__ import annotations

from collections.abc import Sequence

import torch

#: Words as expressions. `-x` of Triton is 0 - x, which loses the sign of 0. In float32 its `/` and `sqrt` are
#: approximate, and its `floor` takes what is smaller than any normal number for 0. Literals here are exact.
_WORDS = {
    **{word: f"{{0}} {word} {{1}}" for word in ("+", "-", "*", "&", "|", "<", "<=", ">", ">=", "==", "!=")},
    "neg": "{0} * -1.0",
    "number": "{0}",
    "hold": "{0}",
    "where": "tl.where({0}, {1}, {2})",
    "minimum": "tl.where({0} < {1}, {0}, {1})",
    "maximum": "tl.where({0} > {1}, {0}, {1})",
    "absolute": "tl.abs({0})",
    "spike": "({0} >= 0.0).to({real})",
    "graded": "tl.where({0} > 0.0, tl.floor({0}), 0.0)",
    "pow2": "tl.where({0} == {0}, ((tl.where({0} == {0}, {0}, 0.0).to({whole}) + {bias}) << {fraction})"
    ".to({real}, bitcast=True), {0})",
    "mantissa": "(({0}.to({whole}, bitcast=True) & {low}) | {half}).to({real}, bitcast=True)",
    "exponent": "(({0}.to({whole}, bitcast=True) >> {fraction}) - {below}).to({real})",
}
_OF_TYPE = {
    torch.float32: {
        **_WORDS,
        "/": "tl.math.div_rn({0}, {1})",
        "sqrt": "tl.math.sqrt_rn({0})",
        "floor": "tl.where(({0} < 0.0) & (tl.floor({0}) == 0.0), -1.0, tl.floor({0}))",
    },
    torch.float64: {**_WORDS, "/": "{0} / {1}", "sqrt": "tl.math.sqrt({0})", "floor": "tl.floor({0})"},
}


def _bits(real: str, whole: str, fraction: int, bias: int) -> dict[str, object]:
    """The bits of an IEEE float type, by the names that `_WORDS` has for them."""
    low, half = (1 << fraction) - 1, (bias - 1) << fraction
    return dict(real=real, whole=whole, fraction=fraction, bias=bias, low=low, half=half, below=bias - 1)


_BITS = {
    torch.float32: _bits("tl.float32", "tl.int32", 23, 127),
    torch.float64: _bits("tl.float64", "tl.int64", 52, 1023),
}

#: The working types.
REAL = {dtype: bits["real"] for dtype, bits in _BITS.items()}


def expression(dtype: torch.dtype, word: str, of: Sequence[str]) -> str:
    """A word of some variables; all but the elementary functions, see `lowering.flattened`."""
    return _OF_TYPE[dtype][word].format(*of, **_BITS[dtype])
