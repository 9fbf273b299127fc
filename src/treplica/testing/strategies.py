"""Hypothesis strategies: networks small enough for the plain engine, and spike trains.

Needs hypothesis, which is part of the extra `dev`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from treplica.coding import SpikeTrains
from treplica.errors import MissingExtra
from treplica.network import Network
from treplica.testing.networks import KINDS, Kind, delays, rules, weights

try:
    from hypothesis import strategies as st
except ModuleNotFoundError:
    raise MissingExtra("hypothesis", "dev", "Random networks for tests") from None

#: Sizes around 64, which is what threads own at least, and small ones.
SIZES = (2, 5, 63, 64, 65, 130)


@st.composite
def networks(
    draw: Any, dt: float = 0.5, kinds: Mapping[str, Kind] = KINDS, sizes: Sequence[int] = SIZES
) -> Network:
    """Descriptions of one to three populations, with stimuli, up to five projections between them and any seed.

    kinds: what populations are made of (their number bounds how many kernels are compiled).
    """

    def pick(low: float, high: float) -> float:
        return float(draw(st.floats(low, high)))

    def one_of(choices: Mapping[str, Any]) -> Any:
        return choices[draw(st.sampled_from(list(choices)))]

    net = Network(seed=draw(st.integers(0, 2**64 - 1)))
    made = []
    for j, name in enumerate(draw(st.lists(st.sampled_from(list(kinds)), min_size=1, max_size=3))):
        made.append((kinds[name], kinds[name].add(net, f"p{j}", draw(st.sampled_from(sizes)), dt, pick)))
    reached = [(kind, population) for kind, population in made if kind.weights]
    for _ in range(draw(st.integers(0, 5)) if reached else 0):
        _, source = draw(st.sampled_from(made))
        kind, target = draw(st.sampled_from(reached))
        port = draw(st.sampled_from(list(kind.weights)))
        sender, receiver = draw(_views(source)), draw(_views(target))
        same = sender == receiver
        net.connect(
            sender,
            receiver,
            one_of(rules(len(sender), len(receiver), same, pick)),
            weight=one_of(weights(kind.weights[port], pick)),
            delay=one_of(delays(dt, pick)),
            port=port,
        )
    return net


@st.composite
def _views(draw: Any, population: Any) -> Any:
    """All of a population, every second neuron, or the first half."""
    size = len(population)
    return draw(
        st.sampled_from(
            [population.view(), population[::2], population[: (size + 1) // 2], population[[size - 1]]]
        )
    )


@st.composite
def spike_trains(
    draw: Any, size: int | None = None, n_steps: int | None = None, dt: float = 0.5, graded: bool = False,
    exact: bool = False,
) -> SpikeTrains:  # fmt: skip
    """Spike trains of up to 40 neurons and 60 steps, from silent to all firing.

    graded: spikes with values. exact: spikes at any times, among them ends of steps, several of a neuron in a step, and
    of several neurons at once.
    """
    neurons = draw(st.integers(1, 40)) if size is None else size
    steps = draw(st.integers(0, 60)) if n_steps is None else n_steps
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parts = 4 if exact else 1
    fires = rng.uniform(size=(steps * parts, neurons)) < draw(st.sampled_from([0.0, 0.02, 0.2, 1.0]))
    rows, ids = np.nonzero(fires)
    times = None
    if exact:  # half of them at the ends of quarters, where neurons meet
        early = rng.uniform(size=rows.size) * rng.integers(0, 2, rows.size)
        times = (rows + 1 - early) / parts * dt
    values = rng.choice([-3, -1, 1, 2, 7], rows.size).astype(np.int32) if graded else None
    return SpikeTrains.from_steps(rows // parts + 1, ids, neurons, dt, steps, 0, values, times)
