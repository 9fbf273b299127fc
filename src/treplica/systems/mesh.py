"""The founding blueprint's small-world mesh of Izhikevich neurons, with or without an eye.

Claim: a mesh of regular-spiking neurons in which more than 99 % are silent in any step, kept alive by weak noise and
answering images that arrive as spike latencies. docs/demo.md says how its weights were chosen and what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from treplica.connectivity import OneToOne, WattsStrogatz
from treplica.errors import InvalidValue
from treplica.network import Network, Population, Probe
from treplica.neurons import Izhikevich, SpikeSource
from treplica.synapses import GaussianCurrent

#: The demonstration's weights: see docs/demo.md.
MESH_WEIGHT, EYE_WEIGHT, NOISE = 8.0, 30.0, 3.0


def mesh(
    neurons: int = 100_000,
    *,
    k: int = 6,
    p: float = 0.02,
    weight: float = MESH_WEIGHT,
    noise: float = NOISE,
    refractory: float = 3.0,
    seed: int = 7,
) -> Network:
    """The mesh alone: population `mesh`, Watts-Strogatz connections with delay 1 ms, Gaussian current noise.

    weight: mV by which a spike raises its targets. noise: standard deviation of the current, new in every step.
    refractory: ms (0: none). Meant for dt = 1 ms.
    """
    net = Network(seed=seed)
    population = net.add(Population("mesh", neurons, Izhikevich.regular_spiking(refractory=refractory)))
    net.connect(population, population, WattsStrogatz(k=k, p=p), weight=weight, delay=1.0)
    net.stimulate(population, GaussianCurrent(std=noise))
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
