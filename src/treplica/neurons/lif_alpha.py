"""Leaky integrate-and-fire neuron with alpha-shaped synaptic currents, integrated exactly."""

from treplica.model import arrival, current, exp, neuron, spike, state, where
from treplica.model.formulas import whole_steps
from treplica.neurons.membrane import LEAKY, RESET, SYNAPTIC
from treplica.neurons.propagators import alpha_to_v, constant_to_v, exponential_to_v

E = 2.718281828459045


def constants(tau, c_m, tau_ex, tau_inh, refractory, dt):
    """The exact solution over one step (also where a synaptic time constant equals tau)."""
    return dict(
        decay=exp(-dt / tau),
        gain=constant_to_v(tau, c_m, dt),
        decay_ex=exp(-dt / tau_ex),
        decay_inh=exp(-dt / tau_inh),
        gain_ex=exponential_to_v(tau, tau_ex, c_m, dt),
        gain_inh=exponential_to_v(tau, tau_inh, c_m, dt),
        rise_gain_ex=alpha_to_v(tau, tau_ex, c_m, dt),
        rise_gain_inh=alpha_to_v(tau, tau_inh, c_m, dt),
        jump_ex=E / tau_ex,
        jump_inh=E / tau_inh,
        pause=whole_steps(refractory, dt),
    )


@neuron(
    **LEAKY,
    **RESET,
    **SYNAPTIC,
    i_ex=state("pA", 0.0, doc="current of port ex"),
    rise_ex=state("pA/ms", 0.0, doc="what makes i_ex rise"),
    i_inh=state("pA", 0.0, doc="current of port inh"),
    rise_inh=state("pA/ms", 0.0, doc="what makes i_inh rise"),
    i=current("pA", doc="input current"),
    ex=arrival("pA", doc="the weight is the peak of the current, reached after tau_ex"),
    inh=arrival("pA", doc="likewise after tau_inh; the weight of an inhibitory synapse is negative"),
    derive=constants,
    source="Rotter & Diesmann 1999, doi:10.1007/s004220050570",
)
def LIFAlpha(
    v, i_ex, rise_ex, i_inh, rise_inh, wait, i, ex, inh, decay, gain, decay_ex, decay_inh, gain_ex, gain_inh,
    rise_gain_ex, rise_gain_inh, jump_ex, jump_inh, v_rest, v_th, v_reset, pause, dt,
):  # fmt: skip
    """Leaky integrate-and-fire neuron whose synaptic currents are alpha functions.

    A spike of weight w supplies w (t/tau_ex) exp(1 - t/tau_ex) from its arrival on. tau dv/dt = v_rest - v +
    tau (i + i_ex + i_inh) / c_m. The currents go on during the refractory period. Same spikes as NEST's
    iaf_psc_alpha.
    """
    rest = wait > 0.0
    from_ex = rise_ex * rise_gain_ex + i_ex * gain_ex
    from_inh = rise_inh * rise_gain_inh + i_inh * gain_inh
    v1 = where(rest, v, v_rest + (v - v_rest) * decay + from_ex + from_inh + i * gain)
    s = spike(v1 - v_th)
    fired = s > 0.0
    return dict(
        v=where(fired, v_reset, v1),
        i_ex=(i_ex + dt * rise_ex) * decay_ex,
        rise_ex=rise_ex * decay_ex + jump_ex * ex,
        i_inh=(i_inh + dt * rise_inh) * decay_inh,
        rise_inh=rise_inh * decay_inh + jump_inh * inh,
        wait=where(fired, pause, where(rest, wait - 1.0, 0.0)),
        spike=s,
    )
