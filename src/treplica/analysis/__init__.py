"""Statistics of spike trains and pictures of them."""

from treplica.analysis.dependence import Correlation, correlation, power_spectrum
from treplica.analysis.irregularity import Intervals, cv, cv2, intervals, isi_histogram, local_variation
from treplica.analysis.learning_pictures import confusion_plot, layer_raster, learning_curves
from treplica.analysis.pictures import isi_plot, raster, rate_plot, spectrum_plot, trace_plot
from treplica.analysis.statistics import (
    BinnedCounts,
    PerNeuron,
    SilentShare,
    binned_counts,
    fano,
    mean_rate,
    population_rate,
    rates,
    silent_share,
    synchrony,
)

__all__ = [
    "BinnedCounts",
    "Correlation",
    "Intervals",
    "PerNeuron",
    "SilentShare",
    "binned_counts",
    "confusion_plot",
    "correlation",
    "cv",
    "cv2",
    "fano",
    "intervals",
    "isi_histogram",
    "isi_plot",
    "layer_raster",
    "learning_curves",
    "local_variation",
    "mean_rate",
    "population_rate",
    "power_spectrum",
    "raster",
    "rate_plot",
    "rates",
    "silent_share",
    "spectrum_plot",
    "synchrony",
    "trace_plot",
]
