"""Spikes at times that are not the ends of steps."""

import re

import numpy as np
import pytest

from treplica.coding import SpikeTrains
from treplica.errors import InvalidValue

TIMES = [0.25, 0.25, 0.3, 1.2, 4.75]


def small(**changes: object) -> SpikeTrains:
    """Three neurons, ten steps of 0.5 ms, five spikes; neuron 2 spikes twice in the first step, after neuron 1."""
    fields: dict = {
        "steps": [1, 1, 1, 3, 10], "ids": [1, 2, 2, 0, 2], "size": 3, "dt": 0.5, "n_steps": 10, "exact": TIMES,
    }  # fmt: skip
    return SpikeTrains(**{**fields, **changes})


def test_times_are_the_exact_ones() -> None:
    trains = small()
    assert trains.times.tolist() == TIMES
    assert trains.of(2).tolist() == [0.25, 0.3, 4.75]
    assert trains.counts().tolist() == [1, 1, 3]
    assert trains.offsets().tolist() == [0, 3, 3, 4, 4, 4, 4, 4, 4, 4, 5]
    assert (trains.start, trains.stop, trains.duration, len(trains)) == (0.0, 5.0, 5.0, 5)
    assert repr(trains) == "<SpikeTrains: 5 spikes of 3 neurons at exact times in (0, 5] ms, dt = 0.5 ms>"
    with pytest.raises(ValueError, match="read-only"):
        trains.times[0] = 0.1


def test_the_array_is_kept_without_a_copy() -> None:
    given = np.array(TIMES)
    assert small(exact=given).exact.base is given
    assert given.flags.writeable


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exact": TIMES[:4]}, "len(exact) must be 5, the number of steps, got 4."),
        ({"exact": [TIMES]}, "exact must be a one-dimensional array of times in ms"),
        ({"exact": [[1.0], [2.0, 3.0]]}, "exact must be a one-dimensional array of times in ms"),
        ({"exact": ["a", "b", "c", "d", "e"]}, "exact must be a one-dimensional array of times in ms"),
        (
            {"exact": [0.25, 0.25, 0.3, 1.6, 4.75]},
            "exact[3] must be in the span of its step 3, (1, 1.5] ms, got 1.6. SpikeTrains.from_exact_times finds",
        ),
        (
            {"exact": [0.25, 0.25, 0.3, 0.999, 4.75]},
            "exact[3] must be in the span of its step 3, (1, 1.5] ms",
        ),
        ({"exact": [0.25, 0.25, 0.3, np.nan, 4.75]}, "exact[3] must be in the span of its step 3"),
        ({"exact": [0.25, 0.25, 0.3, np.inf, 4.75]}, "exact[3] must be in the span of its step 3"),
        ({"exact": [0.25, 0.25, 0.3, 1e308, 4.75], "dt": 1e-3}, "exact[0] must be in the span of its step 1"),
        ({"exact": [-1e-6, 0.25, 0.3, 1.2, 4.75]}, "exact[0] must be in the span of its step 1, (0, 0.5] ms"),
        (
            {"exact": [0.3, 0.25, 0.3, 1.2, 4.75]},
            "spike 1 (step, id, time) must be after its predecessor in time, or in id at one time, "
            "got (1, 2, 0.25). SpikeTrains.from_steps sorts.",
        ),
        (
            {"ids": [2, 1, 2, 0, 2]},
            "spike 1 (step, id, time) must be after its predecessor in time, or in id",
        ),
        (
            {"ids": [2, 2, 2, 0, 2]},
            "got (1, 2, 0.25). A neuron spikes at most once at a time; use `values` for graded spikes.",
        ),
        ({"exact": None}, "A neuron spikes at most once in a step"),
    ],
)
def test_broken_fields_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(InvalidValue, match=re.escape(message)):
        small(**changes)


@pytest.mark.parametrize("step", [1, 3, 10**7, 10**9])
def test_rounding_at_the_ends_of_a_step_is_allowed_and_no_more(step: int) -> None:
    dt = 0.1
    room = 0.9 * (1e-9 + 8e-16 * step) * dt
    for time in (step * dt, (step - 1) * dt, (step - 1) * dt - room, step * dt + room):
        assert SpikeTrains([step], [0], 1, dt, 1, step - 1, exact=[time]).times == [time]  # type: ignore[arg-type]
    for time in ((step - 1) * dt - 3 * room, step * dt + 3 * room):
        with pytest.raises(InvalidValue, match=r"exact\[0\] must be in the span of its step"):
            SpikeTrains([step], [0], 1, dt, 1, step - 1, exact=[time])  # type: ignore[arg-type]


# From times to steps


def test_any_times_in_any_order() -> None:
    trains = SpikeTrains.from_exact_times([4.75, 0.3, 0.25, 1.2, 0.25], [2, 2, 2, 0, 1], 3, 0.5, 5.0)
    assert trains == small()
    late = SpikeTrains.from_exact_times([4.75, 1.2], [2, 0], 3, 0.5, 4.0, start=1.0)
    assert (late.steps.tolist(), late.first_step, late.n_steps) == ([3, 10], 2, 8)


def test_multiples_of_dt_have_their_own_step() -> None:
    steps = np.concatenate([np.arange(1, 2000), 10**7 + np.arange(2000)])
    for dt in (0.1, 0.3, 1 / 3, 0.7):
        for times in (steps * dt, steps / (1 / dt), np.cumsum(np.full(1999, dt))):
            trains = SpikeTrains.from_exact_times(times, np.zeros(len(times), int), 1, dt, 2 * 10**7 * dt)
            assert np.array_equal(trains.steps, steps[: len(times)])
            assert np.array_equal(trains.times, times)


@pytest.mark.parametrize("start", [0.0, 0.5, 1e6])
def test_the_first_step_begins_right_after_the_start(start: float) -> None:
    soon = np.nextafter(start, np.inf)
    trains = SpikeTrains.from_exact_times([soon], [0], 1, 0.5, 1.0, start)
    assert (trains.steps - trains.first_step).tolist() == [1]
    assert trains.times.tolist() == [soon]
    with pytest.raises(InvalidValue, match=r"times\[0\] must be a time in"):
        SpikeTrains.from_exact_times([start], [0], 1, 0.5, 1.0, start)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0.1, 0.0, 0.3], "times[1] must be a time in (0, 1] ms, got 0.0."),
        ([0.1, -0.4, 0.3], "times[1] must be a time in (0, 1] ms, got -0.4."),
        ([0.1, 1.0001, 0.3], "times[1] must be a time in (0, 1] ms, got 1.0001."),
        ([0.1, 0.2, np.nan], "times[2] must be a time in (0, 1] ms, got nan."),
        ([np.inf, 0.2, 0.3], "times[0] must be a time in (0, 1] ms, got inf."),
        ([0.1, 1e308, 0.3], "times[1] must be a time in (0, 1] ms, got 1e+308."),
        (["a", "b", "c"], "times must be an array of numbers in ms"),
        ([[0.1, 0.3, 0.5]], "times must be one-dimensional (one time per spike)"),
        ([0.1, 0.3], "len(ids) must be 2, the number of steps, got 3."),
        ([0.1, 0.3, 0.1], "A neuron spikes at most once at a time"),
    ],
)
def test_times_outside_are_named(times: list, message: str) -> None:
    with pytest.raises(InvalidValue, match=re.escape(message)):
        SpikeTrains.from_exact_times(times, [0, 0, 0], 1, 0.1, 1.0)


def test_the_span_is_on_the_grid() -> None:
    with pytest.raises(InvalidValue, match=r"duration must be a whole multiple >= 0 of dt = 0.3 ms"):
        SpikeTrains.from_exact_times([], [], 1, 0.3, 1.0)
    with pytest.raises(InvalidValue, match=r"start must be a whole multiple >= 0 of dt = 0.5 ms"):
        SpikeTrains.from_exact_times([], [], 1, 0.5, 1.0, start=0.2)
    with pytest.raises(InvalidValue, match=r"or keep them: from_exact_times"):
        SpikeTrains.from_times([0.25], [0], 1, 0.1, 1.0)


def test_from_steps_sorts_by_time_within_steps() -> None:
    order = [4, 2, 0, 3, 1]
    whole = small(values=[5, 6, 7, 8, 9])
    columns = (np.asarray(getattr(whole, name))[order] for name in ("steps", "ids", "values", "exact"))
    steps, ids, values, exact = columns
    assert SpikeTrains.from_steps(steps, ids, 3, 0.5, 10, values=values, exact=exact) == whole
    with pytest.raises(InvalidValue, match=r"len\(exact\) must be 5"):
        SpikeTrains.from_steps(steps, ids, 3, 0.5, 10, exact=[0.1])


# Onto the grid


def test_on_the_grid_each_is_at_the_end_of_its_step() -> None:
    some = small(values=[5, 6, 7, 8, 9]).select([2, 1]).between(0.5, 5.0)
    assert some.on_grid() == SpikeTrains.from_steps([10], [0], 2, 0.5, 9, 1, values=[9])
    pair = SpikeTrains.from_exact_times([0.2, 0.4], [1, 0], 2, 0.5, 0.5)  # by time 1 is first, by id 0
    assert pair.on_grid() == SpikeTrains.from_lists([[0.5], [0.5]], 0.5, 0.5)
    plain = pair.on_grid()
    assert plain.on_grid() is plain
    assert plain != pair
    assert pair.to_dense().tolist() == [[True, True]]


@pytest.mark.parametrize("name", ["on_grid", "to_dense"])
def test_two_spikes_in_a_step_have_no_place_on_the_grid(name: str) -> None:
    message = (
        "dt must be small enough for one spike of a neuron in a step (neuron 2 spikes twice in the step that ends at "
        "0.5 ms), got 0.5. SpikeTrains.from_exact_times(trains.times, trains.ids, ...) takes a smaller dt."
    )
    with pytest.raises(InvalidValue, match=re.escape(message)):
        getattr(small(), name)()
    finer = SpikeTrains.from_exact_times(small().times, small().ids, 3, 0.05, 5.0)
    assert finer.to_dense().sum() == 5


# Parts and wholes


def test_between_follows_steps() -> None:
    part = small().between(0.5, 1.5)
    assert (part.times.tolist(), part.start, part.stop) == ([1.2], 0.5, 1.5)
    assert SpikeTrains.concatenate([small().between(0.0, 1.5), small().between(1.5, 5.0)]) == small()
    with pytest.raises(InvalidValue, match="start must be a whole multiple"):
        small().between(0.25, 1.5)


def test_select_keeps_times() -> None:
    part = small(values=[5, 6, 7, 8, 9]).select([2, 1])
    assert part.times.tolist() == [0.25, 0.25, 0.3, 4.75]
    assert part.ids.tolist() == [0, 1, 0, 0]
    assert part.values.tolist() == [6, 5, 7, 9]


def test_shifted_moves_times_along() -> None:
    later = small().shifted(2.5)
    assert later.times.tolist() == [2.75, 2.75, 2.8, 3.7, 7.25]
    assert (later.first_step, later.steps.tolist()) == (5, [6, 6, 6, 8, 15])
    with pytest.raises(InvalidValue, match="shift must be a whole multiple"):
        small().shifted(0.25)


def test_shifting_never_moves_a_spike_to_another_step() -> None:
    """Whatever rounding does to times at the ends of steps."""
    dt, n = 0.1, 1000
    ends = np.arange(1, n + 1) * dt
    times = np.concatenate([ends, np.nextafter(ends[:-1], 1e9), np.nextafter(ends, 0.0)])
    steps = np.concatenate([np.arange(1, n + 1), np.arange(2, n + 1), np.arange(1, n + 1)])
    trains = SpikeTrains.from_steps(steps, np.arange(len(steps)), len(steps), dt, n, exact=times)
    for delta in (1, 7, 10**6 + 3, 10**9 + 7):
        there = trains.shifted(delta * dt)
        back = there.shifted(-delta * dt)
        for moved, by in ((there, delta), (back, 0)):
            assert np.array_equal(np.sort(moved.ids), np.arange(len(steps)))
            assert np.array_equal(moved.steps[np.argsort(moved.ids)], steps + by)
        error = np.abs(back.times[np.argsort(back.ids)] - times).max()
        assert error <= 4.5e-16 * (delta + 2 * n) * dt


def test_times_that_a_shift_would_merge_are_refused() -> None:
    """Far from 0 floats are farther apart; two spikes do not become one unnoticed."""
    twice = SpikeTrains.from_exact_times([0.5, np.nextafter(0.5, 1.0)], [0, 0], 1, 1.0, 1.0)
    assert len(twice) == 2
    with pytest.raises(InvalidValue, match="A neuron spikes at most once at a time"):
        twice.shifted(1e6)
    other = SpikeTrains.from_exact_times([0.5, np.nextafter(0.5, 1.0)], [1, 0], 2, 1.0, 1.0)
    assert other.shifted(1e6).ids.tolist() == [0, 1]


def test_concatenate_mixes_exact_and_plain() -> None:
    plain = SpikeTrains.from_lists([[1.0], [0.5, 1.0], []], 0.5, 2.0)
    whole = SpikeTrains.concatenate([plain, small(values=[5, 6, 7, 8, 9]), plain])
    assert whole.times.tolist() == [0.5, 1.0, 1.0, 2.25, 2.25, 2.3, 3.2, 6.75, 7.5, 8.0, 8.0]
    assert whole.steps.tolist() == [1, 2, 2, 5, 5, 5, 7, 14, 15, 16, 16]
    assert whole.values.tolist() == [1, 1, 1, 5, 6, 7, 8, 9, 1, 1, 1]
    assert SpikeTrains.concatenate([plain, plain]).exact is None


def test_equality_is_by_times_too() -> None:
    assert small() == small(exact=np.array(TIMES))
    assert small() != small(exact=[0.25, 0.25, 0.3, 1.2000000000000002, 4.75])
    lone = SpikeTrains.from_exact_times([0.5], [0], 1, 0.5, 1.0)
    assert lone != lone.on_grid()
    assert lone.on_grid() != lone
