"""Fast statistics against their definitions, neuron by neuron."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from treplica.analysis import cv, cv2, intervals, local_variation, rates, silent_share
from treplica.coding import SpikeTrains

DENSE = hnp.arrays(np.bool_, st.tuples(st.integers(1, 30), st.integers(1, 6)))


@given(DENSE, st.sampled_from([0.1, 1.0]), st.integers(0, 5))
def test_statistics_are_their_definitions(dense: np.ndarray, dt: float, first: int) -> None:
    trains = SpikeTrains.from_dense(dense, dt, first_step=first)
    found = [np.diff(trains.of(neuron)) for neuron in range(trains.size)]
    values, ids = intervals(trains)
    assert np.allclose(values, np.concatenate(found))
    assert np.array_equal(ids, np.repeat(np.arange(trains.size), [len(one) for one in found]))
    some = [neuron for neuron, gaps in enumerate(found) if len(gaps) >= 2]
    pairs = {neuron: (found[neuron][1:], found[neuron][:-1]) for neuron in some}
    expected = {
        cv: [found[neuron].std() / found[neuron].mean() for neuron in some],
        cv2: [np.mean(2 * abs(a - b) / (a + b)) for a, b in pairs.values()],
        local_variation: [np.mean(3 * ((a - b) / (a + b)) ** 2) for a, b in pairs.values()],
    }
    for measure, wanted in expected.items():
        result = measure(trains)
        assert result.ids.tolist() == some
        assert np.allclose(result.values, wanted)
    assert np.allclose(rates(trains), dense.sum(0) / (len(dense) * dt / 1000))
    assert np.allclose(silent_share(trains), [1 - dense.mean(), 1 - dense.mean(1).max()])
