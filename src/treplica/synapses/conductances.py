"""Receptors that open a conductance: its current depends on the neuron's potential v.

The conductance is exact; the current is its mean over the step times the driving force at the beginning of
the step, an error that shrinks with dt. Where that matters, use a neuron with conductances of its own
(`LIFCondExp`).
"""

from treplica.model import arrival, param, receptor, sees, state
from treplica.synapses.quantities import (
    DECAY,
    PEAK,
    RISE_AND_DECAY,
    alpha_constants,
    decay_constants,
    double_constants,
)

COMMON = dict(
    g=state("nS", 0.0, doc="the conductance at the end of the step"),
    v=sees("mV", doc="membrane potential before the step"),
    reversal=param("mV", 0.0, doc="reversal potential: where the current changes sign"),
)
RISE = state("nS/ms", 0.0, doc="what makes the conductance rise")
TO_PEAK = arrival("nS", doc="the weight, >= 0, is the peak of the conductance")
SOURCE = "Roth & van Rossum 2009, Computational Modeling Methods for Neuroscientists, chapter 6"


@receptor(
    **COMMON, arrived=arrival("nS", doc="the conductance jumps by the weight, >= 0"), **DECAY,
    derive=decay_constants, source=SOURCE,
)  # fmt: skip
def Conductance(g, arrived, v, reversal, decay, mean):
    """A conductance that jumps by the weight and decays exponentially."""
    return dict(g=g * decay + arrived, current=g * mean * (reversal - v))


@receptor(**COMMON, rise=RISE, arrived=TO_PEAK, **PEAK, derive=alpha_constants, source=SOURCE)
def ConductanceAlpha(g, rise, arrived, v, reversal, decay, decay_rise, passed, mean, mean_passed, jump):
    """A conductance w (t/tau) exp(1 - t/tau): it peaks at the weight after tau."""
    return dict(
        g=g * decay + rise * passed,
        rise=rise * decay_rise + jump * arrived,
        current=(g * mean + rise * mean_passed) * (reversal - v),
    )


@receptor(**COMMON, rise=RISE, arrived=TO_PEAK, **RISE_AND_DECAY, derive=double_constants, source=SOURCE)
def ConductanceDoubleExponential(
    g, rise, arrived, v, reversal, decay, decay_rise, passed, mean, mean_passed, jump
):
    """A conductance exp(-t/tau_decay) - exp(-t/tau_rise), scaled so that it peaks at the weight."""
    return dict(
        g=g * decay + rise * passed,
        rise=rise * decay_rise + jump * arrived,
        current=(g * mean + rise * mean_passed) * (reversal - v),
    )
