"""Spikes and traces in memory and on disk, encoders and decoders, readers of images and spikes."""

from treplica.coding.latency import latency, latency_decode
from treplica.coding.rate import currents, poisson, rate_decode
from treplica.coding.readers import read_images, resize
from treplica.coding.spike_files import read_spikes
from treplica.coding.traces import Traces
from treplica.coding.trains import SpikeTrains

__all__ = [
    "SpikeTrains",
    "Traces",
    "currents",
    "latency",
    "latency_decode",
    "poisson",
    "rate_decode",
    "read_images",
    "read_spikes",
    "resize",
]
