"""Kernels on the threads that PyTorch computes with.

PyTorch's OpenMP threads wait actively for some milliseconds after each of its own loops, so a second set of threads
would share the cores with them. On Linux a kernel therefore runs inside a parallel region of the very library that
PyTorch has loaded; elsewhere on threads of its own.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

_MAPS = Path("/proc/self/maps")


def run(address: int, frame: NDArray[np.int64], threads: int) -> None:
    """Call the kernel at `address` with the address of its frame, once on each of `threads` threads."""
    if threads == 1:
        _kernel(address)(frame.ctypes.data)
        return
    _on_threads()(address, frame.ctypes.data, threads)


def threads_for(chunks: int) -> int:
    """How many threads a kernel of so many chunks uses: PyTorch's number, unless there are fewer chunks."""
    available: int = torch.get_num_threads()
    return max(1, min(available, chunks))


@cache
def _kernel(address: int) -> Callable[[int], None]:
    return ctypes.CFUNCTYPE(None, ctypes.c_int64)(address)


@cache
def _on_threads() -> Callable[[int, int, int], None]:
    library = _openmp()
    if library is None:
        pool = ThreadPoolExecutor(thread_name_prefix="treplica")

        def on_own(address: int, frame: int, threads: int) -> None:
            for done in [pool.submit(_kernel(address), frame) for _ in range(threads)]:
                done.result()

        return on_own
    parallel = library.GOMP_parallel
    parallel.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
    parallel.restype = None

    def on_openmp(address: int, frame: int, threads: int) -> None:
        parallel(address, frame, threads, 0)

    return on_openmp


def _openmp() -> ctypes.CDLL | None:
    """The OpenMP library of this process, if it is GNU's (which has the entry `GOMP_parallel`)."""
    torch.get_num_threads()  # it is loaded with PyTorch
    if not _MAPS.exists():
        return None
    loaded = {line.split()[-1] for line in _MAPS.read_text().splitlines() if "gomp" in line}
    own = str(Path(torch.__file__).parent)
    for path in sorted(loaded, key=lambda p: not p.startswith(own)):
        library = ctypes.CDLL(path)
        if hasattr(library, "GOMP_parallel"):
            return library
    return None
