"""Leaky integrate-and-fire neuron with exponential synaptic currents, integrated exactly."""

from typing import Any

from treplica.model import arrival, current, exp, formula, neuron, spike, state, where
from treplica.model.formulas import whole_steps
from treplica.neurons.membrane import LEAKY, RESET, SYNAPTIC
from treplica.neurons.propagators import constant_to_v, exponential_to_v


def constants(tau, c_m, tau_ex, tau_inh, refractory, dt):
    """The exact solution over one step (also where a synaptic time constant equals tau)."""
    return dict(
        decay=exp(-dt / tau),
        gain=constant_to_v(tau, c_m, dt),
        decay_ex=exp(-dt / tau_ex),
        decay_inh=exp(-dt / tau_inh),
        gain_ex=exponential_to_v(tau, tau_ex, c_m, dt),
        gain_inh=exponential_to_v(tau, tau_inh, c_m, dt),
        pause=whole_steps(refractory, dt),
    )


#: All quantities but the ports; each model says when it counts what arrives there.
FIELDS: dict[str, Any] = dict(
    **LEAKY,
    **RESET,
    **SYNAPTIC,
    i_ex=state("pA", 0.0, doc="current of port ex"),
    i_inh=state("pA", 0.0, doc="current of port inh"),
    i=current("pA", doc="input current"),
)


@formula
def moved(v, i_ex, i_inh, i, decay, gain, gain_ex, gain_inh, v_rest):
    """Give v after a step in which it does not rest, from the currents at the beginning of the step."""
    return v_rest + (v - v_rest) * decay + i_ex * gain_ex + i_inh * gain_inh + i * gain


@neuron(
    **FIELDS,
    ex=arrival("pA", doc="the current of this port jumps by the weight"),
    inh=arrival("pA", doc="likewise; the weight of an inhibitory synapse is negative"),
    derive=constants,
    source="Tsodyks, Uziel & Markram 2000, doi:10.1523/JNEUROSCI.20-01-j0003.2000; Rotter & Diesmann 1999",
)
def LIFExp(
    v, i_ex, i_inh, wait, i, ex, inh, decay, gain, decay_ex, decay_inh, gain_ex, gain_inh,
    v_rest, v_th, v_reset, pause,
):  # fmt: skip
    """Leaky integrate-and-fire neuron whose synaptic currents jump and decay exponentially.

    tau dv/dt = v_rest - v + tau (i + i_ex + i_inh) / c_m. What arrives changes a current at the end of the
    step and v from the next step on. The currents go on during the refractory period. Same spikes as NEST's
    iaf_psc_exp.
    """
    rest = wait > 0.0
    v1 = where(rest, v, moved(v, i_ex, i_inh, i, decay, gain, gain_ex, gain_inh, v_rest))
    s = spike(v1 - v_th)
    fired = s > 0.0
    return dict(
        v=where(fired, v_reset, v1),
        i_ex=i_ex * decay_ex + ex,
        i_inh=i_inh * decay_inh + inh,
        wait=where(fired, pause, where(rest, wait - 1.0, 0.0)),
        spike=s,
    )
