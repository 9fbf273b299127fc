"""The mesh in NEST: izhikevich neurons, and one generator for all of them, of noise or of Poisson spikes."""

import nest
import numpy as np
import small_world
import with_nest

PARAMS = {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0, "consistent_integration": True}
AT_REST = {"V_m": -70.0, "U_m": -14.0}


def drive(s, nodes):
    """Noise, or spikes from outside."""
    if s["drive"] == "noise":
        noise = nest.Create("noise_generator", params={"mean": 0.0, "std": s["noise"], "dt": 1.0})
        nest.Connect(noise, nodes)
    else:
        outside = nest.Create("poisson_generator", params={"rate": s["rate"]})
        nest.Connect(outside, nodes, syn_spec={"weight": s["kick"], "delay": 1.0})


def build(s):
    """Neurons, drive and synapses."""
    both, figures = small_world.synapses(s)
    start = {} if s["drive"] == "noise" else AT_REST
    nodes = nest.Create("izhikevich", s["neurons"], {**PARAMS, **start})
    sources, targets = (both + nodes[0].global_id).T
    weights, delays = np.full(len(both), s["weight"]), np.full(len(both), 1.0)
    nest.Connect(sources, targets, "one_to_one", {"weight": weights, "delay": delays})
    drive(s, nodes)
    return figures


with_nest.measure(build)
