"""Leaky integrate-and-fire neuron whose threshold rises with every spike."""

from treplica.model import arrival, current, exp, neuron, param, spike, state, where
from treplica.model.formulas import whole_steps
from treplica.neurons.membrane import LEAKY, WAIT
from treplica.neurons.propagators import constant_to_v


def constants(tau, c_m, tau_a, refractory, dt):
    """The exact solution over one step, and the refractory period in steps."""
    return dict(
        decay=exp(-dt / tau),
        gain=constant_to_v(tau, c_m, dt),
        decay_a=exp(-dt / tau_a),
        pause=whole_steps(refractory, dt),
    )


@neuron(
    **LEAKY,
    adaptation=state("mV", 0.0, doc="how far the threshold is above v_th"),
    wait=WAIT,
    i=current("pA", doc="input current"),
    arrived=arrival("mV", doc="spikes raise v by their weight"),
    tau_a=param("ms", 200.0, low=0.0, low_open=True, doc="decay of the adaptation"),
    beta=param("mV", 2.0, doc="what a spike adds to the threshold"),
    refractory=param("ms", 2.0, low=0.0, doc="no spike for this long after a spike; v goes on"),
    derive=constants,
    source="Bellec et al. 2018, Advances in Neural Information Processing Systems 31 (LSNN)",
)
def ALIF(v, adaptation, wait, i, arrived, decay, gain, decay_a, beta, v_rest, v_th, pause):
    """Leaky integrate-and-fire neuron with an adaptive threshold.

    tau dv/dt = v_rest - v + tau i / c_m and tau_a d(adaptation)/dt = -adaptation, both exact. A spike is
    where v reaches v_th + adaptation; it lowers v by the distance of that threshold from v_rest, and raises
    the adaptation by beta. Bellec's beta is the beta here divided by 1 - exp(-dt / tau_a): that form depends
    on dt, this one not.
    """
    rest = wait > 0.0
    v1 = v_rest + (v - v_rest) * decay + i * gain + arrived
    raised = adaptation * decay_a
    s = where(rest, 0.0, spike(v1 - v_th - raised))
    fired = s > 0.0
    return dict(
        v=where(fired, v1 - (v_th + raised - v_rest), v1),
        adaptation=where(fired, raised + beta, raised),
        wait=where(fired, pause, where(rest, wait - 1.0, 0.0)),
        spike=s,
    )
