"""Spikes changed while training: against pictures moved by other means, and what is refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
from small_trainings import inputs

from treplica.coding import SpikeSamples
from treplica.errors import InvalidValue
from treplica.learning import Drop, SpikeInputs, Warp
from treplica.learning.training.draws import Moment, below, uniform

MOMENT = Moment(5, 3, 1)


def batch(given: SpikeInputs, moment: Moment) -> np.ndarray:
    x = given.batch(np.arange(len(given)), moment)
    return (x.dense() if given.sparse else x).numpy().reshape(given.n_steps, len(given), -1)


def points(size: int, side: int, n_steps: int = 20) -> SpikeInputs:
    """One spike a sample, anywhere, in the second of two planes of side × side pixels."""
    source = np.random.default_rng(2)
    step, channel = source.integers(1, n_steps + 1, size), side * side + source.integers(0, side * side, size)
    samples = SpikeSamples.from_spikes(np.arange(size), step, channel, size, n_steps, 2 * side * side)
    return SpikeInputs(samples, np.zeros(size, int), ("a",))


def test_nothing_changes_by_default_and_in_evaluation() -> None:
    given = inputs(40, shift=0)
    still = batch(given, MOMENT)
    assert (batch(replace(given, changes=(Warp((4, 4)), Drop(0.0))), MOMENT) == still).all()
    changed = replace(given, changes=(Warp((4, 4), shift=(1, 1, 1), turn=90.0), Drop(0.5)))
    assert (batch(changed, Moment(5, None, 1)) == still).all()
    assert (batch(changed, MOMENT) != still).any()


def test_changes_belong_to_the_moment() -> None:
    given = replace(inputs(40, shift=0), changes=(Warp((4, 4), shift=(1, 1, 1), turn=45.0), Drop(0.3)))
    first = batch(given, MOMENT)
    assert (batch(given, MOMENT) == first).all()
    assert (batch(given, MOMENT._replace(epoch=4)) != first).any()
    assert (batch(given, MOMENT._replace(batch=2)) != first).any()


def test_a_share_is_dropped() -> None:
    given = inputs(200, shift=0)
    before, after = batch(given, MOMENT), batch(replace(given, changes=(Drop(0.3),)), MOMENT)
    assert (after <= before).all()
    count = before.sum()
    assert after.sum() / count == pytest.approx(0.7, abs=4 * math.sqrt(0.21 / count))


def test_samples_move_in_time_and_space() -> None:
    """As arrays padded with silence and cut out."""
    given = inputs(60, shift=0)
    moved = batch(replace(given, changes=(Warp((4, 4), shift=(2, 1, 3)),)), MOMENT).reshape(5, 60, 4, 4)
    padded = np.pad(batch(given, MOMENT).reshape(5, 60, 4, 4), ((2, 2), (0, 0), (1, 1), (3, 3)))
    by = [below(MOMENT, f"shift {at}", 2 * most + 1, 60) - most for at, most in enumerate((2, 1, 3))]
    for b, (late, down, right) in enumerate(zip(*by, strict=True)):
        expected = padded[2 - late : 7 - late, b, 1 - down : 5 - down, 3 - right : 7 - right]
        assert (moved[:, b] == expected).all()
    assert len(set(zip(*by, strict=True))) > 30


def test_samples_are_stretched_and_turned() -> None:
    """Each spike where complex numbers put it: turned around the middle, then stretched."""
    side, size = 9, 300
    given = points(size, side)
    warp = Warp((side, side), stretch=(0.4, 0.2, 0.3), turn=60.0)
    found = np.argwhere(batch(replace(given, changes=(warp,)), MOMENT).transpose(1, 0, 2) != 0)
    draws = {
        name: 2.0 * uniform(MOMENT, name, size).astype(float) - 1.0
        for name in ("stretch 0", "stretch 1", "stretch 2", "turn")
    }
    seen = {int(b): (int(t), int(c)) for b, t, c in found}
    for b in range(size):
        plane, place = divmod(int(given.samples.channel[b]), side * side)
        y, x = divmod(place, side)
        z = complex(x - 4, y - 4) * np.exp(-1j * math.radians(60.0) * draws["turn"][b])
        expected = (
            (given.samples.step[b] - 1) * (1.0 + 0.4 * draws["stretch 0"][b]),
            z.imag * (1.0 + 0.2 * draws["stretch 1"][b]) + 4,
            z.real * (1.0 + 0.3 * draws["stretch 2"][b]) + 4,
        )
        t, y, x = (math.floor(q + 0.5) for q in expected)
        inside = t < 20 and 0 <= y < side and 0 <= x < side
        assert seen.get(b) == ((t, plane * side * side + y * side + x) if inside else None)
    assert size // 2 < len(seen) < size


@pytest.mark.parametrize("counts", [False, True])
def test_spikes_that_meet_become_one(counts: bool) -> None:
    """A sample that becomes shorter: values are added, plain spikes are 1."""
    steps = np.arange(1, 21)
    values = np.arange(1.0, 21.0) if counts else None
    zeros = np.zeros(20, int)
    samples = SpikeSamples.from_spikes(zeros, steps, zeros, 1, 20, 1, values)
    given = SpikeInputs(samples, np.array([0]), ("a",), changes=(Warp((1, 1), stretch=(0.9, 0.0, 0.0)),))
    moment = next(m for m in (Moment(s, 0, 0) for s in range(50)) if uniform(m, "stretch 0", 1)[0] < 0.1)
    found = batch(given, moment)[:, 0, 0]
    assert np.count_nonzero(found) < 8
    assert found.sum() == (210.0 if counts else np.count_nonzero(found))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Drop(1.0), "Drop.share must be a number with 0 <= share < 1, got 1.0"),
        (lambda: Drop(math.nan), "Drop.share"),
        (lambda: Warp((0, 4)), r"Warp.pixels\[0\] must be a whole number >= 1"),
        (lambda: Warp((4, 4), shift=(0, -1, 0)), r"Warp.shift\[1\] must be a whole number >= 0"),
        (lambda: Warp((4, 4), stretch=(0.0, 1.0, 0.0)), r"Warp.stretch\[1\]"),
        (lambda: Warp((4, 4), turn=200.0), "Warp.turn must be a number of degrees"),
        (lambda: batch(replace(inputs(), changes=(Warp((5, 4)),)), MOMENT), "pictures in 16 channels"),
    ],
)
def test_what_does_not_fit_is_refused(make: object, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        make()
