"""For tests of models, engines and networks: what conforms is checked the way Treplica checks itself.

Random networks and spike trains for hypothesis are in `treplica.testing.strategies`.
"""

from treplica.testing.engines import check_engine
from treplica.testing.models import Conformance, check_model, check_neuron, check_receptor
from treplica.testing.networks import sample_networks
from treplica.testing.spikes import spike_difference

__all__ = [
    "Conformance",
    "check_engine",
    "check_model",
    "check_neuron",
    "check_receptor",
    "sample_networks",
    "spike_difference",
]
