"""Receptors, which turn arriving weights into currents, and stimuli computed with the neuron."""

from treplica.synapses.conductances import Conductance, ConductanceAlpha, ConductanceDoubleExponential
from treplica.synapses.currents import Alpha, DoubleExponential, Exponential, Pulse
from treplica.synapses.stimuli import DirectCurrent, GaussianCurrent

__all__ = [
    "Alpha",
    "Conductance",
    "ConductanceAlpha",
    "ConductanceDoubleExponential",
    "DirectCurrent",
    "DoubleExponential",
    "Exponential",
    "GaussianCurrent",
    "Pulse",
]
