"""The founding blueprint's small-world mesh of Izhikevich neurons: noisy or silent, with or without an eye.

Claim: a mesh of regular-spiking neurons in which more than 99 % are silent in any step, kept alive by weak noise and
answering images that arrive as spike latencies. docs/demo.md says how its weights were chosen and what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from treplica.coding import SpikeTrains, latency_decode
from treplica.connectivity import OneToOne, WattsStrogatz
from treplica.errors import InvalidValue
from treplica.network import Network, PoissonInput, Population, Probe
from treplica.neurons import Izhikevich, SpikeSource
from treplica.synapses import GaussianCurrent

#: The demonstration's weights: see docs/demo.md.
MESH_WEIGHT, EYE_WEIGHT, NOISE = 8.0, 30.0, 3.0
#: Spikes from outside in Hz, and what one does, in mV; the states that neurons rest in without noise.
RARE_RATE, KICK = 0.16, 30.0
AT_REST = {"v": -70.0, "u": -14.0}
Drive = Literal["noise", "spikes"]


def mesh(
    neurons: int = 100_000,
    *,
    drive: Drive = "noise",
    k: int = 6,
    p: float = 0.02,
    weight: float = MESH_WEIGHT,
    noise: float = NOISE,
    rate: float = RARE_RATE,
    kick: float = KICK,
    refractory: float = 3.0,
    seed: int = 7,
) -> Network:
    """The mesh alone: population `mesh`, Watts-Strogatz connections with delay 1 ms. Meant for dt = 1 ms.

    - `drive`: "noise", a Gaussian current of standard deviation `noise`, new in every step for every neuron; or
      "spikes", Poisson spikes from outside, `rate` Hz for each neuron, which is at rest before (v = -70 mV, u = -14)
    - `weight`: mV by which a spike raises its targets
    - `kick`: mV by which a spike from outside raises its neuron. 30 mV make it fire, one spike of the mesh does not: so
      the mean rate is a little above `rate`, whatever the size.
    - `refractory`: ms (0: none)

    Raises InvalidValue.
    """
    if drive not in get_args(Drive):
        raise InvalidValue("drive of the mesh", drive, "'noise' or 'spikes'")
    net = Network(seed=seed)
    start = {} if drive == "noise" else AT_REST
    population = net.add(
        Population("mesh", neurons, Izhikevich.regular_spiking(refractory=refractory, **start))
    )
    net.connect(population, population, WattsStrogatz(k=k, p=p), weight=weight, delay=1.0)
    outside = GaussianCurrent(std=noise) if drive == "noise" else PoissonInput(rate=rate, weight=kick)
    net.stimulate(population, outside)
    return net


@dataclass(frozen=True)
class SeeingMesh:
    """A mesh with an eye: the network, its two populations, and the probe of the mesh's spikes."""

    network: Network
    mesh: Population
    eye: Population
    spikes: Probe


def seeing_mesh(neurons: int = 100_000, pixels: int = 784, *, seed: int = 7) -> SeeingMesh:
    """The mesh with an input sheet of one source for each pixel, connected one to one to a patch of the mesh."""
    if not 1 <= pixels <= neurons:
        advice = "Use more neurons or smaller images."
        raise InvalidValue(
            "pixels of an image", pixels, f"from 1 to the {neurons} neurons of the mesh", advice
        )
    net = mesh(neurons, seed=seed)
    population = net.population("mesh")
    eye = net.add(Population("eye", pixels, SpikeSource()))
    net.connect(eye, population[:pixels], OneToOne(), weight=EYE_WEIGHT, delay=1.0)
    return SeeingMesh(net, population, eye, net.record(population, "spikes", name="spikes"))


def read_back(spikes: SpikeTrains, images: NDArray[Any], start: float, window: float) -> NDArray[np.float64]:
    """The images as the mesh answers them: each pixel from the latency of the first spike of its neuron.

    spikes: of the mesh. images: [m, h, w], shown from `start` ms on, each for `window` ms; as many come back, [.., h,
    w], as were shown to the end. A neuron answers some steps after its input, so what comes back is a little darker.
    """
    shown = min(len(images), int((spikes.stop - start) / window))
    if shown <= 0:
        return np.empty((0, *images.shape[1:]))
    patch = spikes.select(np.arange(int(np.prod(images.shape[1:]))))
    decoded = latency_decode(patch.between(start, start + shown * window), window)
    return decoded.reshape(shown, *images.shape[1:])


def likeness(images: NDArray[Any], answers: NDArray[np.float64]) -> float | None:
    """The mean correlation between images and what was read back of them; None where nothing was."""
    pairs = [(image.ravel(), answer.ravel()) for image, answer in zip(images, answers, strict=False)]
    values = [np.corrcoef(a, b)[0, 1] for a, b in pairs if a.std() > 0.0 and b.std() > 0.0]
    return float(np.mean(values)) if values else None
