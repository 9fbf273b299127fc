"""Izhikevich's two-variable neuron and its twenty published firing patterns."""

from treplica.model import arrival, current, neuron, param, spike, state, where
from treplica.model.formulas import whole_steps
from treplica.neurons.izhikevich_presets import PATTERNS, TYPES
from treplica.neurons.membrane import POTENTIALS, WAIT


def constants(refractory, dt):
    """The refractory period in whole steps."""
    return dict(pause=whole_steps(refractory, dt))


@neuron(
    v=state("mV", -65.0, span=POTENTIALS, doc="membrane potential"),
    u=state("1", -13.0, span=POTENTIALS, doc="recovery"),
    wait=WAIT,
    i=current("1", doc="input current"),
    arrived=arrival("mV", doc="spikes raise v by their weight"),
    a=param("1/ms", 0.02, doc="rate of recovery; negative in two published patterns"),
    b=param("1", 0.2, doc="sensitivity of u to v"),
    c=param("mV", -65.0, doc="v after a spike"),
    d=param("1", 8.0, doc="u gained at a spike"),
    refractory=param("ms", 0.0, low=0.0, doc="v and u rest after a spike for this long"),
    peak=param("mV", 30.0, doc="a spike is where v reaches this"),
    linear=param("1/ms", 5.0, doc="coefficient of v in dv/dt"),
    constant=param("mV/ms", 140.0, doc="constant term of dv/dt"),
    v_u=param("mV", 0.0, doc="u is drawn towards b (v - v_u)"),
    leak=param("1", 1.0, doc="how strongly u pulls itself back; 0 in the published accommodation"),
    semi_implicit=param("1", 0.0, low=0.0, high=1.0, doc="1: u follows the v of the end of the step"),
    derive=constants,
    presets={**TYPES, **PATTERNS},
    source="Izhikevich 2003, doi:10.1109/TNN.2003.820440; patterns: 2004, doi:10.1109/TNN.2004.832719",
)
def Izhikevich(
    v, u, wait, i, arrived, a, b, c, d, pause, peak, linear, constant, v_u, leak, semi_implicit, dt
):
    """Quadratic integrate-and-fire neuron with recovery; 20 firing patterns from a handful of parameters.

    dv/dt = 0.04 v^2 + linear v + constant - u + i and du/dt = a (b (v - v_u) - leak u); at the peak v = c and u
    grows by d. One Euler step: with semi_implicit=0 both slopes are those of the beginning of the step, as in
    NEST's izhikevich with consistent integration; with 1 u is advanced with the new v, as in the program that was
    published with the twenty patterns. Bistability, the depolarizing after-potential and inhibition-induced
    bursting are lost without it, so the patterns are presets with semi_implicit=1 and belong to the dt of that
    program (see `treplica.systems.izhikevich_patterns`).
    """
    rest = wait > 0.0
    v1 = where(rest, v, v + dt * (0.04 * v * v + linear * v + constant - u + i) + arrived)
    drive = where(semi_implicit > 0.5, v1, v)
    u1 = where(rest, u, u + dt * a * (b * (drive - v_u) - leak * u))
    s = spike(v1 - peak)
    fired = s > 0.0
    return dict(
        v=where(fired, c, v1),
        u=where(fired, u1 + d, u1),
        wait=where(fired, pause, where(rest, wait - 1.0, 0.0)),
        spike=s,
    )
