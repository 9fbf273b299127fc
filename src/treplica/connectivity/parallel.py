"""Ranges of rows on several threads: the kernels release the interpreter lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt

_inside = threading.local()


def available_threads() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def even_bounds(count: int, step: int) -> npt.NDArray[np.int64]:
    """Return bounds 0, step, 2 step, ..., count."""
    return np.append(np.arange(0, count, step, dtype=np.int64), count)


def run_ranges(
    work: Callable[[int, int], None], bounds: npt.NDArray[np.int64], threads: int | None = None
) -> None:
    """Call work(bounds[i], bounds[i + 1]) for every i on several threads; the first error is raised again.

    Within such a call there are threads enough: what it calls in turn runs on its own.
    """
    ranges = [(int(first), int(last)) for first, last in pairwise(bounds)]
    workers = 1 if getattr(_inside, "busy", False) else min(threads or available_threads(), len(ranges))
    if workers <= 1:
        for first, last in ranges:
            work(first, last)
        return
    with ThreadPoolExecutor(workers, initializer=_enter) as pool:
        for done in [pool.submit(work, first, last) for first, last in ranges]:
            done.result()


def _enter() -> None:
    _inside.busy = True
