"""Treplica: spiking networks described once, run everywhere.

Describe a network with `Network`, `Population`, a connection rule and stimuli; run it with `Simulation`; look at
it with `treplica.analysis`. Encoders are in `treplica.coding`, the words for models in `treplica.model`.
"""

from treplica import analysis, coding, connectivity, errors, model, neurons, synapses
from treplica.coding import SpikeTrains, Traces
from treplica.connectivity import (
    WattsStrogatz,
)
from treplica.network import (
    Network,
    PoissonInput,
    Population,
    Probe,
    Projection,
    SpikeInput,
    StepCurrent,
    Stimulus,
    View,
)
from treplica.neurons import (
    ALIF,
    LIF,
    AdEx,
    ExponentialIF,
    HodgkinHuxley,
    Izhikevich,
    LIFAlpha,
    LIFCondAlpha,
    LIFCondExp,
    LIFExp,
    PoissonSource,
    QuadraticIF,
    SoftResetLIF,
    SpikeSource,
)
from treplica.simulation import Simulation, Summary
from treplica.synapses import (
    Alpha,
    Conductance,
    ConductanceAlpha,
    ConductanceDoubleExponential,
    DirectCurrent,
    DoubleExponential,
    Exponential,
    GaussianCurrent,
)

__version__ = "0.1.0"

__all__ = [
    "ALIF",
    "LIF",
    "AdEx",
    "Alpha",
    "Conductance",
    "ConductanceAlpha",
    "ConductanceDoubleExponential",
    "DirectCurrent",
    "DoubleExponential",
    "Exponential",
    "ExponentialIF",
    "GaussianCurrent",
    "HodgkinHuxley",
    "Izhikevich",
    "LIFAlpha",
    "LIFCondAlpha",
    "LIFCondExp",
    "LIFExp",
    "Network",
    "PoissonInput",
    "PoissonSource",
    "Population",
    "Probe",
    "Projection",
    "QuadraticIF",
    "Simulation",
    "SoftResetLIF",
    "SpikeInput",
    "SpikeSource",
    "SpikeTrains",
    "StepCurrent",
    "Stimulus",
    "Summary",
    "Traces",
    "View",
    "WattsStrogatz",
    "analysis",
    "coding",
    "connectivity",
    "errors",
    "model",
    "neurons",
    "synapses",
]
