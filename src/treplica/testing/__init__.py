"""For tests of models, engines and networks: what conforms is checked the way Treplica checks itself."""

from treplica.testing.models import Conformance, check_model, check_neuron, check_receptor

__all__ = ["Conformance", "check_model", "check_neuron", "check_receptor"]
