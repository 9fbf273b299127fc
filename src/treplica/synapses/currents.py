"""Receptors that supply a current: from the weights that arrive to the current that flows.

What arrives in the step that ends at t flows from t on, but for `Pulse`. Weights are in the unit of the current that is
fed. Delta synapses need no receptor: they are an arrival of the neuron itself.
"""

from treplica.model import arrival, receptor, state
from treplica.synapses.quantities import (
    DECAY,
    PEAK,
    RISE_AND_DECAY,
    alpha_constants,
    decay_constants,
    double_constants,
)

G = state("1", 0.0, doc="the current at the end of the step")
RISE = state("1/ms", 0.0, doc="what makes the current rise")
TO_PEAK = arrival("1", doc="the weight is the peak of the current")
SOURCE = "Roth & van Rossum 2009, Computational Modeling Methods for Neuroscientists, chapter 6"


@receptor(
    arrived=arrival("1", doc="the current of the step"),
    source="Pedersen et al. 2024, doi:10.1038/s41467-024-52259-9: neurons that take weighted spikes as currents",
)
def Pulse(arrived):
    """A current of the weight during the step in which a spike arrives, unlike the others: charge weight x dt."""
    return dict(current=arrived)


@receptor(
    g=G, arrived=arrival("1", doc="the current jumps by the weight"), **DECAY,
    derive=decay_constants, source=SOURCE,
)  # fmt: skip
def Exponential(g, arrived, decay, mean):
    """A current that jumps by the weight and decays exponentially. Charge of a spike: weight x tau."""
    return dict(g=g * decay + arrived, current=g * mean)


@receptor(g=G, rise=RISE, arrived=TO_PEAK, **PEAK, derive=alpha_constants, source=SOURCE)
def Alpha(g, rise, arrived, decay, decay_rise, passed, mean, mean_passed, jump):
    """A current w (t/tau) exp(1 - t/tau), which peaks after tau. Charge of a spike: weight x e x tau."""
    return dict(
        g=g * decay + rise * passed,
        rise=rise * decay_rise + jump * arrived,
        current=g * mean + rise * mean_passed,
    )


@receptor(g=G, rise=RISE, arrived=TO_PEAK, **RISE_AND_DECAY, derive=double_constants, source=SOURCE)
def DoubleExponential(g, rise, arrived, decay, decay_rise, passed, mean, mean_passed, jump):
    """A current exp(-t/tau_decay) - exp(-t/tau_rise), scaled so that it peaks at the weight."""
    return dict(
        g=g * decay + rise * passed,
        rise=rise * decay_rise + jump * arrived,
        current=g * mean + rise * mean_passed,
    )
