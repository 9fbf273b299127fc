"""Leaky integrate-and-fire neurons with delta synapses, integrated exactly: hard reset and soft reset."""

from treplica.model import arrival, current, exp, neuron, spike, where
from treplica.model.formulas import whole_steps
from treplica.neurons.membrane import LEAKY, RESET
from treplica.neurons.propagators import constant_to_v


def hard_constants(tau, c_m, refractory, dt):
    """The exact solution over one step, and the refractory period in steps."""
    return dict(decay=exp(-dt / tau), gain=constant_to_v(tau, c_m, dt), pause=whole_steps(refractory, dt))


@neuron(
    **LEAKY,
    **RESET,
    i=current("pA", doc="input current"),
    arrived=arrival("mV", doc="spikes raise v by their weight"),
    derive=hard_constants,
    source="Lapicque 1907; exact integration: Rotter & Diesmann 1999, doi:10.1007/s004220050570",
)
def LIF(v, wait, i, arrived, decay, gain, v_rest, v_th, v_reset, pause):
    """Leaky integrate-and-fire neuron with delta synapses.

    tau dv/dt = v_rest - v + tau i / c_m, exact for a current that is constant during the step. The weights of
    the spikes that arrive are added to v at the end of the step, before the threshold is tested; during the
    refractory period they are lost. Same spikes as NEST's iaf_psc_delta.
    """
    rest = wait > 0.0
    v1 = where(rest, v, v_rest + (v - v_rest) * decay + i * gain + arrived)
    s = spike(v1 - v_th)
    fired = s > 0.0
    return dict(
        v=where(fired, v_reset, v1),
        wait=where(fired, pause, where(rest, wait - 1.0, 0.0)),
        spike=s,
    )


def soft_constants(tau, c_m, dt):
    """The exact solution over one step."""
    return dict(decay=exp(-dt / tau), gain=constant_to_v(tau, c_m, dt))


@neuron(
    **LEAKY,
    i=current("pA", doc="input current"),
    arrived=arrival("mV", doc="spikes raise v by their weight"),
    derive=soft_constants,
    source="Rueckauer et al. 2017, doi:10.3389/fnins.2017.00682 (reset by subtraction)",
)
def SoftResetLIF(v, i, arrived, decay, gain, v_rest, v_th):
    """Leaky integrate-and-fire neuron that keeps what exceeds the threshold.

    Like `LIF` without a refractory period; a spike lowers v by v_th - v_rest instead of setting it, so no
    input is lost and the rate stays proportional to a strong input. At most one spike in a step.
    """
    v1 = v_rest + (v - v_rest) * decay + i * gain + arrived
    s = spike(v1 - v_th)
    return dict(v=where(s > 0.0, v1 - (v_th - v_rest), v1), spike=s)
