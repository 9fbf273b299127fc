"""Rates of a recorded network against those its authors published beside it."""

import numpy as np
import pytest
from support import shared_data

from treplica.analysis import rates
from treplica.coding import read_spikes


@pytest.mark.parametrize("population", range(8))
def test_rates_of_the_cortical_microcircuit(population: int) -> None:
    """10 % of the Potjans-Diesmann network in NEST: spikes in 500 … 1500 ms, and one rate per neuron."""
    folder = shared_data("potjans_diesmann", "PyNEST", "reference_data")
    first, last = np.loadtxt(folder / "population_nodeids.dat", int)[population]
    trains = read_spikes(
        folder / f"spike_recorder-{7718 + population}-0.dat",
        dt=0.1, size=int(last - first + 1), duration=1500.0, first_id=int(first),
    )  # fmt: skip
    published = np.loadtxt(folder / f"rate{population}.dat")
    assert len(trains) > 500
    assert rates(trains, start=500.0, stop=1500.0).tolist() == published.tolist()
