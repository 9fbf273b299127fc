"""The frozen, serialisable description of a network."""

from treplica.network.network import Network
from treplica.network.parts import Population, Probe, Projection, Stimulus
from treplica.network.stimuli import PoissonInput, SpikeInput, StepCurrent
from treplica.network.views import View

__all__ = [
    "Network",
    "PoissonInput",
    "Population",
    "Probe",
    "Projection",
    "SpikeInput",
    "StepCurrent",
    "Stimulus",
    "View",
]
