"""Brunel's network in NEST, as in its example brunel_delta_nest, with the paper's reset to 10 mV."""

import nest
import with_nest


def build(s):
    """Neurons, drive and synapses."""
    params = {"C_m": 1.0, "tau_m": 20.0, "t_ref": 2.0, "E_L": 0.0, "V_reset": 10.0, "V_m": 0.0, "V_th": 20.0}
    cells = nest.Create("iaf_psc_delta", s["neurons"], params)
    first = s["neurons"] * 4 // 5
    degrees = first // 10, (s["neurons"] - first) // 10
    nest.CopyModel("static_synapse", "excitatory", {"weight": 0.1, "delay": 1.5})
    nest.CopyModel("static_synapse", "inhibitory", {"weight": -s["g"] * 0.1, "delay": 1.5})
    with_nest.fixed_indegree(cells[:first], cells, degrees[0], "excitatory")
    with_nest.fixed_indegree(cells[first:], cells, degrees[1], "inhibitory")
    drive = nest.Create("poisson_generator", params={"rate": s["eta"] * 20.0 / (0.1 * 20.0) * 1000.0})
    nest.Connect(drive, cells, "all_to_all", "excitatory")
    return {"neurons": s["neurons"], "synapses": sum(degrees) * s["neurons"]}


with_nest.measure(build)
