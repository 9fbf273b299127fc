"""Izhikevich's network of 1,000 randomly connected neurons, as published: dt 1 ms, v in two half steps.

Claim: cortical neurons of every kind, with noise from the thalamus and all-to-all synapses of random strength, organise
themselves into rhythms. Izhikevich 2003, Simple model of spiking neurons, figure 3 and the program on its last page,
doi:10.1109/TNN.2003.820440.

The program belongs to the network: what arrives in a step is a current of that whole step, v takes two Euler steps of
half a millisecond and u one of a whole one that follows the new v. NEST has it as izhikevich without
consistent_integration. `treplica.Izhikevich` takes one Euler step and lets spikes raise v, so the neuron of the
program stands here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import treplica as tr
from treplica.model import arrival, current, formula, neuron, param, spike, state, where

EXCITATORY, INHIBITORY = 800, 200
#: Standard deviations of the thalamic input.
THALAMIC_EXCITATORY, THALAMIC_INHIBITORY = 5.0, 2.0


@formula
def half_step(v, u, total, dt):  # type: ignore[no-untyped-def]
    """Give v after an Euler step of dt / 2."""
    return v + 0.5 * dt * (0.04 * v * v + 5.0 * v + 140.0 - u + total)


@neuron(
    v=state("mV", -65.0, doc="membrane potential"),
    u=state("1", -13.0, doc="recovery"),
    i=current("1", doc="input current"),
    arrived=arrival("1", doc="spikes supply their weight as a current for one step"),
    a=param("1/ms", 0.02, doc="rate of recovery"),
    b=param("1", 0.2, doc="sensitivity of u to v"),
    c=param("mV", -65.0, doc="v after a spike"),
    d=param("1", 8.0, doc="u gained at a spike"),
    source="Izhikevich 2003, doi:10.1109/TNN.2003.820440, the published program",
)
def PublishedIzhikevich(v, u, i, arrived, a, b, c, d, dt):  # type: ignore[no-untyped-def]
    """Quadratic integrate-and-fire neuron with recovery, integrated as the published program does.

    The peak is 30 mV. Same spikes as NEST's izhikevich with consistent_integration off.
    """
    total = i + arrived
    v1 = half_step(half_step(v, u, total, dt), u, total, dt)
    u1 = u + dt * a * (b * v1 - u)
    s = spike(v1 - 30.0)
    fired = s > 0.0
    return dict(v=where(fired, c, v1), u=where(fired, u1 + d, u1), spike=s)


def parameters(seed: int) -> dict[str, Any]:
    """a, b, c, d and the first u of the 1,000 neurons, float64[1000] each; the excitatory ones come first.

    A number r in 0..1 for each neuron makes the excitatory ones lie between regular spiking (r = 0) and chattering
    (r = 1), with r^2 so that most are regular spiking; the inhibitory ones between low-threshold and fast spiking.
    """
    random = np.random.default_rng(seed)
    e, r = random.random(EXCITATORY) ** 2, random.random(INHIBITORY)
    ones_e, ones_i = np.ones(EXCITATORY), np.ones(INHIBITORY)
    b = np.concatenate([0.2 * ones_e, 0.25 - 0.05 * r])
    return dict(
        a=np.concatenate([0.02 * ones_e, 0.02 + 0.08 * r]),
        b=b,
        c=np.concatenate([-65.0 + 15.0 * e, -65.0 * ones_i]),
        d=np.concatenate([8.0 - 6.0 * e, 2.0 * ones_i]),
        u=-65.0 * b,
    )


def izhikevich_2003(*, seed: int = 7) -> tr.Network:
    """The network: population `cells`, 800 excitatory neurons and then 200 inhibitory ones; meant for dt = 1 ms.

    Every neuron reaches every neuron, itself too: excitatory weights are uniform from 0 to 0.5, inhibitory ones from
    -1 to 0. The thalamic input is a normal current, new in every step.
    """
    size = EXCITATORY + INHIBITORY
    net = tr.Network(seed=seed)
    cells = net.add(tr.Population("cells", size, PublishedIzhikevich(**parameters(seed))))
    excitatory, inhibitory = cells[:EXCITATORY], cells[EXCITATORY:]
    net.connect(excitatory, cells, tr.AllToAll(), weight=tr.Uniform(0.0, 0.5), delay=1.0)
    net.connect(inhibitory, cells, tr.AllToAll(), weight=tr.Uniform(-1.0, 0.0), delay=1.0)
    net.stimulate(excitatory, tr.GaussianCurrent(std=THALAMIC_EXCITATORY))
    net.stimulate(inhibitory, tr.GaussianCurrent(std=THALAMIC_INHIBITORY))
    return net
