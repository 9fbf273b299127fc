"""The one signature by which the driver calls kernels."""

from __future__ import annotations

from numba import types

#: Six int64 in, one out; the first is the address of the kernel's frame.
SIGNATURE = types.int64(*[types.int64] * 6)
