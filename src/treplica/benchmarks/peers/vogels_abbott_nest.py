"""The networks of Vogels and Abbott in NEST, as in its example brette_et_al_2007."""

import nest
import with_nest

COMMON = {"V_th": -50.0, "V_reset": -60.0, "C_m": 200.0, "t_ref": 5.0, "tau_syn_ex": 5.0, "tau_syn_in": 10.0}
#: kind -> model, its parameters, excitatory and inhibitory weight
MODELS = {
    "cuba": ("iaf_psc_exp", {"E_L": -49.0, "V_m": -49.0, "tau_m": 20.0}, 16.2, -139.5),
    "coba": (
        "iaf_cond_exp",
        {"E_L": -60.0, "V_m": -60.0, "g_L": 10.0, "E_ex": 0.0, "E_in": -80.0},
        6.0,
        -67.0,
    ),
}


def build(s):
    """Neurons, kick and synapses."""
    model, params, excitation, inhibition = MODELS[s["kind"]]
    cells = nest.Create(model, s["neurons"], COMMON | params)
    first = s["neurons"] * 4 // 5
    nest.CopyModel("static_synapse", "excitatory", {"weight": excitation, "delay": 0.1})
    nest.CopyModel("static_synapse", "inhibitory", {"weight": inhibition, "delay": 0.1})
    with_nest.fixed_indegree(cells[:first], cells, 64, "excitatory")
    with_nest.fixed_indegree(cells[first:], cells, 16, "inhibitory")
    kick = nest.Create("poisson_generator", params={"rate": 300.0, "start": 1.0, "stop": 51.0})
    nest.Connect(kick, cells[: first // 64], "all_to_all", "excitatory")
    return {"neurons": s["neurons"], "synapses": 80 * s["neurons"]}
