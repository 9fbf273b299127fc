"""Poisson drives as tables: one random word gives the number of spikes of a step by inversion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from treplica.engines.composition import PoissonDrive
from treplica.errors import InvalidValue
from treplica.model.vocabulary import exp
from treplica.network import PoissonInput
from treplica.numerics.philox import stream_id

MOST_RATES, MOST_SPIKES = 255, 100.0


def poisson_drive(
    name: str, drive: PoissonInput, port: int, ids: NDArray[np.int64], size: int, dt: float
) -> PoissonDrive:
    """The drive of neurons `ids` of a population of `size`."""
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
    stream = int(stream_id(f"{name}/poisson"))
    return PoissonDrive(name, port, stream, float(drive.weight), classes, padded.astype(np.uint32))


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
