import dataclasses

import numpy as np
import pytest

from treplica.coding import SpikeTrains
from treplica.errors import InvalidValue


def small(**changes: object) -> SpikeTrains:
    """Three neurons, ten steps of 0.5 ms, four spikes."""
    fields: dict = {"steps": [1, 3, 3, 10], "ids": [2, 0, 1, 2], "size": 3, "dt": 0.5, "n_steps": 10}
    return SpikeTrains(**{**fields, **changes})


def test_times_are_steps_times_dt() -> None:
    trains = small()
    assert trains.times.tolist() == [0.5, 1.5, 1.5, 5.0]
    assert (trains.start, trains.stop, trains.duration, len(trains)) == (0.0, 5.0, 5.0, 4)
    assert trains.of(2).tolist() == [0.5, 5.0]
    assert trains.counts().tolist() == [1, 1, 2]
    assert trains.steps.dtype == np.int64
    assert trains.ids.dtype == np.int32


def test_it_is_frozen_and_its_arrays_are_read_only() -> None:
    trains = small()
    with pytest.raises(dataclasses.FrozenInstanceError):
        trains.dt = 1.0  # type: ignore[misc]
    for array in (trains.steps, trains.ids):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    with pytest.raises(TypeError, match="unhashable"):
        hash(trains)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": [0, 3, 3, 10]}, r"steps must be in 1 … 10, got 0"),
        ({"steps": [1, 3, 3, 11]}, r"steps must be in 1 … 10, got 11"),
        ({"first_step": 1}, r"steps must be in 2 … 11, got 1"),
        ({"ids": [2, 0, 1, 3]}, r"ids must be in 0 … 2, got 3"),
        ({"ids": [2, 0, 1, -1]}, r"ids must be in 0 … 2, got -1"),
        ({"ids": [2, 1, 0, 2]}, r"spike 2 \(step, id\) .* got \(3, 0\).*from_steps sorts"),
        ({"steps": [3, 1, 3, 10]}, r"spike 1 .*from_steps sorts"),
        ({"ids": [2, 1, 1, 2]}, r"spikes at most once"),
        ({"ids": [2, 1, 2]}, r"len\(ids\) must be 4"),
        ({"steps": [1.0, 3.0, 3.0, 10.0]}, r"steps must be a one-dimensional array of whole numbers"),
        ({"steps": [[1, 3, 3, 10]]}, r"steps must be a one-dimensional array of whole numbers"),
        ({"steps": [[1], [3, 3]]}, r"steps must be a one-dimensional array of whole numbers"),
        ({"ids": [2**40, 0, 1, 2]}, r"ids must be in -2147483648 … 2147483647"),
        ({"size": 0}, r"size must be a whole number >= 1"),
        ({"size": 3.0}, r"size must be a whole number >= 1"),
        ({"size": True}, r"size must be a whole number >= 1"),
        ({"dt": 0.0}, r"dt must be a finite number > 0 ms"),
        ({"dt": float("nan")}, r"dt must be a finite number > 0 ms"),
        ({"dt": "1"}, r"dt must be a finite number > 0 ms"),
        ({"n_steps": -1}, r"n_steps must be a whole number >= 0"),
        ({"first_step": -1}, r"first_step must be a whole number >= 0"),
        ({"values": [1, 2, 3]}, r"len\(values\) must be 4"),
        ({"values": [1, 0, 3, 4]}, r"values must be whole numbers other than 0"),
    ],
)
def test_broken_fields_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        small(**changes)


def test_from_times_sorts_and_accepts_rounding_errors() -> None:
    times = [0.1 * 3, 0.7, 0.1]  # 0.1 * 3 is not 0.3
    trains = SpikeTrains.from_times(times, [1, 0, 1], 2, 0.1, 1.0)
    assert trains.steps.tolist() == [1, 3, 7]
    assert trains.ids.tolist() == [1, 1, 0]
    assert trains.n_steps == 10


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0.1, 0.25, 0.33], r"times\[1\] must be on the grid 0.1, 0.2, 0.3, … ms, got 0.25"),
        ([0.1, 0.0, 0.3], r"times\[1\]"),
        ([0.1, 0.3, float("nan")], r"times\[2\]"),
        ([0.1, 0.3, float("inf")], r"times\[2\]"),
        ([0.1, 0.3, 1.1], r"steps must be in 1 … 10, got 11"),
        (["a", "b", "c"], r"times must be an array of numbers"),
        ([[0.1, 0.3, 0.5]], r"times must be one-dimensional"),
    ],
)
def test_from_times_names_the_offender(times: list, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        SpikeTrains.from_times(times, [0, 0, 0], 1, 0.1, 1.0)


def test_duration_is_on_the_grid() -> None:
    with pytest.raises(InvalidValue, match=r"duration must be a whole multiple >= 0 of dt = 0.3 ms"):
        SpikeTrains.from_times([], [], 1, 0.3, 1.0)


def test_from_lists() -> None:
    trains = SpikeTrains.from_lists([[1.0, 3.0], [], [2.0]], 1.0, 4.0)
    assert trains == SpikeTrains.from_times([1.0, 2.0, 3.0], [0, 2, 0], 3, 1.0, 4.0)
    with pytest.raises(InvalidValue, match="size"):
        SpikeTrains.from_lists([], 1.0, 4.0)


def test_dense_plain_and_graded() -> None:
    plain = np.array([[0, 1], [0, 0], [1, 1]])
    trains = SpikeTrains.from_dense(plain, 1.0)
    assert trains.values is None
    assert trains.to_dense().dtype == bool
    assert trains.to_dense().astype(int).tolist() == plain.tolist()
    assert trains == SpikeTrains.from_dense(plain.astype(bool), 1.0)
    graded = SpikeTrains.from_dense(plain * 7, 1.0, first_step=4)
    assert graded.values is not None
    assert graded.values.tolist() == [7, 7, 7]
    assert graded.steps.tolist() == [5, 7, 7]
    assert graded.to_dense().tolist() == (plain * 7).tolist()
    for wrong in (plain * 1.0, plain[0]):
        with pytest.raises(InvalidValue, match="array must be"):
            SpikeTrains.from_dense(wrong, 1.0)


def test_offsets_point_at_the_spikes_of_each_step() -> None:
    trains = small().between(0.5, 5.0)
    edges = trains.offsets()
    assert len(edges) == trains.n_steps + 1
    for k in range(trains.n_steps):
        assert (trains.steps[edges[k] : edges[k + 1]] == trains.first_step + k + 1).all()
    assert edges[-1] == len(trains)


def test_between_is_open_at_the_start_and_closed_at_the_stop() -> None:
    part = small().between(0.5, 1.5)
    assert part.times.tolist() == [1.5, 1.5]
    assert (part.start, part.stop, part.n_steps) == (0.5, 1.5, 2)
    assert len(small().between(1.0, 1.0)) == 0
    for span in ((0.0, 5.5), (2.0, 1.0), (0.25, 1.0)):
        with pytest.raises(InvalidValue):
            small().between(*span)


def test_select_renumbers_in_the_order_given() -> None:
    part = small(values=[5, 6, 7, 8]).select([2, 0])
    assert part.size == 2
    assert part.steps.tolist() == [1, 3, 10]
    assert part.ids.tolist() == [0, 1, 0]
    assert part.values is not None
    assert part.values.tolist() == [5, 6, 8]
    for wrong in ([], [3], [-1], [1, 1], [0.5]):
        with pytest.raises(InvalidValue, match="ids must be"):
            small().select(wrong)


def test_of_refuses_unknown_neurons() -> None:
    for wrong in (3, -1, 0.0):
        with pytest.raises(InvalidValue, match="neuron"):
            small().of(wrong)  # type: ignore[arg-type]


def test_shifted_moves_the_span_too() -> None:
    later = small().shifted(2.5)
    assert later.steps.tolist() == [6, 8, 8, 15]
    assert later.first_step == 5
    assert later.shifted(-2.5) == small()
    with pytest.raises(InvalidValue, match=r"shift must be >= -2\.5 ms"):
        later.shifted(-3.0)


def test_concatenate_presents_parts_one_after_another() -> None:
    whole = SpikeTrains.concatenate([small(), small(values=[2, 3, 4, 5])])
    assert whole.n_steps == 20
    assert whole.steps.tolist() == [1, 3, 3, 10, 11, 13, 13, 20]
    assert whole.values is not None
    assert whole.values.tolist() == [1, 1, 1, 1, 2, 3, 4, 5]
    parts = [whole.between(0.0, 2.0), whole.between(2.0, 7.5), whole.between(7.5, 10.0)]
    assert SpikeTrains.concatenate(parts) == whole
    with pytest.raises(InvalidValue, match="one or more"):
        SpikeTrains.concatenate([])
    with pytest.raises(InvalidValue, match="as in the first part"):
        SpikeTrains.concatenate([small(), small(dt=1.0)])


def test_equality_is_by_content() -> None:
    assert small() == small(steps=np.array([1, 3, 3, 10], np.int32))
    for changes in (
        {"size": 4},
        {"dt": 1.0},
        {"n_steps": 11},
        {"values": [1, 1, 1, 1]},
        {"ids": [2, 0, 1, 1]},
    ):
        assert small() != small(**changes)
    assert small(values=[1, 1, 1, 1]) != small(values=[1, 1, 1, 2])
    assert small() != "spikes"


def test_repr_tells_what_is_covered() -> None:
    assert repr(small()) == "<SpikeTrains: 4 spikes of 3 neurons in (0, 5] ms, dt = 0.5 ms>"


def test_pandas_table() -> None:
    table = small(values=[5, 6, 7, 8]).to_pandas()
    assert table.columns.tolist() == ["time_ms", "id", "value"]
    assert table["time_ms"].tolist() == [0.5, 1.5, 1.5, 5.0]
    assert table["id"].tolist() == [2, 0, 1, 2]
    assert table["value"].tolist() == [5, 6, 7, 8]
    table["id"] = 0  # the table is the caller's own
    assert small().ids.tolist() == [2, 0, 1, 2]


def test_neo_segment() -> None:
    part = small().between(1.0, 5.0)
    trains = part.to_neo().spiketrains
    assert [train.magnitude.tolist() for train in trains] == [[1.5], [1.5], [5.0]]
    assert [train.annotations["id"] for train in trains] == [0, 1, 2]
    assert {str(train.units.dimensionality) for train in trains} == {"ms"}
    assert {(float(train.t_start), float(train.t_stop)) for train in trains} == {(1.0, 5.0)}
