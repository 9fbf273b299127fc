"""Spikes and traces in memory and on disk, encoders and decoders, readers of images and spikes."""

from treplica.coding.traces import Traces
from treplica.coding.trains import SpikeTrains

__all__ = ["SpikeTrains", "Traces"]
