"""The kernel of rare Poisson spikes: `engines.poisson.scattered`, block by block."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cfunc

from treplica.engines.cpu.intrinsics import INLINE, load, view_f32, view_i64, view_u32
from treplica.engines.cpu.kernels_sleep import wake
from treplica.engines.cpu.signature import SIGNATURE
from treplica.engines.poisson import ROUND, SCATTER
from treplica.numerics.compiled_noise import philox

#: Items of the frame of a scattered drive for one thread, whose neurons are ids[begin] to ids[end - 1].
FRAME = (
    "seed_lo", "seed_hi", "stream", "size", "begin", "end", "table", "width", "last_table", "last_width", "ids",
    "counts", "asleep",
)  # fmt: skip
_U32 = np.uint32


def _scatter(frame: int, lo: int, hi: int, step: int, _: int, __: int) -> int:
    """scatter(frame, lo, hi, step, _, __): count the spikes that reach this thread's neurons in a step."""
    f = view_i64(frame, 13)
    k0, k1, stream = _U32(f[0]), _U32(f[1]), _U32(f[2])
    size, begin, end, ids, counts, asleep = f[3], f[4], f[5], f[10], f[11], f[12]
    low, high = _U32(step), step >> 32
    for block in range(begin // SCATTER, -(-end // SCATTER)):
        word: Any = philox(_U32(block), stream, low, _U32(high), k0, k1)[0]
        first = block * SCATTER
        whole = first + SCATTER <= size
        own = SCATTER if whole else size - first
        width = f[7] if whole else f[9]
        table = view_u32(f[6] if whole else f[8], width)
        spikes = 0
        while spikes < width and table[spikes] < word:
            place = philox(_U32(block), stream, low, _U32(high + ROUND * (1 + spikes // 4)), k0, k1)
            chosen = place[0]
            if spikes & 3 == 1:
                chosen = place[1]
            elif spikes & 3 == 2:
                chosen = place[2]
            elif spikes & 3 == 3:
                chosen = place[3]
            at = first + ((np.int64(chosen) * own) >> 32)
            if begin <= at and at < end:
                neuron = load(ids, at, 8)
                place = neuron if asleep == 0 else wake(asleep, neuron)
                view_f32(counts + 4 * place, 1)[0] += np.float32(1.0)
            spikes += 1
    return 0


scatter_kernel = cfunc(SIGNATURE, cache=True, **INLINE)(_scatter)
