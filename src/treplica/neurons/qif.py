"""Quadratic integrate-and-fire neuron: the normal form of a saddle-node bifurcation."""

from treplica.model import arrival, current, formula, minimum, neuron, param, spike, where
from treplica.model.formulas import whole_steps
from treplica.neurons.membrane import LEAKY, RESET


@formula
def slope(v, i, c_m, tau, v_rest, v_th, v_peak):
    """dv/dt in mV/ms. v counts up to v_peak only, where there is a spike anyway."""
    below = minimum(v, v_peak)
    return (below - v_rest) * (below - v_th) / (tau * (v_th - v_rest)) + i / c_m


def constants(refractory, dt):
    """The refractory period in steps."""
    return dict(pause=whole_steps(refractory, dt))


@neuron(
    **{**LEAKY, "v_th": param("mV", -55.0, doc="above this v rises by itself")},
    **RESET,
    i=current("pA", doc="input current"),
    arrived=arrival("mV", doc="spikes raise v by their weight"),
    v_peak=param("mV", 0.0, doc="a spike is where v reaches this"),
    derive=constants,
    source="Latham et al. 2000, doi:10.1152/jn.2000.83.2.808",
)
def QuadraticIF(v, wait, i, arrived, c_m, tau, v_rest, v_th, v_peak, v_reset, pause, dt):
    """Quadratic integrate-and-fire neuron with delta synapses.

    tau dv/dt = (v - v_rest) (v - v_th) / (v_th - v_rest) + tau i / c_m, by Runge-Kutta of order 4. Near
    v_rest it is a leaky neuron with time constant tau.
    """
    rest = wait > 0.0
    k1 = slope(v, i, c_m, tau, v_rest, v_th, v_peak)
    k2 = slope(v + 0.5 * dt * k1, i, c_m, tau, v_rest, v_th, v_peak)
    k3 = slope(v + 0.5 * dt * k2, i, c_m, tau, v_rest, v_th, v_peak)
    k4 = slope(v + dt * k3, i, c_m, tau, v_rest, v_th, v_peak)
    v1 = where(rest, v, v + dt * (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0 + arrived)
    s = spike(v1 - v_peak)
    fired = s > 0.0
    return dict(
        v=where(fired, v_reset, v1),
        wait=where(fired, pause, where(rest, wait - 1.0, 0.0)),
        spike=s,
    )
