"""Batches of data sets: what they hold, and that random choices belong to seed, epoch and batch alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_trainings import inputs

import treplica as tr
from treplica.coding import SpikeSamples, bin_events, delta_spikes, latency_steps, mel_features
from treplica.errors import InvalidValue, UnknownName
from treplica.learning import FrameInputs, SpikeInputs, SpikeTensor, encode
from treplica.learning.training.draws import Moment, below, order, uniform
from treplica.learning.training.inputs import hold_out

TEST = Moment(3, None, 0)
IMAGES = tr.datasets.digits("test").take(range(40))
CHOSEN = np.array([5, 0, 39, 5])


def dense(x: torch.Tensor | SpikeTensor) -> np.ndarray:
    return (x.dense() if isinstance(x, SpikeTensor) else x).numpy()


def test_the_order_belongs_to_seed_and_epoch() -> None:
    """Every sample once; the same again; another one in other epochs and with other seeds."""
    orders = {(seed, epoch): tuple(order(seed, epoch, 50)) for seed in range(5) for epoch in range(5)}
    assert all(sorted(o) == list(range(50)) for o in orders.values())
    assert len(set(orders.values())) == 25
    assert tuple(order(2, 3, 50)) == orders[2, 3]


def test_draws_are_uniform_and_of_their_own() -> None:
    numbers = uniform(Moment(1, 2, 3), "a", 40_000)
    counts, _ = np.histogram(numbers, 20, (0.0, 1.0))
    assert ((counts - 2000) ** 2 / 2000).sum() < 45.3  # chi-square of 19 degrees, 0.999 is at 43.8
    others = [Moment(1, 2, 4), Moment(1, 3, 3), Moment(2, 2, 3), Moment(1, None, 3)]
    for other in others:
        assert abs(np.corrcoef(numbers, uniform(other, "a", 40_000))[0, 1]) < 0.02
    assert abs(np.corrcoef(numbers, uniform(Moment(1, 2, 3), "b", 40_000))[0, 1]) < 0.02
    assert np.bincount(below(Moment(0, 0, 0), "c", 5, 50_000)).tolist() == pytest.approx(
        [10_000] * 5, rel=0.04
    )


def test_latency_is_a_spike_for_each_pixel_at_its_step() -> None:
    found = encode(IMAGES, "latency", steps=7, cut=0.1)
    x = found.batch(CHOSEN, TEST)
    assert isinstance(x, SpikeTensor)
    assert x.shape == (7, 4, 64)
    steps = latency_steps(IMAGES.inputs, 7.0, cut=0.1)[CHOSEN]
    expected = steps == np.arange(1, 8)[:, None, None]
    assert (dense(x) == expected).all()
    assert expected.sum() > 50
    pictures = encode(IMAGES, "latency", steps=7, cut=0.1, flat=False).batch(CHOSEN, TEST)
    assert pictures.shape == (7, 4, 1, 8, 8)
    assert (pictures.numpy().reshape(7, 4, 64) == expected).all()
    assert (found.labels == IMAGES.labels).all()


def test_direct_is_the_picture_at_every_step() -> None:
    found = encode(IMAGES, "direct", steps=3)
    x = found.batch(CHOSEN, TEST)
    assert x.shape == (3, 4, 1, 8, 8)
    assert (x.numpy()[:, :, 0] == IMAGES.inputs[CHOSEN]).all()
    assert not found.spiking
    assert encode(IMAGES, "direct", steps=3, flat=True).batch(CHOSEN, TEST).shape == (3, 4, 64)


def test_sequences_are_pictures_part_after_part() -> None:
    """Rows and pixels in the order of reading; shifted as pictures."""
    chosen = IMAGES.inputs[CHOSEN]
    found = encode(IMAGES, "rows")
    assert (found.n_steps, found.shape, found.spiking) == (8, (8,), False)
    assert (found.batch(CHOSEN, TEST).numpy() == chosen.transpose(1, 0, 2)).all()
    each = encode(IMAGES, "pixels")
    assert (each.n_steps, each.shape) == (64, (1,))
    assert (each.batch(CHOSEN, TEST).numpy() == chosen.reshape(4, 64, 1).transpose(1, 0, 2)).all()
    moment, every = Moment(2, 0, 1), np.arange(40)
    pictures = encode(IMAGES, "direct", steps=1, shift=2).batch(every, moment)[0, :, 0].numpy()
    assert (encode(IMAGES, "rows", shift=2).batch(every, moment).numpy() == pictures.transpose(1, 0, 2)).all()


def test_poisson_spikes_with_the_probability_of_the_value() -> None:
    frames = np.tile(np.array([0.0, 0.25, 1.0], np.float32), (500, 1))
    found = FrameInputs(frames, np.zeros(500, int), ("a",), 40, "poisson", peak=0.8)
    first = found.batch(np.arange(500), Moment(1, 0, 0)).numpy()
    assert set(np.unique(first)) == {0.0, 1.0}
    share = first.mean(axis=(0, 1))
    assert share[0] == 0.0
    assert share[1:] == pytest.approx([0.2, 0.8], abs=4 * np.sqrt(0.16 / 20_000))
    again, later = found.batch(np.arange(500), Moment(1, 0, 0)), found.batch(np.arange(500), Moment(1, 1, 0))
    assert (again.numpy() == first).all()
    assert (later.numpy() != first).any()
    evaluated = [found.batch(np.arange(500), Moment(1, None, 0)).numpy() for _ in range(2)]
    assert (evaluated[0] == evaluated[1]).all()


def test_events_are_binned() -> None:
    source = np.random.default_rng(1)
    recordings = tr.datasets.Recordings(
        "events", np.array([0, 60, 100]), source.integers(0, 6, 100), source.integers(0, 4, 100),
        source.integers(0, 2, 100).astype(np.uint8), np.sort(source.uniform(0, 30, 100)).astype(np.float32),
        np.array([0, 1]), ("a", "b"), 6, 4,
    )  # fmt: skip
    found = encode(recordings, "events", window=30.0, dt=3.0, size=(2, 3), counts=True)
    x = found.batch(np.array([1, 0]), TEST)
    expected = bin_events(recordings, 30.0, 3.0, (2, 3), counts=True).dense([1, 0])
    assert (x.numpy() == expected.reshape(10, 2, 2, 2, 3)).all()
    assert expected.max() > 1.0
    flat = encode(recordings, "events", window=30.0, dt=3.0, size=(2, 3), counts=True, flat=True)
    assert (dense(flat.batch(np.array([1, 0]), TEST)) == expected).all()


def test_sounds_become_changes() -> None:
    time = np.arange(4000) / 8000.0
    tones = tuple(np.sin(2 * np.pi * f * time * (1 + time)).astype(np.float32) for f in (300.0, 900.0))
    sounds = tr.datasets.Sounds("tones", tones, np.array([0, 1]), ("low", "high"), 8000, ("one", "two"))
    found = encode(sounds, "delta", steps=30, threshold=0.4, channels=12)
    expected = delta_spikes(mel_features(tones, 8000, 30, 12), 0.4)
    assert found.samples == expected
    assert found.batch(np.array([1]), TEST).shape == (30, 1, 24)
    assert len(expected.step) > 20


@pytest.mark.parametrize("sparse", [True, False])
def test_shifts_move_spikes_and_lose_what_leaves(sparse: bool) -> None:
    """Against pictures padded with dark and cut out."""
    given, moment = inputs(30, shift=2, sparse=sparse), Moment(9, 1, 2)
    still = dense(given.batch(np.arange(30), Moment(9, None, 2))).reshape(5, 30, 4, 4)
    moved = dense(given.batch(np.arange(30), moment)).reshape(5, 30, 4, 4)
    by = below(moment, "shift", 5, 60).reshape(30, 2) - 2
    padded = np.pad(still, ((0, 0), (0, 0), (2, 2), (2, 2)))
    for b, (down, right) in enumerate(by):
        assert (moved[:, b] == padded[:, b, 2 - down : 6 - down, 2 - right : 6 - right]).all()
    assert len({tuple(b) for b in by}) > 10
    assert (dense(replace(given, shift=0).batch(np.arange(30), moment)).reshape(still.shape) == still).all()


def test_pictures_move_like_their_spikes() -> None:
    moment = Moment(2, 0, 1)
    spikes = encode(IMAGES, "latency", steps=5, shift=2, flat=False).batch(np.arange(40), moment).sum(0)
    pictures = encode(IMAGES, "direct", steps=1, shift=2).batch(np.arange(40), moment)[0]
    assert ((pictures > 0.0).float() == spikes).all()
    assert spikes.sum() > 100


@pytest.mark.parametrize("flat", [True, False])
def test_half_of_the_pictures_are_mirrored_while_training(flat: bool) -> None:
    """And the others are as they were; which, belongs to the moment; shifts are those without it."""
    given, everyone = encode(IMAGES, "direct", steps=2, mirror=True, flat=flat), np.arange(40)
    shape = (2, 40, 8, 8)
    still = given.batch(everyone, TEST).numpy().reshape(shape)
    assert (still == IMAGES.inputs).all()
    chosen = {}
    for epoch in range(4):
        changed = given.batch(everyone, Moment(9, epoch, 2)).numpy().reshape(shape)
        chosen[epoch] = (changed[0] != still[0]).any(axis=(1, 2))
        assert (changed == np.where(chosen[epoch][:, None, None], still[..., ::-1], still)).all()
        assert (given.batch(everyone, Moment(9, epoch, 2)).numpy().reshape(shape) == changed).all()
    assert len({tuple(c) for c in chosen.values()}) == 4
    assert 50 < sum(c.sum() for c in chosen.values()) < 110  # of 160, by a half: 4.7 standard deviations
    both = replace(given, shift=2).batch(everyone, Moment(9, 1, 2)).numpy().reshape(shape)
    padded = np.pad(
        given.batch(everyone, Moment(9, 1, 2)).numpy().reshape(shape)[0], ((0, 0), (2, 2), (2, 2))
    )
    by = below(Moment(9, 1, 2), "shift", 5, 80).reshape(40, 2) - 2
    for b, (down, right) in enumerate(by):
        assert (both[:, b] == padded[b, 2 - down : 10 - down, 2 - right : 10 - right]).all()


def test_values_reach_the_batch() -> None:
    samples = SpikeSamples.from_spikes([0, 0, 1], [1, 2, 2], [0, 1, 1], 2, 2, 3, value=[2.0, 3.0, 5.0])
    x = SpikeInputs(samples, np.array([0, 1]), ("a", "b")).batch(np.array([1, 0]), TEST)
    assert dense(x)[1].tolist() == [[0.0, 5.0, 0.0], [0.0, 3.0, 0.0]]


def test_what_is_held_out_is_not_trained_on() -> None:
    given = inputs(50)
    kept, held = hold_out(given, 0.2, seed=3)
    assert (len(kept), len(held)) == (40, 10)
    rows = [part.samples.dense(np.arange(len(part))).sum(axis=0) for part in (kept, held)]
    together = np.concatenate([np.c_[part.labels, row] for part, row in zip((kept, held), rows, strict=True)])
    whole = np.c_[given.labels, given.samples.dense(np.arange(50)).sum(axis=0)]
    assert sorted(together.tolist()) == sorted(whole.tolist())
    assert (hold_out(given, 0.2, seed=3)[1].labels == held.labels).all()
    others = [hold_out(given, 0.2, seed=s)[1].samples for s in range(6)]
    assert any(other != held.samples for other in others)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: encode(IMAGES, "latencie"), "Did you mean 'latency'?"),
        (
            lambda: encode(IMAGES, "delta"),
            "must be Sounds, got 'Images'. These can be coded by latency, direct",
        ),
        (lambda: replace(inputs(), labels=np.zeros(3, int)), "one for each of 72 samples"),
        (lambda: replace(inputs(), classes=("a",)), "labels must be in 0"),
        (lambda: replace(inputs(), shape=(3, 3)), "one of the 16 channels"),
        (lambda: replace(inputs(), shape=(4, 4), sparse=True), "sparse must be False"),
        (lambda: replace(inputs(), pixels=None), "of pictures, where they are shifted"),
        (
            lambda: replace(encode(IMAGES, "direct", steps=3, mirror=True), pixels=None),
            "where they are shifted or mirrored",
        ),
        (lambda: encode(IMAGES, "poisson", steps=3, peak=1.5), "peak must be 0 < peak <= 1"),
        (lambda: encode(IMAGES, "direct", steps=0), "n_steps must be a whole number >= 1"),
        (
            lambda: FrameInputs(np.zeros((2, 3, 4)), [0, 0], ("a",), 4, "sequence"),
            r"\[m, 4, ...\], so many parts",
        ),
        (lambda: hold_out(inputs(), 0.001, 0), "a share between 0 and 1 of the 72 samples"),
    ],
)
def test_what_does_not_fit_is_refused(make: object, message: str) -> None:
    with pytest.raises((InvalidValue, UnknownName), match=message):
        make()
