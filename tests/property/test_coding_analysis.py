"""Fast statistics against their definitions, neuron by neuron."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from measures import check_intervals

from treplica.analysis import rates, silent_share
from treplica.coding import SpikeTrains

DENSE = hnp.arrays(np.bool_, st.tuples(st.integers(1, 30), st.integers(1, 6)))


@given(DENSE, st.sampled_from([0.1, 1.0]), st.integers(0, 5))
def test_statistics_are_their_definitions(dense: np.ndarray, dt: float, first: int) -> None:
    trains = SpikeTrains.from_dense(dense, dt, first_step=first)
    check_intervals(trains)
    assert np.allclose(rates(trains), dense.sum(0) / (len(dense) * dt / 1000))
    assert np.allclose(silent_share(trains), [1 - dense.mean(), 1 - dense.mean(1).max()])
