"""Per-neuron noise as a pure function of (seed, stream, step, id). This is the definition.

Ids are grouped in blocks of 64. Id i has block i // 64, output j = (i % 64) // 16 and lane i % 16; its word
is output j of Philox under the counter (16 * block + lane, stream, low word of step, high word of step). So
four outputs of sixteen neighbouring counters fill a block, which is what vector units like best.

Values are float32 and come from elementary IEEE operations in a fixed order, so that every engine computes
the same bits: no fused multiply-add, no library logarithm or cosine. Measured errors:

- `log_positive`: relative error below 1.3e-7 for x from 2**-32 to 1;
- `sine_of_turns`: absolute error below 2.1e-7;
- `normal`: within 3e-7 radii, so 2e-6, of what exact arithmetic makes of the same words.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from treplica.errors import InvalidValue
from treplica.numerics.philox import Words, key, philox4x32, split64

Floats = npt.NDArray[np.float32]

BLOCK = 64
LANES = 16

WORD = np.float32(2.0**-32)
LARGEST_BELOW_ONE = np.uint32(0xFFFFFF7F)  # larger words would round to 2**32, which gives 1
MINUS_TWO = np.float32(-2.0)
LN2 = np.float32(0.6931471805599453)
ONE = np.float32(1.0)
SQRT_HALF_BITS = np.int32(0x3F3504F3)  # the bits of sqrt(1/2): where the mantissa's interval begins
QUARTER_TURN = np.int32(0x3FFFFFFF)
LARGEST_NORMAL = 6.67  # no normal number is larger: sqrt(2 log 2**32) is 6.6604

# log(1 + f) = f + f**2 Q(f) for f from sqrt(1/2) - 1 to sqrt(2) - 1; minimax in relative error (2.2e-8).
LOG_POLYNOMIAL: tuple[np.float32, ...] = tuple(
    np.float32(c)
    for c in (
        -0.4999996682901578, 0.3333406429169234, -0.25002652431986755, 0.19958595726263306,
        -0.1655686431602352, 0.1494196029731232, -0.14387522872668396, 0.08752642123603928,
    )
)  # fmt: skip
# sin(2 pi x) = x S(x**2) for x from -1/4 to 1/4; minimax in absolute error (6e-9).
SINE_POLYNOMIAL: tuple[np.float32, ...] = tuple(
    np.float32(c)
    for c in (
        6.283185306953964,
        -41.34170084453643,
        81.60374473810293,
        -76.60735862908946,
        39.933467773864955,
    )
)


def words(seed: int, stream: int, step: int, first: int, last: int) -> Words:
    """Return the random words of the ids first..last-1 in one step: uint32, shape (last - first,).

    Raises `InvalidValue` for a seed or step outside 0..2**64-1 and ids outside 0 <= first <= last <= 2**34.
    """
    blocks, skip = _blocks(seed, stream, step, first, last)
    return blocks.reshape(-1)[skip : skip + last - first]


def uniform(seed: int, stream: int, step: int, first: int, last: int) -> Floats:
    """Return uniform numbers of [0, 1) for the ids first..last-1: float32, shape (last - first,).

    The word, rounded to float32 and capped below 1, times 2**-32. Raises like `words`.
    """
    capped = np.minimum(words(seed, stream, step, first, last), LARGEST_BELOW_ONE)
    return capped.astype(np.float32) * WORD


def normal(seed: int, stream: int, step: int, first: int, last: int) -> Floats:
    """Return standard normal numbers for the ids first..last-1: float32, shape (last - first,).

    Box & Muller 1958, doi:10.1214/aoms/1177706645, on the outputs (0, 1) and (2, 3) of each counter: the even
    one gives the radius, the odd one the angle; the cosine goes to the even id, the sine to the odd one.
    Raises like `words`.
    """
    blocks, skip = _blocks(seed, stream, step, first, last)
    values = np.empty(blocks.shape, dtype=np.float32)
    for even in (0, 2):
        values[:, even], values[:, even + 1] = normal_pair(blocks[:, even], blocks[:, even + 1])
    return values.reshape(-1)[skip : skip + last - first]


def normal_pair(radius_word: Words, angle_word: Words) -> tuple[Floats, Floats]:
    """Return the two normal numbers that two words give (same shape, float32).

    The angle is the signed angle word plus one half, in 2**-32 turns, reflected exactly in integers into the
    quarter turn where the sine polynomial holds; the half is the same everywhere and is dropped.
    """
    u = (radius_word | np.uint32(1)).astype(np.float32) * WORD
    radius = np.sqrt(MINUS_TWO * log_positive(u))
    angle = angle_word.astype(np.int32)
    sign = angle >> np.int32(31)
    cosine_turns = QUARTER_TURN - (angle ^ sign)
    sine_turns = (QUARTER_TURN - (cosine_turns ^ (cosine_turns >> np.int32(31)))) ^ sign
    return radius * sine_of_turns(cosine_turns), radius * sine_of_turns(sine_turns)


def log_positive(x: Floats) -> Floats:
    """Return the natural logarithm of positive, normal float32 numbers (same shape)."""
    bits = x.view(np.int32)
    exponent = (bits - SQRT_HALF_BITS) >> np.int32(23)
    f: Floats = (bits - (exponent << np.int32(23))).view(np.float32) - ONE
    whole: Floats = exponent.astype(np.float32) * LN2
    return whole + (f + f * f * _horner(LOG_POLYNOMIAL, f))


def sine_of_turns(angle: npt.NDArray[np.int32]) -> Floats:
    """Return sin(2 pi angle / 2**32) for integers within a quarter turn, -2**30 to 2**30 (same shape)."""
    x = angle.astype(np.float32) * WORD
    return x * _horner(SINE_POLYNOMIAL, x * x)


def _horner(coefficients: tuple[np.float32, ...], x: Floats) -> Floats:
    """Return the polynomial with these coefficients, lowest first."""
    total: Any = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return np.asarray(total, dtype=np.float32)


def _blocks(seed: int, stream: int, step: int, first: int, last: int) -> tuple[Words, int]:
    """Return the words of the blocks around the ids first..last-1, shape (blocks, 4, 16), and first % 64."""
    if not 0 <= step < 2**64:
        raise InvalidValue("step", step, "a whole number from 0 to 2**64 - 1")
    if not 0 <= first <= last <= 2**34:
        raise InvalidValue("the range of ids (first, last)", (first, last), "0 <= first <= last <= 2**34")
    begin = first // BLOCK
    end = max(begin, -(-last // BLOCK))
    counters = np.arange(begin * LANES, end * LANES, dtype=np.int64).astype(np.uint32)
    outputs = philox4x32(counters, np.uint32(stream), *split64(step), *key(seed))
    return np.stack([output.reshape(-1, LANES) for output in outputs], axis=1), first % BLOCK
