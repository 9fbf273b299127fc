"""The neurons of the Neuromorphic Intermediate Representation: in a step, what `treplica.io.nir.run` says they do.

Names, units and the strict threshold are the standard's, so that every number of a file is kept as it is. What the
standard leaves open are two parameters, 0 or 1 for a whole layer: `exact` and `subtract`.
"""

from treplica.model import absolute, arrival, exp, expm1, formula, minimum, neuron, param, spike, state, where
from treplica.model.formulas import phi1

PUBLISHED = "Pedersen et al. 2024, doi:10.1038/s41467-024-52259-9; nodes of the package nir 1.0.8"

X = dict(x=arrival("1", doc="input during the step"))
V = dict(v=state("1", doc="membrane potential"))
I_SYN = dict(i=state("1", doc="synaptic current"))
R = dict(r=param("1", 1.0, doc="resistance: gain of the input"))
LEAK = dict(v_leak=param("1", 0.0, doc="potential at rest"))
EXACT = dict(
    exact=param(
        "1", 0.0, low=0.0, high=1.0, doc="0: a step by Euler's method; 1: the exact solution over a step"
    ),
)
FIRING = dict(
    v_threshold=param("1", 1.0, doc="a spike is where v is above this"),
    v_reset=param("1", 0.0, doc="v after a spike"),
    subtract=param(
        "1",
        0.0,
        low=0.0,
        high=1.0,
        doc="0: a spike sets v to v_reset; 1: it takes v_threshold - v_reset from v",
    ),
)
TAU = dict(tau=param("s", 0.01, low=0.0, low_open=True, doc="membrane time constant, in seconds"))
TAUS = dict(
    tau_syn=param("s", 0.005, low=0.0, low_open=True, doc="synaptic time constant, in seconds"),
    tau_mem=param("s", 0.01, low=0.0, low_open=True, doc="membrane time constant, in seconds"),
)
W_IN = dict(w_in=param("1", 1.0, doc="weight of the input of the synapse"))


@formula
def steps_of(tau, dt):
    """The length of a step, dt ms, in time constants of tau s."""
    return dt / 1000.0 / tau


@formula
def approach(steps, exact):
    """Part of the way to its aim that a variable goes in a step of so many time constants."""
    return where(exact > 0.5, 0.0 - expm1(-steps), steps)


@formula
def left_over(synapse, membrane):
    """What is left in the membrane at the end of a step of a current that was 1 at its beginning and decays.

    Both arguments are the length of the step in time constants; they may be equal.
    """
    return membrane * exp(-minimum(membrane, synapse)) * phi1(-absolute(membrane - synapse))


@formula
def moved(v, x, r, gain, v_leak):
    """A leaky membrane after a step."""
    return v + gain * ((v_leak - v) + r * x)


@formula
def fired(v, v_threshold):
    """1 where v is above the threshold: at the threshold there is no spike yet."""
    return 1.0 - spike(v_threshold - v)


@formula
def after_spike(v, v_threshold, v_reset, subtract):
    """Where v is after a spike."""
    return where(subtract > 0.5, v - (v_threshold - v_reset), v_reset)


def integrator_constants(r, dt):
    """What an input of 1 adds in a step."""
    return dict(gain=dt / 1000.0 * r)


def leaky_constants(tau, exact, dt):
    """How far the membrane goes in a step."""
    return dict(gain=approach(steps_of(tau, dt), exact))


def synaptic_constants(tau_syn, tau_mem, exact, dt):
    """How far membrane and synapse go in a step, and how much of the old current the exact solution has."""
    synapse = steps_of(tau_syn, dt)
    membrane = steps_of(tau_mem, dt)
    return dict(
        gain=approach(membrane, exact),
        gain_syn=approach(synapse, exact),
        cross=where(exact > 0.5, left_over(synapse, membrane), 0.0),
    )


@neuron(**V, **X, **R, derive=integrator_constants, source=PUBLISHED)
def NIRI(v, x, gain):
    """Integrator, NIR's I: dv/dt = r x, time in seconds. It never spikes; record or read its v."""
    return dict(v=v + gain * x, spike=0.0)


@neuron(**V, **X, **R, **FIRING, derive=integrator_constants, source=PUBLISHED)
def NIRIF(v, x, gain, v_threshold, v_reset, subtract):
    """Integrate-and-fire neuron, NIR's IF: dv/dt = r x, time in seconds; a spike is where v is above v_threshold."""
    v1 = v + gain * x
    s = fired(v1, v_threshold)
    return dict(v=where(s > 0.0, after_spike(v1, v_threshold, v_reset, subtract), v1), spike=s)


@neuron(**V, **X, **TAU, **R, **LEAK, **EXACT, derive=leaky_constants, source=PUBLISHED)
def NIRLI(v, x, r, gain, v_leak):
    """Leaky integrator, NIR's LI: tau dv/dt = v_leak - v + r x. It never spikes; record or read its v."""
    return dict(v=moved(v, x, r, gain, v_leak), spike=0.0)


@neuron(**V, **X, **TAU, **R, **LEAK, **FIRING, **EXACT, derive=leaky_constants, source=PUBLISHED)
def NIRLIF(v, x, r, gain, v_leak, v_threshold, v_reset, subtract):
    """Leaky integrate-and-fire neuron, NIR's LIF: tau dv/dt = v_leak - v + r x.

    A spike is where v is above v_threshold. The input is a current that is constant during the step, and v is reset in
    the step of the spike.
    """
    v1 = moved(v, x, r, gain, v_leak)
    s = fired(v1, v_threshold)
    return dict(v=where(s > 0.0, after_spike(v1, v_threshold, v_reset, subtract), v1), spike=s)


@formula
def through_synapse(v, i, x, r, w_in, gain, gain_syn, cross, v_leak, exact):
    """Membrane and current after a step. By Euler's method the membrane takes the new current."""
    aim = w_in * x
    i1 = i + gain_syn * (aim - i)
    drive = where(exact > 0.5, aim, i1)
    return moved(v, drive, r, gain, v_leak) + cross * (r * (i - aim)), i1


@neuron(**V, **I_SYN, **X, **TAUS, **R, **LEAK, **W_IN, **EXACT, derive=synaptic_constants, source=PUBLISHED)
def NIRCubaLI(v, i, x, r, w_in, gain, gain_syn, cross, v_leak, exact):
    """Leaky integrator behind a synapse, NIR's CubaLI. It never spikes; record or read its v.

    tau_syn di/dt = w_in x - i and tau_mem dv/dt = v_leak - v + r i.
    """
    v1, i1 = through_synapse(v, i, x, r, w_in, gain, gain_syn, cross, v_leak, exact)
    return dict(v=v1, i=i1, spike=0.0)


@neuron(
    **V,
    **I_SYN,
    **X,
    **TAUS,
    **R,
    **LEAK,
    **FIRING,
    **W_IN,
    **EXACT,
    derive=synaptic_constants,
    source=PUBLISHED,
)
def NIRCubaLIF(v, i, x, r, w_in, gain, gain_syn, cross, v_leak, exact, v_threshold, v_reset, subtract):
    """Leaky integrate-and-fire neuron behind a synapse, NIR's CubaLIF: a spike is where v is above v_threshold.

    tau_syn di/dt = w_in x - i and tau_mem dv/dt = v_leak - v + r i; a step by Euler's method computes the current
    first and the membrane with the new one.
    """
    v1, i1 = through_synapse(v, i, x, r, w_in, gain, gain_syn, cross, v_leak, exact)
    s = fired(v1, v_threshold)
    return dict(v=where(s > 0.0, after_spike(v1, v_threshold, v_reset, subtract), v1), i=i1, spike=s)


@neuron(**X, threshold=param("1", 1.0, doc="a spike is where x is above this"), source=PUBLISHED)
def NIRThreshold(x, threshold):
    """A spike in every step in which the input is above the threshold, NIR's Threshold: no membrane."""
    return dict(spike=fired(x, threshold))
