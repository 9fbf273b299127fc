"""The self-sustained networks of Vogels and Abbott: synapses that are currents (CUBA) or conductances (COBA).

Claim: a sparse random network of 80 % excitatory and 20 % inhibitory neurons goes on irregularly after a kick of 50 ms.
Vogels & Abbott 2005, doi:10.1523/JNEUROSCI.3508-05.2005; as benchmarks 1 and 2 of Brette et al. 2007,
doi:10.1007/s10827-007-0038-6, with the parameters of NEST's brette_et_al_2007/coba.py and cuba.py: delay and dt are
0.1 ms.

The benchmark has 4,000 neurons, connected with probability 0.02: each has 64 excitatory and 16 inhibitory inputs.
Larger networks keep the 80 inputs and their weights, as the field does when it scales this benchmark, so a neuron
receives the same at every size; the share of neurons that are kicked, 50 of 3,200, is kept too.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

import treplica as tr
from treplica.errors import InvalidValue, UnknownName

Kind = Literal["cuba", "coba"]

#: Inputs of every neuron.
EXCITATORY, INHIBITORY = 64, 16
#: One excitatory neuron of this many is kicked: 50 of 3,200.
KICKED_OF = 64
#: The kick: Hz, first and last ms.
KICK_RATE, KICK_START, KICK_STOP = 300.0, 1.0, 51.0
DELAY = 0.1

#: The neuron; the weights of excitatory and of inhibitory synapses (pA for CUBA, nS for COBA).
MODELS: dict[str, tuple[tr.model.Instance, float, float]] = {
    "cuba": (
        tr.LIFExp(
            v=-49.0, v_rest=-49.0, v_th=-50.0, v_reset=-60.0, c_m=200.0, tau=20.0, refractory=5.0,
            tau_ex=5.0, tau_inh=10.0,
        ),
        16.2,
        -139.5,
    ),
    "coba": (
        tr.LIFCondExp(
            v=-60.0, v_rest=-60.0, v_th=-50.0, v_reset=-60.0, c_m=200.0, g_leak=10.0, refractory=5.0,
            tau_ex=5.0, tau_inh=10.0, e_ex=0.0, e_inh=-80.0,
        ),
        6.0,
        67.0,
    ),
}  # fmt: skip


def vogels_abbott(kind: Kind = "cuba", neurons: int = 4000, *, seed: int = 7) -> tr.Network:
    """The network: population `cells`, whose first four fifths are excitatory.

    neurons: a multiple of 5, at least 100. The kick is part of the network: Poisson spikes of 300 Hz from 1 to 51 ms
    onto one excitatory neuron of 64. Meant for dt = 0.1 ms. Raises UnknownName, InvalidValue.
    """
    if kind not in get_args(Kind):
        raise UnknownName("kind of a Vogels-Abbott network", kind, get_args(Kind))
    if not isinstance(neurons, int) or neurons < 100 or neurons % 5:
        raise InvalidValue("vogels_abbott: neurons", neurons, "a multiple of 5, at least 100")
    neuron, excitation, inhibition = MODELS[kind]
    net = tr.Network(seed=seed)
    cells = net.add(tr.Population("cells", neurons, neuron))
    first = neurons * 4 // 5
    for source, degree, weight, port in (
        (cells[:first], EXCITATORY, excitation, "ex"),
        (cells[first:], INHIBITORY, inhibition, "inh"),
    ):
        net.connect(source, cells, tr.FixedInDegree(degree), weight=weight, delay=DELAY, port=port)
    kicked = first // KICKED_OF
    window = KICK_STOP - KICK_START
    kick = tr.coding.poisson(np.ones(kicked), KICK_RATE, window, DELAY, seed).shifted(KICK_START)
    net.stimulate(cells[:kicked], tr.SpikeInput(kick, weight=excitation), port="ex", name="kick")
    return net
