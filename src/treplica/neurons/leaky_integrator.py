"""A membrane that never spikes: the readout of a network."""

from treplica.model import arrival, current, exp, neuron
from treplica.neurons.membrane import LEAKY
from treplica.neurons.propagators import constant_to_v

#: A membrane without threshold.
MEMBRANE = {name: field for name, field in LEAKY.items() if name != "v_th"}


def constants(tau, c_m, dt):
    """The exact solution over one step."""
    return dict(decay=exp(-dt / tau), gain=constant_to_v(tau, c_m, dt))


@neuron(
    **MEMBRANE,
    i=current("pA", doc="input current"),
    arrived=arrival("mV", doc="spikes raise v by their weight"),
    derive=constants,
    source="Lapicque 1907; exact integration: Rotter & Diesmann 1999, doi:10.1007/s004220050570",
)
def LeakyIntegrator(v, i, arrived, decay, gain, v_rest):
    """Leaky integrator with delta synapses: `LIF` without a threshold. It never spikes; record or read its v.

    tau dv/dt = v_rest - v + tau i / c_m, exact for a current that is constant during the step; weights of the spikes
    that arrive are added to v at the end of the step.
    """
    return dict(v=v_rest + (v - v_rest) * decay + i * gain + arrived, spike=0.0)
