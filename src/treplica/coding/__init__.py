"""Spikes and traces in memory and on disk, encoders and decoders, readers of images and spikes."""

from treplica.coding.changes import crossing_spikes, delta_decode, delta_spikes
from treplica.coding.event_bins import Events, bin_events
from treplica.coding.filter_bank import mel_bank, mel_features
from treplica.coding.latency import latency, latency_decode, latency_steps
from treplica.coding.rate import currents, poisson, rate_decode
from treplica.coding.readers import read_images, resize
from treplica.coding.samples import SpikeRows, SpikeSamples
from treplica.coding.spike_files import read_spikes
from treplica.coding.traces import Traces
from treplica.coding.trains import SpikeTrains

__all__ = [
    "Events",
    "SpikeRows",
    "SpikeSamples",
    "SpikeTrains",
    "Traces",
    "bin_events",
    "crossing_spikes",
    "currents",
    "delta_decode",
    "delta_spikes",
    "latency",
    "latency_decode",
    "latency_steps",
    "mel_bank",
    "mel_features",
    "poisson",
    "rate_decode",
    "read_images",
    "read_spikes",
    "resize",
]
