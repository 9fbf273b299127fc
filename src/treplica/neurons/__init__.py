"""Neuron models, one file each."""

from treplica.neurons.izhikevich import Izhikevich

__all__ = ["Izhikevich"]
