"""The kernel of rare Poisson spikes: `engines.poisson.scattered`, block by block."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cfunc, njit

from treplica.engines.cpu.intrinsics import INLINE, load, view_f32, view_i32, view_i64, view_u32
from treplica.engines.cpu.kernels_sleep import BATCH, wake_all
from treplica.engines.cpu.signature import SIGNATURE
from treplica.engines.poisson import ROUND
from treplica.numerics.compiled_noise import philox

#: Items of the frame of a scattered drive for one thread, whose neurons are ids[begin] to ids[end - 1].
FRAME = (
    "seed_lo", "seed_hi", "stream", "size", "begin", "end", "table", "width", "last_table", "last_width", "ids",
    "counts", "asleep", "block",
)  # fmt: skip
_U32 = np.uint32


@njit(**INLINE)
def _add(ids: int, count: int, counts: int, asleep: int) -> None:
    """Count spikes that reach neurons, int32[count]; the ids become positions where the population sleeps."""
    if asleep != 0:
        wake_all(asleep, ids, count)
    for k in range(count):
        view_f32(counts + 4 * load(ids, k, 4), 1)[0] += np.float32(1.0)


@njit(**INLINE)
def _place(block: int, stream: Any, low: Any, high: int, spike: int, k0: Any, k1: Any) -> Any:
    """The word that says which neuron of a block a spike reaches."""
    words = philox(_U32(block), stream, low, _U32(high + ROUND * (1 + spike // 4)), k0, k1)
    which = spike & 3
    return words[0] if which == 0 else words[1] if which == 1 else words[2] if which == 2 else words[3]


def _scatter(frame: int, lo: int, hi: int, step: int, scratch: int, _: int) -> int:
    """scatter(frame, lo, hi, step, scratch, _): count the spikes that reach this thread's neurons in a step."""
    f = view_i64(frame, 14)
    k0, k1, stream = _U32(f[0]), _U32(f[1]), _U32(f[2])
    size, begin, end, ids, counts, asleep = f[3], f[4], f[5], f[10], f[11], f[12]
    low, high = _U32(step), step >> 32
    size_of_block = f[13]
    reached, found = view_i32(scratch, BATCH), 0
    for block in range(begin // size_of_block, -(-end // size_of_block)):
        word: Any = philox(_U32(block), stream, low, _U32(high), k0, k1)[0]
        first = block * size_of_block
        whole = first + size_of_block <= size
        own = size_of_block if whole else size - first
        width = f[7] if whole else f[9]
        table = view_u32(f[6] if whole else f[8], width)
        spikes = 0
        while spikes < width and table[spikes] < word:
            at = first + ((np.int64(_place(block, stream, low, high, spikes, k0, k1)) * own) >> 32)
            spikes += 1
            if begin <= at and at < end:
                reached[found] = np.int32(load(ids, at, 8))
                found += 1
                if found == BATCH:
                    _add(scratch, found, counts, asleep)
                    found = 0
    _add(scratch, found, counts, asleep)
    return 0


scatter_kernel: Any = cfunc(SIGNATURE, cache=True, **INLINE)(_scatter)
