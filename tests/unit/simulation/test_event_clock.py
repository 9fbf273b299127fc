"""When events are handled: ends of steps and slices, in spite of rounding."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treplica.errors import InvalidValue
from treplica.simulation.clock import Clock

DTS = st.sampled_from([0.1, 0.5, 0.7, 0.3, 0.05, 1.0 / 3.0, 0.01, 2.5])


@given(DTS, st.integers(1, 50), st.integers(1, 10**9))
def test_the_end_of_a_step_is_the_time_of_the_engine(dt: float, many: int, step: int) -> None:
    """Bit for bit: an event is handled when the engine's time, step * dt, is not before its end."""
    for slice in (None, round(many * dt, 9)):
        if slice is not None and abs(slice / dt - many) > 1e-7:
            continue
        length = 1 if slice is None else many
        clock = Clock(dt, slice)
        last = -(-step // length) * length
        assert clock.end(step * dt) == last * dt
        assert clock.end((step - 0.5) * dt) == last * dt
        assert clock.after(step * dt) == (step // length + 1) * length * dt


@given(DTS, st.integers(0, 10**7), st.integers(-3, 3))
def test_a_time_that_is_off_by_rounding_is_that_of_the_step(dt: float, step: int, ulps: int) -> None:
    time = step * dt
    for _ in range(abs(ulps)):
        time = math.nextafter(time, math.copysign(math.inf, ulps))
    assert Clock(dt).moment(time) == step * dt
    assert Clock(dt).moment((step + 1e-3) * dt) == (step + 1e-3) * dt


@given(st.floats(0.01, 100.0), st.floats(0.0, 1e6))
def test_slices_without_steps(slice: float, time: float) -> None:
    """Of any length; a time is handled at the first end that is not before it."""
    clock = Clock(None, slice)
    assert clock.moment(time) == time
    end, after = clock.end(time), clock.after(time)
    assert end >= time > end - 1.001 * slice
    assert after > time >= after - 1.001 * slice
    assert clock.end(end) == end
    assert clock.after(end) > end


def test_without_steps_or_slices_everything_has_its_own_time() -> None:
    clock = Clock()
    assert (clock.moment(2.1), clock.end(2.1), clock.after(2.1)) == (2.1, 2.1, math.inf)


def test_what_is_refused() -> None:
    with pytest.raises(
        InvalidValue, match=r"slice of an EventDispatcher must be a multiple of dt = 0\.5 ms, got 0\.7"
    ):
        Clock(0.5, 0.7)
    with pytest.raises(InvalidValue, match=r"at least 0\.5 ms"):
        Clock(0.5, 1e-9)
    with pytest.raises(InvalidValue, match="event time must be below"):
        Clock(0.5).moment(1e300)
    with pytest.raises(InvalidValue, match="event time must be below"):
        Clock(None, 1e-300).moment(1e300)
