"""Whether two simulations are at the same point of the same run."""

from typing import Any

import numpy as np

import treplica as tr

#: Figures of a summary that are counted, not measured.
COUNTED = (
    "precision", "dt_ms", "neurons", "synapses", "model_s", "spikes", "mean_rate_hz", "silent_share_mean",
    "silent_share_min", "synaptic_events", "weight_rounding", "weight_mean_error", "weight_variance_error",
)  # fmt: skip


def recorded(network: tr.Network, dt: float) -> tr.Network:
    """The network, with all spikes and, every third step, all states recorded."""
    for population in network.populations:
        network.record(population, name=f"{population.name}_all")
        network.record(population[:3], name=f"{population.name}_few")
        for variable in population.variables:
            name = f"{population.name}_state_{variable.replace('.', '_')}"
            network.record(population, variable, interval=3 * dt, name=name)
    return network


def simulation(network: tr.Network, **settings: Any) -> tr.Simulation:
    return tr.Simulation(network, **{"dt": 0.5, "quiet": True, **settings})


def difference(a: tr.Simulation, b: tr.Simulation) -> str | None:
    """The first thing in which two simulations differ: time, recordings, states or counts."""
    if a.time != b.time:
        return f"times {a.time} and {b.time}"
    for probe in a.network.probes:
        if a[probe] != b[probe]:
            return f"recording {probe.name}: {a[probe]} and {b[probe]}"
    for population in a.network.populations:
        for variable in population.variables:
            mine, other = (sim.state(population.name, variable) for sim in (a, b))
            if mine.dtype != other.dtype or not np.array_equal(mine, other, equal_nan=True):
                return f"state {population.name}.{variable}"
    figures = [sim.summary().as_dict() for sim in (a, b)]
    for name in COUNTED:
        if figures[0][name] != figures[1][name]:
            return f"{name}: {figures[0][name]} and {figures[1][name]}"
    return None
