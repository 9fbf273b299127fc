"""The kernel that delivers packed words.

In each step every spike in flight whose next group of delays begins delivers the run of words of that group. Runs
lie anywhere in memory: they are listed first and asked for some runs before they are read, which hides the latency of
main memory.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from numba import cfunc

from treplica.engines.cpu.deliver import sent_events
from treplica.engines.cpu.intrinsics import INLINE, accumulate, load, prefetch, view_i64
from treplica.engines.cpu.signature import SIGNATURE

#: Runs that are listed at once, and how many runs ahead words are asked for.
RUNS, AHEAD = 1024, 3
#: Bytes of scratch for the list: begin, end and value of every run, and of AHEAD empty ones.
LIST_BYTES = 3 * 8 * (RUNS + AHEAD)
#: Items of the frame. width: entries of a row of offsets; run: the first of this thread's in it; arrivals: of the
#: thread, in slot 0; slot_bits: of these words; weight: in units, if they hold none.
PACKED_FRAME = (
    "source", "first", "rows", "starts", "offsets", "width", "run", "blocks", "groups", "shortest", "bits",
    "slot_bits", "words", "weight", "arrivals", "slots",
)  # fmt: skip


@cache
def packed_kernel(word: int, drawn: bool, total: int, graded: bool) -> Any:
    """packed(frame, board, step, row, thread, scratch) for words and accumulators of so many bytes.

    drawn: whether words hold weights. graded: whether spikes have values.
    """
    width = word if drawn or word == 8 else -word  # words without weights are not signed

    def packed(frame: int, board: int, step: int, row: int, thread: int, runs: int) -> int:
        f = view_i64(frame, 16)
        b = view_i64(board, 8)
        # Locals, because LLVM must assume that a store into the accumulators changes the frame.
        source, first, rows, starts, offsets, per_row = f[0], f[1], f[2], f[3], f[4], f[5]
        groups, slot_bits, words, weight = f[8], f[11], f[12], f[13]
        counts, begins, threads = b[0], b[1], b[7]
        shift = ((step + 1) & (f[15] - 1)) << f[10]
        above = f[10] + slot_bits
        keep, mask = (1 << above) - 1, (f[15] << f[10]) - 1
        sent = sent_events(board, source, row, thread, first, rows, starts)
        for block in range(f[7]):
            arrivals = f[14] + (block << f[10]) * total
            run = f[6] + block * groups
            g, t, s, count, ids, values = 0, -1, 0, 0, 0, 0
            while g < groups:
                listed = 0
                while listed < RUNS:
                    if s == count:
                        t, s = t + 1, 0
                        if t == threads:
                            t, g = 0, g + 1
                            if g == groups:
                                break
                        at = ((row + 1 - f[9] - (g << slot_bits)) * b[6] + source) * threads + t
                        count = load(counts, at, 8)
                        ids = load(b[2], source * threads + t, 8) + 4 * load(begins, at, 8)
                        values = ids + load(b[3], source * threads + t, 8)
                        continue
                    r = load(ids, s, 4) - first
                    s += 1
                    if r < 0 or r >= rows:
                        continue
                    place = r * per_row + run + g
                    low, high = load(offsets, place, 4), load(offsets, place + 1, 4)
                    if low < high:
                        start = words + load(starts, r, 8) * word
                        item = view_i64(runs + listed * 24, 3)
                        item[0], item[1] = start + low * word, start + high * word
                        if graded:
                            item[2] = load(values, s - 1, 4)
                        listed += 1
                for i in range(listed, listed + AHEAD):
                    item = view_i64(runs + i * 24, 3)
                    item[0], item[1] = 0, 0
                for i in range(-AHEAD, listed):
                    next_begin, next_end = load(runs, 3 * (i + AHEAD), 8), load(runs, 3 * (i + AHEAD) + 1, 8)
                    for line in range(next_begin >> 6, (next_end + 63) >> 6):
                        prefetch(line << 6)
                    if i < 0:
                        continue
                    begin = load(runs, 3 * i, 8)
                    length = (load(runs, 3 * i + 1, 8) - begin) // word
                    for j in range(length):
                        w = load(begin, j, width)
                        amount = w >> above if drawn else weight
                        if graded:
                            amount *= load(runs, 3 * i + 2, 8)
                        accumulate(arrivals, ((w & keep) + shift) & mask, total, amount)
        view_i64(b[5], threads)[thread] += sent
        return 0

    return cfunc(SIGNATURE, cache=True, **INLINE)(packed)
