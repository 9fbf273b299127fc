"""Poisson drives as tables: one random word gives the number of spikes of a step by inversion.

Where spikes are rare, one word gives the number for a block of neurons, and one more for each spike says which neuron
it reaches: what independent Poisson spikes of single neurons look like from the side of the block. Blocks are as large
as gives a few spikes in each, so that the work is that of the spikes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from treplica.engines.composition import PoissonDrive, ScatteredDrive
from treplica.errors import InvalidValue
from treplica.model.vocabulary import exp
from treplica.network import PoissonInput
from treplica.numerics.philox import key, philox4x32, split64, stream_id

MOST_RATES, MOST_SPIKES = 255, 100.0
#: Neurons of a block, at least and at most, and the spikes per neuron and step up to which they are counted by block.
SCATTER, LARGEST_SCATTER, RARE = 1024, 1 << 20, 1.0 / 128.0
#: Spikes in a block on average that blocks are not made larger for.
FEW_SPIKES = 4.0
#: Which words of a step belong to what: the high word of the step is less than this.
ROUND = 1 << 24


def poisson_drive(
    name: str, drive: PoissonInput, port: int, ids: NDArray[np.int64], size: int, dt: float
) -> PoissonDrive | ScatteredDrive:
    """The drive of neurons `ids` of a population of `size`."""
    stream = int(stream_id(f"{name}/poisson"))
    if np.ndim(drive.rate) == 0 and float(drive.rate) * dt / 1000.0 <= RARE:
        mean = float(drive.rate) * dt / 1000.0
        block = SCATTER
        while block < LARGEST_SCATTER and 2 * block * mean <= FEW_SPIKES:
            block *= 2
        whole, rest = (np.array(_table(name, n * mean), np.uint32) for n in (block, ids.size % block))
        return ScatteredDrive(name, port, stream, float(drive.weight), ids, drive.rate, block, (whole, rest))
    rates, inverse = np.unique(np.atleast_1d(np.asarray(drive.rate, dtype=np.float64)), return_inverse=True)
    if rates.size > MOST_RATES:
        advice = "Use a population of PoissonSource neurons for a rate of its own for each neuron."
        raise InvalidValue(
            f"{name}: PoissonInput.rate", rates.size, f"at most {MOST_RATES} different rates", advice
        )
    tables = [_table(name, float(r) * dt / 1000.0) for r in rates]
    width = max((len(t) for t in tables), default=0) or 1
    padded = np.full((rates.size + 1, width), 2**32 - 1, dtype=np.uint64)
    for row, table in enumerate(tables, start=1):
        padded[row, : len(table)] = table
    classes = np.zeros(size, dtype=np.uint8)
    classes[ids] = np.broadcast_to(inverse + 1, ids.size)
    weight, kept = float(drive.weight), padded.astype(np.uint32)
    return PoissonDrive(name, port, stream, weight, classes, kept, ids, drive.rate)


def _table(name: str, mean: float) -> list[int]:
    """Cumulative probabilities of 0, 1, 2, ... spikes times 2^32, less 1, until the rest is below 2^-32."""
    if mean > MOST_SPIKES:
        advice = "Use a smaller dt, or a GaussianCurrent with the same mean and variance."
        raise InvalidValue(f"{name}: spikes per step and neuron", mean, f"at most {MOST_SPIKES:g}", advice)
    term = total = float(exp(-mean))
    table, k = [], 0
    while total < 1.0 - 2.0**-32 and k < 1000:
        table.append(min(max(round(total * 2.0**32) - 1, 0), 2**32 - 1))
        k += 1
        term *= mean / k
        total += term
    return table


def scattered(drive: ScatteredDrive, seed: int, step: int) -> NDArray[np.int64]:
    """The neurons that spikes of a step reach, one id for each spike.

    Block b is the neurons `ids[b n]` to `ids[b n + n - 1]` for blocks of n. The number of its spikes is how
    many thresholds of its table are below word 0 of the Philox counter (b, stream, step). Spike k reaches the
    neuron word * n / 2^32 of the n in the block, for word k mod 4 of the counter (b, stream, step + 2^56 (1 + k
    // 4)).
    """
    low, high = split64(step)
    reached = []
    blocks = np.arange(-(-drive.ids.size // drive.block))
    counting = philox4x32(blocks, drive.stream, low, high, *key(seed))[0]
    for block, word in zip(blocks.tolist(), counting, strict=True):
        own = drive.ids[block * drive.block : (block + 1) * drive.block]
        for k in range(int((drive.tables[own.size < drive.block] < word).sum())):
            place = philox4x32(block, drive.stream, low, int(high) + ROUND * (1 + k // 4), *key(seed))[k % 4]
            reached.append(own[int(place[0]) * own.size >> 32])
    return np.array(reached, dtype=np.int64)
