"""Data sets as inputs of a network, by the name of a code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.coding import SpikeSamples, bin_events, delta_spikes, latency_steps, mel_features
from treplica.coding.grid import check_count
from treplica.coding.latency import Law
from treplica.datasets import Images, Recordings, Sounds
from treplica.errors import InvalidValue, UnknownName
from treplica.learning.training.augmentation import Change
from treplica.learning.training.inputs import FrameInputs, SpikeInputs


def latency(
    images: Images, steps: int, cut: float = 0.0, law: Law = "linear", flat: bool = True, shift: int = 0
) -> SpikeInputs:
    """One spike at most for each pixel, the brighter the earlier; see `treplica.coding.latency`.

    flat: batches are `SpikeTensor` [T, B, h w]; otherwise dense [T, B, 1, h, w]. shift: see `SpikeInputs`.
    """
    pixels = images.inputs.shape[1:]
    first = latency_steps(images.inputs, float(steps), cut=cut, law=law)
    samples = SpikeSamples.from_first(first, steps)
    shape = () if flat else (1, *pixels)
    return SpikeInputs(
        samples, images.labels, images.classes, shape, shift=shift, pixels=(pixels[0], pixels[1])
    )


def direct(
    images: Images,
    steps: int,
    flat: bool = False,
    shift: int = 0,
    mirror: bool = False,
    bits: int | None = None,
) -> FrameInputs:
    """The picture itself at every step, as a current: [T, B, 1, h, w], or [T, B, h w] where flat.

    bits: values become whole multiples of 2**-bits, below 1: with 8, grey levels of a byte over 256, which graded
    spikes can bring to a simulation (`from_torch` with unit=2**-8).
    """
    if bits is not None:
        unit = 2.0 ** check_count("bits", bits, 1)
        images = replace(
            images, inputs=np.rint(images.inputs * (unit - 1.0)).astype(np.float32) / np.float32(unit)
        )
    return _frames(images, steps, flat, shift, mirror=mirror)


def poisson(
    images: Images, steps: int, peak: float = 1.0, flat: bool = False, shift: int = 0, mirror: bool = False
) -> FrameInputs:
    """Spikes with probability peak · value in each step, drawn anew in each epoch; shapes as in `direct`."""
    return _frames(images, steps, flat, shift, code="poisson", peak=peak, mirror=mirror)


def rows(images: Images, shift: int = 0) -> FrameInputs:
    """The rows of the picture one after the other, as currents: [T, B, w] with T = h."""
    return _sequence(images, images.inputs, shift)


def pixels(images: Images, shift: int = 0) -> FrameInputs:
    """The pixels of the picture one after the other, row by row, as a current: [T, B, 1] with T = h w."""
    return _sequence(images, images.inputs.reshape(len(images), -1, 1), shift)


def events(
    recordings: Recordings,
    window: float,
    dt: float,
    size: tuple[int, int] | None = None,
    polarity: bool = True,
    counts: bool = False,
    flat: bool = False,
    shift: int = 0,
    changes: tuple[Change, ...] = (),
) -> SpikeInputs:
    """Events in steps of dt ms; see `treplica.coding.bin_events`, whose `shape` is `size`.

    flat: batches are `SpikeTensor` [T, B, n]; otherwise dense [T, B, polarities, height, width]. shift, changes: see
    `SpikeInputs`.
    """
    samples = bin_events(recordings, window, dt, size, polarity, counts)
    height, width = size or (recordings.height, recordings.width)
    shape = () if flat else (1 + polarity, height, width)
    return SpikeInputs(
        samples,
        recordings.labels,
        recordings.classes,
        shape,
        shift=shift,
        pixels=(height, width),
        changes=changes,
    )


def delta(
    sounds: Sounds,
    steps: int,
    threshold: float = 0.5,
    counts: bool = False,
    changes: tuple[Change, ...] = (),
    **bands: Any,
) -> SpikeInputs:
    """Spikes where the energy in a band of frequency changes: `mel_features` of so many frames, `delta_spikes`.

    bands: the other options of `mel_features` (`channels`, `window`, `hop`, ...). Batches are `SpikeTensor`.
    changes: see `SpikeInputs`; for a `Warp`, pixels are (1, channels).
    """
    features = mel_features(sounds.waveforms, sounds.rate, steps, **bands)
    return SpikeInputs(
        delta_spikes(features, threshold, counts), sounds.labels, sounds.classes, changes=changes
    )


def _frames(images: Images, steps: int, flat: bool, shift: int, **more: Any) -> FrameInputs:
    m, height, width = images.inputs.shape
    frames = images.inputs.reshape(m, -1) if flat else images.inputs[:, None]
    return FrameInputs(
        frames, images.labels, images.classes, steps, shift=shift, pixels=(height, width), **more
    )


def _sequence(images: Images, parts: NDArray[np.float32], shift: int) -> FrameInputs:
    height, width = images.inputs.shape[1:]
    return FrameInputs(
        parts, images.labels, images.classes, parts.shape[1], "sequence", shift=shift, pixels=(height, width)
    )


#: Codes by name, with the form of data that they take.
CODES: MappingProxyType[str, tuple[type, Callable[..., SpikeInputs | FrameInputs]]] = MappingProxyType(
    {
        "latency": (Images, latency),
        "direct": (Images, direct),
        "poisson": (Images, poisson),
        "rows": (Images, rows),
        "pixels": (Images, pixels),
        "events": (Recordings, events),
        "delta": (Sounds, delta),
    }
)


def encode(data: Images | Recordings | Sounds, code: str, **options: Any) -> SpikeInputs | FrameInputs:
    """A data set as batches for a network.

    code and options (those of the functions of `treplica.learning.training.encoders`):

    - images: "latency" (steps, cut, law), "direct" (steps, bits), "poisson" (steps, peak), "rows", "pixels"
    - recordings of events: "events" (window, dt, size, polarity, counts)
    - sounds: "delta" (steps, threshold, counts, and what `mel_features` takes)

    flat: batches are [T, B, n] for a `Linear`, as `SpikeTensor` where they are spikes of one sample each; otherwise
    dense pictures [T, B, c, h, w]. shift: pixels by which pictures are moved at most while training. mirror ("direct",
    "poisson"): whether half of them are mirrored left to right while training.
    Raises `UnknownName` for another code and `InvalidValue` for data that it does not take.
    """
    if code not in CODES:
        raise UnknownName("code", code, CODES)
    form, function = CODES[code]
    if not isinstance(data, form):
        fitting = [name for name, (other, _) in CODES.items() if isinstance(data, other)]
        advice = f"These can be coded by {', '.join(fitting)}." if fitting else ""
        raise InvalidValue(f"data for the code {code!r}", type(data).__name__, form.__name__, advice)
    return function(data, **options)
