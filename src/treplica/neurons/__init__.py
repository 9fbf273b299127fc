"""Neuron models, one file each."""

from treplica.neurons.adaptive_lif import ALIF
from treplica.neurons.adex import AdEx
from treplica.neurons.eif import ExponentialIF
from treplica.neurons.hodgkin_huxley import HodgkinHuxley
from treplica.neurons.izhikevich import Izhikevich
from treplica.neurons.leaky_integrator import LeakyIntegrator
from treplica.neurons.lif import LIF, SoftResetLIF
from treplica.neurons.lif_alpha import LIFAlpha
from treplica.neurons.lif_cond import LIFCondExp
from treplica.neurons.lif_cond_alpha import LIFCondAlpha
from treplica.neurons.lif_exp import LIFExp
from treplica.neurons.lif_exp_current import LIFExpCurrent
from treplica.neurons.nir import NIRI, NIRIF, NIRLI, NIRLIF, NIRCubaLI, NIRCubaLIF, NIRThreshold
from treplica.neurons.qif import QuadraticIF
from treplica.neurons.regular_source import RegularSource
from treplica.neurons.sources import GradedSource, PoissonSource, SpikeSource

__all__ = [
    "ALIF",
    "LIF",
    "NIRI",
    "NIRIF",
    "NIRLI",
    "NIRLIF",
    "AdEx",
    "ExponentialIF",
    "GradedSource",
    "HodgkinHuxley",
    "Izhikevich",
    "LIFAlpha",
    "LIFCondAlpha",
    "LIFCondExp",
    "LIFExp",
    "LIFExpCurrent",
    "LeakyIntegrator",
    "NIRCubaLI",
    "NIRCubaLIF",
    "NIRThreshold",
    "PoissonSource",
    "QuadraticIF",
    "RegularSource",
    "SoftResetLIF",
    "SpikeSource",
]
