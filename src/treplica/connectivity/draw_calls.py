"""How compiled code computes the values of one row; see `calls`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.connectivity.calls import Settings, packed
from treplica.connectivity.draws import Constant, FromArray, LogNormal, Normal, Uniform
from treplica.numerics.philox import key


@dataclass(frozen=True)
class DrawCall:
    """values(settings, source, count, out, scratch, first): the values of one row, float64, written to `out`.

    All arguments are int64, the first an address as `out` and `scratch` are. first: place of the row's first synapse in
    the projection. scratch: bytes.
    """

    values: Any
    settings: Settings
    scratch: int = 0


def draw_call(draw: Any, seed: int, stream: int) -> DrawCall | None:
    """Return the call for a draw; None for one that is not of this package, which has no compiled form."""
    known: dict[type, Callable[[], DrawCall]] = {
        Constant: lambda: _of_array(np.array([draw.value]), 0),
        FromArray: lambda: _of_array(draw.array, 1),
        Normal: lambda: _of_law(draw, seed, stream),
        LogNormal: lambda: _of_law(draw, seed, stream),
        Uniform: lambda: _of_law(draw, seed, stream),
    }
    make = known.get(type(draw))  # not isinstance: a subclass may draw otherwise
    return make() if make else None


def _of_array(values: NDArray[np.float64], step: int) -> DrawCall:
    from treplica.connectivity.kernels_calls import given_call

    return DrawCall(given_call, packed(np.ascontiguousarray(values), step))


def _of_law(draw: Normal | LogNormal | Uniform, seed: int, stream: int) -> DrawCall:
    from treplica.connectivity.kernels_calls import normal_call, uniform_values_call
    from treplica.connectivity.kernels_draws import CHUNK

    settings = packed(*key(seed), stream, *draw.law())
    return DrawCall(uniform_values_call if isinstance(draw, Uniform) else normal_call, settings, 4 * CHUNK)
