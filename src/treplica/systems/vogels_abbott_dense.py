"""The CUBA network of Vogels and Abbott with one pair in ten connected: synapses grow with the square of its size.

Claim: with recomputed synapses ten thousand millions of them run in the memory of a laptop. Knight & Nowotny 2021,
"Larger GPU-accelerated brain simulations with procedural connectivity", doi:10.1038/s43588-020-00022-7, with the
parameters of their models/va_benchmark (github.com/BrainsOnBoard/procedural_paper): LIF neurons that are driven to 1 mV
above threshold, initial v uniform from reset to threshold, no self-connections, dt = 1 ms. Weights shrink as the number
of inputs grows: the mean input, and with it the rate, is the same at every size and density, its variance is not.

The program belongs to the network, as a delay of one step more than theirs makes 320,000 neurons fire all at once: a
spike adds to a current in the next step and moves v in that same step. `treplica.LIFExp` lets what arrives move v only
one step later, so a neuron with the order of the program stands here. It integrates exactly, currents too.
"""

from __future__ import annotations

import treplica as tr
from treplica.errors import InvalidValue
from treplica.model import arrival, neuron, spike, where
from treplica.neurons.lif_exp import FIELDS, constants, moved
from treplica.systems.vogels_abbott import MODELS

#: pA, at the size and density to which they belong.
EXCITATION, INHIBITION = 4.0, -51.0
SIZE, DENSITY = 4000, 0.02
#: pF: with tau = 20 ms, a resistance of 20 MOhm.
CAPACITANCE = 1000.0
DELAY = 1.0
#: v at the beginning: from reset to threshold.
START = tr.Uniform(-60.0, -50.0)


@neuron(
    **FIELDS,
    ex=arrival("pA", doc="the current of this port jumps by the weight before v moves"),
    inh=arrival("pA", doc="likewise; the weight of an inhibitory synapse is negative"),
    derive=constants,
    source="Knight & Nowotny 2021, doi:10.1038/s43588-020-00022-7, models/va_benchmark",
)
def PromptLIFExp(  # type: ignore[no-untyped-def]
    v, i_ex, i_inh, wait, i, ex, inh, decay, gain, decay_ex, decay_inh, gain_ex, gain_inh,
    v_rest, v_th, v_reset, pause,
):  # fmt: skip
    """Leaky integrate-and-fire neuron with exponential currents; what arrives in a step moves v in that step.

    tau dv/dt = v_rest - v + tau (i + i_ex + i_inh) / c_m, else as `treplica.LIFExp`.
    """
    now_ex = i_ex + ex
    now_inh = i_inh + inh
    rest = wait > 0.0
    v1 = where(rest, v, moved(v, now_ex, now_inh, i, decay, gain, gain_ex, gain_inh, v_rest))
    s = spike(v1 - v_th)
    fired = s > 0.0
    return dict(
        v=where(fired, v_reset, v1),
        i_ex=now_ex * decay_ex,
        i_inh=now_inh * decay_inh,
        wait=where(fired, pause, where(rest, wait - 1.0, 0.0)),
        spike=s,
    )


def vogels_abbott_dense(neurons: int = 4000, p: float = 0.1, *, seed: int = 7) -> tr.Network:
    """The network: population `cells`, whose first four fifths are excitatory; about p neurons**2 synapses.

    neurons: a multiple of 5, at least 100. p: the probability of a connection from 0.001 to 1. Meant for dt = 1 ms.
    All synapses of one sign have one weight and one delay, so nothing but their targets is drawn. Raises InvalidValue.
    """
    if not isinstance(neurons, int) or neurons < 100 or neurons % 5:
        raise InvalidValue("vogels_abbott_dense: neurons", neurons, "a multiple of 5, at least 100")
    if not isinstance(p, int | float) or not 0.001 <= p <= 1.0:
        raise InvalidValue("vogels_abbott_dense: p", p, "a number from 0.001 to 1")
    values = {**MODELS["cuba"][0].values, "c_m": CAPACITANCE, "v": START}
    net = tr.Network(seed=seed)
    cells = net.add(tr.Population("cells", neurons, PromptLIFExp(**values)))
    first = neurons * 4 // 5
    excitatory, inhibitory = cells[:first], cells[first:]
    scale = SIZE * DENSITY / (neurons * p)
    for source, weight, port in ((excitatory, EXCITATION, "ex"), (inhibitory, INHIBITION, "inh")):
        for target in (excitatory, inhibitory):
            rule = tr.Bernoulli(p, self_connections=source != target)
            net.connect(source, target, rule, weight=scale * weight, delay=DELAY, port=port)
    return net
