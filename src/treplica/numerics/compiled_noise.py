"""`noise` inside compiled kernels: the same bits, sixteen lanes at a time.

Import this module inside functions only: it brings in numba. `philox`, `uniform_of`, `normal_pair` and
`uniform_word` are scalar helpers that LLVM inlines into the loops of other kernels.

Every 32-bit result is cast back at once, because numba computes in 64 bits otherwise and the loops lose half
of their lanes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from treplica.numerics import noise as definition
from treplica.numerics import philox as generator

F32, I32, U32, U64 = np.float32, np.int32, np.uint32, np.uint64

_ROUNDS = generator.ROUNDS
_M0, _M1 = generator.MULTIPLIERS
_W0, _W1 = generator.KEY_STEPS
_HALF_WORD = U64(32)
_ODD, _SIGN_SHIFT, _EXPONENT_SHIFT = U32(1), I32(31), I32(23)
_CAP = definition.LARGEST_BELOW_ONE
_WORD, _MINUS_TWO, _LN2, _ONE = definition.WORD, definition.MINUS_TWO, definition.LN2, definition.ONE
_SQRT_HALF_BITS, _QUARTER_TURN = definition.SQRT_HALF_BITS, definition.QUARTER_TURN
_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7 = definition.LOG_POLYNOMIAL
_S0, _S1, _S2, _S3, _S4 = definition.SINE_POLYNOMIAL


def _float_bits(typing_context: Any, x: Any) -> Any:
    """Return the bits of a float32 as an int32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.int32))

    return types.int32(types.float32), generate


def _bits_float(typing_context: Any, bits: Any) -> Any:
    """Return the float32 with these bits (an int32)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return types.float32(types.int32), generate


float_bits: Any = intrinsic(_float_bits)
bits_float: Any = intrinsic(_bits_float)


@njit(error_model="numpy", inline="always")
def philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """Return the four words of one counter under one key; every argument must be uint32."""
    for _ in range(_ROUNDS):
        p0 = U64(c0) * _M0
        p1 = U64(c2) * _M1
        c0, c1, c2, c3 = (
            U32(U32(p1 >> _HALF_WORD) ^ c1 ^ k0), U32(p1), U32(U32(p0 >> _HALF_WORD) ^ c3 ^ k1), U32(p0)
        )  # fmt: skip
        k0 = U32(k0 + _W0)
        k1 = U32(k1 + _W1)
    return c0, c1, c2, c3


@njit(error_model="numpy", forceinline=True)
def uniform_of(word: Any) -> Any:
    """Return the float32 of [0, 1) that a word stands for."""
    return F32(U32(word if word < _CAP else _CAP)) * _WORD


@njit(error_model="numpy", forceinline=True)
def uniform_word(seed_lo: Any, seed_hi: Any, index: Any, stream: Any, a: Any, b: Any) -> Any:
    """Return the first word of the counter (index, stream, a, b): uint32."""
    return philox(U32(index), U32(stream), U32(a), U32(b), U32(seed_lo), U32(seed_hi))[0]


@njit(error_model="numpy", forceinline=True)
def _log_positive(x: Any) -> Any:
    bits = float_bits(x)
    exponent = I32(I32(bits - _SQRT_HALF_BITS) >> _EXPONENT_SHIFT)
    f = bits_float(I32(bits - I32(exponent << _EXPONENT_SHIFT))) - _ONE
    q = ((((((_L7 * f + _L6) * f + _L5) * f + _L4) * f + _L3) * f + _L2) * f + _L1) * f + _L0
    return F32(exponent) * _LN2 + (f + f * f * q)


@njit(error_model="numpy", forceinline=True)
def _sine_of_turns(angle: Any) -> Any:
    x = F32(angle) * _WORD
    y = x * x
    return x * ((((_S4 * y + _S3) * y + _S2) * y + _S1) * y + _S0)


@njit(error_model="numpy", inline="always")
def normal_pair(radius_word: Any, angle_word: Any) -> Any:
    """Return the two standard normal float32 numbers that two words give."""
    u = F32(U32(radius_word | _ODD)) * _WORD
    radius = np.sqrt(_MINUS_TWO * _log_positive(u))
    angle = I32(angle_word)
    sign = I32(angle >> _SIGN_SHIFT)
    cosine_turns = I32(_QUARTER_TURN - I32(angle ^ sign))
    folded = I32(cosine_turns ^ I32(cosine_turns >> _SIGN_SHIFT))
    sine_turns = I32(I32(_QUARTER_TURN - folded) ^ sign)
    return radius * _sine_of_turns(cosine_turns), radius * _sine_of_turns(sine_turns)


@njit(error_model="numpy", nogil=True)
def _whole_words(seed_lo: Any, seed_hi: Any, stream: Any, step: Any, first: int, out: Any) -> None:
    k0, k1, s, low, high = U32(seed_lo), U32(seed_hi), U32(stream), U32(step), U32(U64(step) >> _HALF_WORD)
    counter = U32(first >> 2)
    for i in range(out.shape[0] // 64):
        block = out[64 * i : 64 * i + 64]
        for lane in range(16):
            w0, w1, w2, w3 = philox(U32(counter + U32(lane)), s, low, high, k0, k1)
            block[lane], block[lane + 16], block[lane + 32], block[lane + 48] = w0, w1, w2, w3
        counter = U32(counter + U32(16))


@njit(error_model="numpy", nogil=True)
def _whole_uniform(seed_lo: Any, seed_hi: Any, stream: Any, step: Any, first: int, out: Any) -> None:
    k0, k1, s, low, high = U32(seed_lo), U32(seed_hi), U32(stream), U32(step), U32(U64(step) >> _HALF_WORD)
    counter = U32(first >> 2)
    for i in range(out.shape[0] // 64):
        block = out[64 * i : 64 * i + 64]
        for lane in range(16):
            w0, w1, w2, w3 = philox(U32(counter + U32(lane)), s, low, high, k0, k1)
            block[lane], block[lane + 16] = uniform_of(w0), uniform_of(w1)
            block[lane + 32], block[lane + 48] = uniform_of(w2), uniform_of(w3)
        counter = U32(counter + U32(16))


@njit(error_model="numpy", nogil=True)
def _whole_normal(seed_lo: Any, seed_hi: Any, stream: Any, step: Any, first: int, out: Any) -> None:
    k0, k1, s, low, high = U32(seed_lo), U32(seed_hi), U32(stream), U32(step), U32(U64(step) >> _HALF_WORD)
    counter = U32(first >> 2)
    for i in range(out.shape[0] // 64):
        block = out[64 * i : 64 * i + 64]
        for lane in range(16):
            w0, w1, w2, w3 = philox(U32(counter + U32(lane)), s, low, high, k0, k1)
            block[lane], block[lane + 16] = normal_pair(w0, w1)
            block[lane + 32], block[lane + 48] = normal_pair(w2, w3)
        counter = U32(counter + U32(16))


# Below, `first` must be a multiple of 64 and `out` contiguous. What is left over after the whole blocks goes
# through one more block; in one function with its remainder, the loop is compiled to be half as fast.


@njit(error_model="numpy", nogil=True, cache=True)
def fill_words(seed_lo: Any, seed_hi: Any, stream: Any, step: Any, first: int, out: Any) -> None:
    """Write the words of the ids first, first + 1, ... to `out` (uint32)."""
    whole = out.shape[0] & ~63
    _whole_words(seed_lo, seed_hi, stream, step, first, out)
    if whole < out.shape[0]:
        rest = np.empty(64, out.dtype)
        _whole_words(seed_lo, seed_hi, stream, step, first + whole, rest)
        out[whole:] = rest[: out.shape[0] - whole]


@njit(error_model="numpy", nogil=True, cache=True)
def fill_uniform(seed_lo: Any, seed_hi: Any, stream: Any, step: Any, first: int, out: Any) -> None:
    """Write uniform numbers of [0, 1) for the ids first, first + 1, ... to `out` (float32)."""
    whole = out.shape[0] & ~63
    _whole_uniform(seed_lo, seed_hi, stream, step, first, out)
    if whole < out.shape[0]:
        rest = np.empty(64, out.dtype)
        _whole_uniform(seed_lo, seed_hi, stream, step, first + whole, rest)
        out[whole:] = rest[: out.shape[0] - whole]


@njit(error_model="numpy", nogil=True, cache=True)
def fill_normal(seed_lo: Any, seed_hi: Any, stream: Any, step: Any, first: int, out: Any) -> None:
    """Write standard normal numbers for the ids first, first + 1, ... to `out` (float32)."""
    whole = out.shape[0] & ~63
    _whole_normal(seed_lo, seed_hi, stream, step, first, out)
    if whole < out.shape[0]:
        rest = np.empty(64, out.dtype)
        _whole_normal(seed_lo, seed_hi, stream, step, first + whole, rest)
        out[whole:] = rest[: out.shape[0] - whole]
