"""Izhikevich's two-variable neuron and its twenty published firing patterns."""

from treplica.model import arrival, current, floor, neuron, param, spike, state, where


def constants(refractory, dt):
    """The refractory period in whole steps."""
    return dict(pause=floor(refractory / dt + 0.5))


@neuron(
    v=state("mV", -65.0, doc="membrane potential"),
    u=state("1", -13.0, doc="recovery"),
    wait=state("steps", 0.0, doc="steps of the refractory period that are left"),
    i=current("1", doc="input current"),
    arrived=arrival("mV", doc="spikes raise v by their weight"),
    a=param("1/ms", 0.02, low=0.0, doc="rate of recovery"),
    b=param("1", 0.2, doc="sensitivity of u to v"),
    c=param("mV", -65.0, doc="v after a spike"),
    d=param("1", 8.0, doc="u gained at a spike"),
    refractory=param("ms", 0.0, low=0.0, doc="v and u rest after a spike for this long"),
    peak=param("mV", 30.0, doc="a spike is where v reaches this"),
    derive=constants,
    presets=dict(regular_spiking=dict(a=0.02, b=0.2, c=-65.0, d=8.0)),
    source="Izhikevich 2003, doi:10.1109/TNN.2003.820440",
)
def Izhikevich(v, u, wait, i, arrived, a, b, c, d, pause, peak, dt):
    """Quadratic integrate-and-fire neuron with recovery; 20 firing patterns from four parameters."""
    rest = wait > 0.0
    v1 = where(rest, v, v + dt * (0.04 * v * v + 5.0 * v + 140.0 - u + i) + arrived)
    u1 = where(rest, u, u + dt * a * (b * v - u))
    s = spike(v1 - peak)
    fired = s > 0.0
    return dict(
        v=where(fired, c, v1),
        u=where(fired, u1 + d, u1),
        wait=where(fired, pause, where(rest, wait - 1.0, 0.0)),
        spike=s,
    )
