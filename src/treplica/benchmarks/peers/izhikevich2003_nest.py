"""Izhikevich's network of 2003 in NEST: the published integration, which NEST calls not consistent."""

import nest
import numpy as np
import with_nest


def build(s):
    """Neurons, thalamic noise and synapses."""
    random = np.random.default_rng(s["seed"])
    e, r = random.random(800) ** 2, random.random(200)
    excitatory = nest.Create("izhikevich", 800, {"consistent_integration": False, "V_m": -65.0})
    inhibitory = nest.Create("izhikevich", 200, {"consistent_integration": False, "V_m": -65.0})
    excitatory.set({"a": 0.02, "b": 0.2, "U_m": -13.0})
    excitatory.set({"c": -65.0 + 15.0 * e, "d": 8.0 - 6.0 * e})
    b = 0.25 - 0.05 * r
    inhibitory.set({"c": -65.0, "d": 2.0})
    inhibitory.set({"a": 0.02 + 0.08 * r, "b": b, "U_m": -65.0 * b})
    everybody = excitatory + inhibitory
    for cells, low, high, std in ((excitatory, 0.0, 0.5, 5.0), (inhibitory, -1.0, 0.0, 2.0)):
        synapse = {"weight": nest.random.uniform(low, high), "delay": 1.0}
        nest.Connect(cells, everybody, "all_to_all", synapse)
        noise = nest.Create("noise_generator", params={"mean": 0.0, "std": std, "dt": 1.0})
        nest.Connect(noise, cells)
    return {"neurons": 1000, "synapses": 1_000_000}


with_nest.measure(build)
