"""The Potjans-Diesmann microcircuit as numbers, for peers."""

from __future__ import annotations

from typing import Any

from treplica.systems import microcircuit_parameters as given
from treplica.systems.microcircuit_parameters import Drive, Voltages, circuit


def description(scale: float, drive: Drive = "poisson", voltages: Voltages = "optimized") -> dict[str, Any]:
    """Every number of the network, as peers take them; names of the neuron's parameters are those of NEST."""
    numbers = circuit(scale, drive)
    return {
        "dt": given.DT,
        "names": list(given.POPULATIONS),
        "neurons": numbers.neurons.tolist(),
        "synapses": numbers.synapses.tolist(),
        "weights": numbers.weights.tolist(),
        "weight_spread": given.WEIGHT_SPREAD,
        "delays": [given.DELAY_EXC if excitatory else given.DELAY_INH for excitatory in given.EXCITATORY],
        "delay_spread": given.DELAY_SPREAD,
        "external_rates": numbers.external_rates.tolist(),
        "external_weight": numbers.external_weight,
        "currents": numbers.currents.tolist(),
        "initial_v": [values.tolist() for values in given.INITIAL_V[voltages]],
        "params": {
            "E_L": given.V_REST,
            "V_th": given.V_TH,
            "V_reset": given.V_RESET,
            "C_m": given.C_M,
            "tau_m": given.TAU,
            "tau_syn_ex": given.TAU_SYN,
            "tau_syn_in": given.TAU_SYN,
            "t_ref": given.REFRACTORY,
        },
    }
