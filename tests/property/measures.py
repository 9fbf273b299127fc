"""What statistics of intervals are, one neuron after the other."""

import numpy as np
from numpy.typing import NDArray

from treplica.analysis import cv, cv2, intervals, local_variation
from treplica.coding import SpikeTrains


def check_intervals(trains: SpikeTrains) -> NDArray[np.float64]:
    """Intervals and their irregularity are what their definitions say; the intervals."""
    found = [np.diff(trains.of(neuron)) for neuron in range(trains.size)]
    values, ids = intervals(trains)
    same = np.allclose if trains.exact is None else np.array_equal
    assert same(values, np.concatenate(found))
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
    return values
