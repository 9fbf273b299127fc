"""Exponential integrate-and-fire neuron: spikes start by themselves above a soft threshold."""

from treplica.model import arrival, current, exp, formula, minimum, neuron, param, spike, where
from treplica.model.formulas import whole_steps
from treplica.neurons.membrane import LEAKY, RESET


@formula
def slope(v, i, c_m, tau, v_rest, v_th, delta_t, v_peak):
    """dv/dt in mV/ms. v counts up to v_peak only: beyond it the exponential overflows."""
    below = minimum(v, v_peak)
    return (v_rest - below + delta_t * exp((below - v_th) / delta_t)) / tau + i / c_m


def constants(refractory, dt):
    """The refractory period in steps."""
    return dict(pause=whole_steps(refractory, dt))


@neuron(
    **{
        **LEAKY,
        "v_th": param("mV", -55.0, doc="where the exponential takes over; not where a spike is detected"),
    },
    **RESET,
    i=current("pA", doc="input current"),
    arrived=arrival("mV", doc="spikes raise v by their weight"),
    delta_t=param("mV", 2.0, low=0.0, low_open=True, doc="slope factor: how sharp the upswing is"),
    v_peak=param("mV", -45.0, doc="a spike is where v reaches this; from here to the top takes 0.05 ms"),
    derive=constants,
    source="Fourcaud-Trocmé et al. 2003, doi:10.1523/JNEUROSCI.23-37-11628.2003",
)
def ExponentialIF(v, wait, i, arrived, c_m, tau, v_rest, v_th, delta_t, v_peak, v_reset, pause, dt):
    """Exponential integrate-and-fire neuron with delta synapses.

    tau dv/dt = v_rest - v + delta_t exp((v - v_th) / delta_t) + tau i / c_m, by Runge-Kutta of order 4.
    """
    rest = wait > 0.0
    k1 = slope(v, i, c_m, tau, v_rest, v_th, delta_t, v_peak)
    k2 = slope(v + 0.5 * dt * k1, i, c_m, tau, v_rest, v_th, delta_t, v_peak)
    k3 = slope(v + 0.5 * dt * k2, i, c_m, tau, v_rest, v_th, delta_t, v_peak)
    k4 = slope(v + dt * k3, i, c_m, tau, v_rest, v_th, delta_t, v_peak)
    v1 = where(rest, v, v + dt * (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0 + arrived)
    s = spike(v1 - v_peak)
    fired = s > 0.0
    return dict(
        v=where(fired, v_reset, v1),
        wait=where(fired, pause, where(rest, wait - 1.0, 0.0)),
        spike=s,
    )
