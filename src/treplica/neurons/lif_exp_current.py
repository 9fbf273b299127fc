"""Leaky integrate-and-fire neuron with one exponential synaptic current, integrated exactly."""

from treplica.model import arrival, current, exp, neuron, param, spike, state, where
from treplica.model.formulas import whole_steps
from treplica.neurons.membrane import LEAKY, RESET
from treplica.neurons.propagators import constant_to_v, exponential_to_v


def constants(tau, c_m, tau_syn, refractory, dt):
    """The exact solution over one step (also where the synaptic time constant equals tau)."""
    return dict(
        decay=exp(-dt / tau),
        gain=constant_to_v(tau, c_m, dt),
        decay_syn=exp(-dt / tau_syn),
        gain_syn=exponential_to_v(tau, tau_syn, c_m, dt),
        pause=whole_steps(refractory, dt),
    )


@neuron(
    **LEAKY,
    **RESET,
    tau_syn=param("ms", 2.0, low=0.0, low_open=True, doc="time constant of the synaptic current"),
    i_syn=state("pA", 0.0, doc="synaptic current"),
    i=current("pA", doc="input current"),
    syn=arrival(
        "pA", doc="the synaptic current jumps by the weight; that of an inhibitory synapse is negative"
    ),
    derive=constants,
    source="Tsodyks, Uziel & Markram 2000, doi:10.1523/JNEUROSCI.20-01-j0003.2000; Rotter & Diesmann 1999",
)
def LIFExpCurrent(v, i_syn, wait, i, syn, decay, gain, decay_syn, gain_syn, v_rest, v_th, v_reset, pause):
    """`LIFExp` for synapses that all have the same time constant: one current, and one port for all of them.

    tau dv/dt = v_rest - v + tau (i + i_syn) / c_m. What arrives changes the current at the end of the step and
    v from the next step on. The current goes on during the refractory period. Same spikes as NEST's iaf_psc_exp
    with tau_syn_ex = tau_syn_in, with half the synaptic memory and work of `LIFExp`.
    """
    rest = wait > 0.0
    moved = v_rest + (v - v_rest) * decay + i_syn * gain_syn + i * gain
    v1 = where(rest, v, moved)
    s = spike(v1 - v_th)
    fired = s > 0.0
    return dict(
        v=where(fired, v_reset, v1),
        i_syn=i_syn * decay_syn + syn,
        wait=where(fired, pause, where(rest, wait - 1.0, 0.0)),
        spike=s,
    )
