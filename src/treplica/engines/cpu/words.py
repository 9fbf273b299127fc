"""The vocabulary for compiled code, as generated kernels import it: exact, branch-free, vectorisable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from treplica.engines.cpu.intrinsics import INLINE, absolute, floor, select, sqrt

__all__ = [
    "absolute",
    "exponent",
    "floor",
    "graded",
    "hold",
    "inlined",
    "mantissa",
    "maximum",
    "minimum",
    "pow2",
    "spike",
    "sqrt",
    "where",
]

where = select
#: Every function of a model ends up in the loop over neurons: LLVM vectorises no loop with a call in it, and would
#: not inline large ones by itself.
inlined = njit(forceinline=True, **INLINE)


@inlined
def hold(x: Any) -> Any:
    """`x` itself."""
    return x


@inlined
def minimum(a: Any, b: Any) -> Any:
    """The smaller of two; `b` where they do not compare."""
    return select(a < b, a, b)


@inlined
def maximum(a: Any, b: Any) -> Any:
    """The larger of two; `b` where they do not compare."""
    return select(a > b, a, b)


class _Layout:
    """The bits of an IEEE float type."""

    def __init__(self, width: int, fraction: int, bias: int) -> None:
        self.width, self.fraction, self.bias = width, fraction, bias
        self.int = ir.IntType(width)
        self.float = ir.DoubleType() if width == 64 else ir.FloatType()
        self.whole = 1.5 * 2.0**fraction  # adding it leaves a small whole number in the low bits
        self.offset = 2.0**fraction

    def number(self, value: int) -> Any:
        """An integer constant of this width."""
        return ir.Constant(self.int, value)


_LAYOUTS = {types.float64: _Layout(64, 52, 1023), types.float32: _Layout(32, 23, 127)}


def _bitwise(build: Callable[[Any, Any, _Layout], Any]) -> Any:
    """A word defined by what it does to the bits of its argument."""

    def typer(typingctx: Any, x: Any) -> Any:
        if x not in _LAYOUTS:
            return None

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return build(builder, args[0], _LAYOUTS[x])

        return x(x), codegen

    typer.__name__ = build.__name__
    return intrinsic(typer)


@_bitwise
def spike(builder: Any, x: Any, layout: _Layout) -> Any:
    """1 where x >= 0, else 0."""
    reached = builder.fcmp_ordered(">=", x, ir.Constant(layout.float, 0.0))
    return builder.select(reached, ir.Constant(layout.float, 1.0), ir.Constant(layout.float, 0.0))


@_bitwise
def graded(builder: Any, x: Any, layout: _Layout) -> Any:
    """floor(x) where x > 0, else 0."""
    function = builder.module.declare_intrinsic("llvm.floor", [layout.float])
    some = builder.fcmp_ordered(">", x, ir.Constant(layout.float, 0.0))
    return builder.select(some, builder.call(function, [x]), ir.Constant(layout.float, 0.0))


@_bitwise
def pow2(builder: Any, k: Any, layout: _Layout) -> Any:
    """2**k for whole k: the number's low bits become the exponent."""
    shifted = builder.bitcast(builder.fadd(k, ir.Constant(layout.float, layout.whole)), layout.int)
    biased = builder.add(shifted, layout.number(layout.bias))
    power = builder.bitcast(builder.shl(biased, layout.number(layout.fraction)), layout.float)
    return builder.select(builder.fcmp_unordered("uno", k, k), k, power)


@_bitwise
def mantissa(builder: Any, x: Any, layout: _Layout) -> Any:
    """The m in [0.5, 1) of x = m * 2**e for normal x > 0."""
    low = builder.and_(builder.bitcast(x, layout.int), layout.number((1 << layout.fraction) - 1))
    return builder.bitcast(
        builder.or_(low, layout.number((layout.bias - 1) << layout.fraction)), layout.float
    )


@_bitwise
def exponent(builder: Any, x: Any, layout: _Layout) -> Any:
    """The e of x = m * 2**e for normal x > 0, as a float built from bits: no conversion instruction."""
    biased = builder.lshr(builder.bitcast(x, layout.int), layout.number(layout.fraction))
    offset = layout.number((layout.bias + layout.fraction) << layout.fraction)
    whole = builder.bitcast(builder.or_(biased, offset), layout.float)
    return builder.fsub(whole, ir.Constant(layout.float, layout.offset + layout.bias - 1))
