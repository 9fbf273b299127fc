"""NEST's own hpc_benchmark, with static synapses throughout."""

import math

import nest
import with_nest
from scipy.special import lambertw

TAU_SYN, TAU_M, C_M = 0.32582722403722841, 10.0, 250.0


def current_for_peak(peak):
    """The weight in pA that raises the potential by `peak` mV: convert_synapse_weight of the example."""
    a, b = TAU_M / TAU_SYN, 1.0 / TAU_SYN - 1.0 / TAU_M
    rise = 1.0 / b * (-lambertw(-math.exp(-1.0 / a) / a, -1).real - 1.0 / a)
    slow, fast = math.exp(-rise / TAU_M), math.exp(-rise / TAU_SYN)
    return peak / (math.e / (TAU_SYN * C_M * b) * ((slow - fast) / b - rise * fast))


def build(s):
    """Neurons, drive and synapses."""
    first, second = int(9000 * s["scale"]), int(2250 * s["scale"])
    params = {"E_L": 0.0, "C_m": C_M, "tau_m": TAU_M, "t_ref": 0.5, "V_th": 20.0, "V_reset": 0.0}
    params |= {"tau_syn_ex": TAU_SYN, "tau_syn_in": TAU_SYN}
    excitatory = nest.Create("iaf_psc_alpha", first, params)
    inhibitory = nest.Create("iaf_psc_alpha", second, params)
    everybody = excitatory + inhibitory
    everybody.V_m = nest.random.normal(5.7, 7.2)
    weight = current_for_peak(0.14)
    nest.SetDefaults("static_synapse_hpc", {"delay": 1.5})
    nest.CopyModel("static_synapse_hpc", "syn_ex", {"weight": weight})
    nest.CopyModel("static_synapse_hpc", "syn_in", {"weight": -5.0 * weight})
    threshold = 20.0 / (TAU_M / C_M * weight * math.e * TAU_SYN)  # spikes per ms
    drive = nest.Create("poisson_generator", params={"rate": 1000.0 * 1.685 * threshold})
    nest.Connect(drive, everybody, "all_to_all", "syn_ex")
    for target in (excitatory, inhibitory):
        with_nest.fixed_indegree(excitatory, target, 9000, "syn_ex", autapses=False)
        with_nest.fixed_indegree(inhibitory, target, 2250, "syn_in", autapses=False)
    return {"neurons": first + second, "synapses": 11_250 * (first + second)}


with_nest.measure(build)
