"""Exact spike times: what holds for steps holds for them, and nothing on the way changes one."""

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from measures import check_intervals

from treplica.analysis import isi_histogram, rates, silent_share
from treplica.coding import SpikeTrains
from treplica.errors import InvalidValue
from treplica.testing import spike_difference
from treplica.testing.strategies import spike_trains

DT = st.sampled_from([0.1, 0.25, 1.0, 1 / 3])


@st.composite
def exact_trains(draw: st.DrawFn) -> SpikeTrains:
    """Plain or graded, from time 0 on or later."""
    trains = draw(
        spike_trains(n_steps=draw(st.integers(1, 30)), dt=draw(DT), graded=draw(st.booleans()), exact=True)
    )
    return trains.shifted(draw(st.sampled_from([0, 1, 1000, 10**6])) * trains.dt)


def test_the_strategy_makes_what_matters() -> None:
    seen: Counter[str] = Counter()

    @given(spike_trains(exact=True))
    def check(trains: SpikeTrains) -> None:
        assert trains.exact is not None
        seen["spikes"] += len(trains)
        seen["on the grid"] += np.isclose(trains.times % 0.5, 0.0).sum()
        seen["at once"] += (np.diff(trains.times) == 0.0).sum()
        seen["in one step"] += len(trains) - len(np.unique(trains.steps * trains.size + trains.ids))

    check()
    assert min(seen.values()) > 100


@given(exact_trains())
def test_every_spike_lies_in_its_step(trains: SpikeTrains) -> None:
    room = 1e-6 * trains.dt
    assert (trains.times > (trains.steps - 1) * trains.dt - room).all()
    assert (trains.times <= trains.steps * trains.dt + room).all()
    assert (np.diff(trains.times) >= 0.0).all()
    once = np.unique(np.stack([trains.times, trains.ids]), axis=1)
    assert once.shape[1] == len(trains)


@given(exact_trains(), st.randoms(use_true_random=False))
def test_times_and_back(trains: SpikeTrains, random: object) -> None:
    order = np.array(random.sample(range(len(trains)), len(trains)), dtype=np.int64)  # type: ignore[attr-defined]
    span = trains.size, trains.dt, trains.duration, trains.start
    back = SpikeTrains.from_exact_times(trains.times[order], trains.ids[order], *span)
    assert np.array_equal(back.times, trains.times)
    assert np.array_equal(back.ids, trains.ids)
    assert np.array_equal(back.steps, trains.steps)


@given(exact_trains(), st.data())
def test_parts_join_to_the_whole(trains: SpikeTrains, data: st.DataObject) -> None:
    cut = (trains.first_step + data.draw(st.integers(0, trains.n_steps))) * trains.dt
    parts = [trains.between(trains.start, cut), trains.between(cut, trains.stop)]
    assert SpikeTrains.concatenate(parts) == trains


@given(exact_trains(), st.integers(0, 10**7))
def test_shifting_is_undone_by_shifting_back(trains: SpikeTrains, delta: int) -> None:
    there = trains.shifted(delta * trains.dt)
    back = there.shifted(-delta * trains.dt)
    assert np.array_equal(there.steps, trains.steps + delta)
    assert np.array_equal(back.steps, trains.steps)
    assert np.allclose(back.times, trains.times, rtol=0.0, atol=1e-15 * (trains.stop + delta * trains.dt))
    assert np.array_equal(back.counts(), trains.counts())


@given(exact_trains(), st.randoms(use_true_random=False))
def test_select_is_the_choice_of_trains(trains: SpikeTrains, random: object) -> None:
    chosen = random.sample(range(trains.size), (trains.size + 1) // 2)  # type: ignore[attr-defined]
    part = trains.select(chosen)
    for place, neuron in enumerate(chosen):
        assert np.array_equal(part.of(place), trains.of(neuron))
    assert np.array_equal(part.counts(), trains.counts()[chosen])


@given(exact_trains())
def test_the_grid_has_the_same_spikes_or_none(trains: SpikeTrains) -> None:
    pairs = np.unique(trains.steps * trains.size + trains.ids)
    if len(pairs) < len(trains):
        with pytest.raises(InvalidValue, match="small enough for one spike of a neuron in a step"):
            trains.on_grid()
        return
    grid = trains.on_grid()
    assert len(pairs) == len(trains) == len(grid)
    assert grid.exact is None
    assert np.array_equal(grid.counts(), trains.counts())
    assert np.array_equal(grid.offsets(), trains.offsets())
    assert np.array_equal(grid.to_dense(), trains.to_dense())
    for neuron in range(trains.size):
        late = grid.of(neuron) - trains.of(neuron)
        assert ((late >= -1e-6 * trains.dt) & (late < (1 + 1e-6) * trains.dt)).all()
    if grid.values is not None:
        assert sorted(grid.values) == sorted(trains.values)


@given(exact_trains())
def test_files_keep_everything(trains: SpikeTrains) -> None:
    with tempfile.TemporaryDirectory() as folder:
        trains.save(Path(folder) / "x.h5")
        assert SpikeTrains.load(Path(folder) / "x.h5") == trains


@given(exact_trains())
def test_statistics_are_their_definitions(trains: SpikeTrains) -> None:
    values = check_intervals(trains)
    filled = np.zeros((trains.n_steps, trains.size), dtype=bool)
    filled[trains.steps - trains.first_step - 1, trains.ids] = True
    assert np.allclose(silent_share(trains), [1 - filled.mean(), 1 - filled.mean(1).max()])
    assert np.allclose(rates(trains), trains.counts() / (trains.duration / 1000.0))
    edges, counts = isi_histogram(trains, trains.dt)
    assert counts.sum() == len(values)
    for j in range(len(counts)):
        inside = (values > edges[j] + 1e-6 * trains.dt) & (values < edges[j + 1] - 1e-6 * trains.dt)
        near = (values > edges[j] - 1e-6 * trains.dt) & (values < edges[j + 1] + 1e-6 * trains.dt)
        assert inside.sum() <= counts[j] <= near.sum()


@given(
    spike_trains(size=6, n_steps=5, exact=True), spike_trains(size=6, n_steps=5, exact=True), st.booleans()
)
def test_no_difference_means_equal(a: SpikeTrains, b: SpikeTrains, same: bool) -> None:
    other = SpikeTrains.from_exact_times(a.times, a.ids, 6, a.dt, a.duration) if same else b
    assert (spike_difference(a, other) is None) == (a == other)
