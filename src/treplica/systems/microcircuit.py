"""The Potjans-Diesmann microcircuit: one square millimetre of early sensory cortex, every neuron and every synapse.

Claim: layers 2/3, 4, 5 and 6, an excitatory and an inhibitory population each, connected as anatomy and physiology
found them, fire spontaneously at the low rates, different from layer to layer, that are recorded in cortex. Potjans &
Diesmann 2014, doi:10.1093/cercor/bhs358. 77,169 neurons, 298.9 million synapses.

Meant for dt = 0.1 ms. docs/microcircuit.md says how it was compared with the same network in another simulator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import treplica as tr
from treplica.errors import InvalidValue
from treplica.systems import microcircuit_parameters as given
from treplica.systems.microcircuit_parameters import POPULATIONS, Circuit, Drive, Voltages, circuit


@dataclass(frozen=True)
class ThalamicPulse:
    """Spikes of 902 thalamic neurons, onto layers 4 and 6, for `duration` ms from `start` ms on, at `rate` Hz each."""

    start: float = 700.0
    duration: float = 10.0
    rate: float = 120.0

    def __post_init__(self) -> None:
        """Check the fields; raises InvalidValue."""
        for name, low in (("start", 0.0), ("duration", given.DT)):
            value = getattr(self, name)
            if not (_is_number(value) and low <= value < 1e9 and _on_grid(value)):
                allowed = f"a multiple of {given.DT} ms, at least {low:g} ms"
                raise InvalidValue(f"ThalamicPulse.{name}", value, allowed)
        if not (_is_number(self.rate) and 0.0 < self.rate <= 1000.0 / given.DT):
            allowed = f"a number > 0 Hz, at most one spike per step of {given.DT} ms"
            raise InvalidValue("ThalamicPulse.rate", self.rate, allowed)

    def trains(self, seed: int) -> tr.SpikeTrains:
        """The Poisson trains, in steps of 0.1 ms, from time 0 to the end of the pulse."""
        first = round(self.start / given.DT)
        spikes = tr.coding.poisson(np.ones(given.THALAMIC_NEURONS), self.rate, self.duration, given.DT, seed)
        n_steps = first + spikes.n_steps
        return tr.SpikeTrains(spikes.steps + first, spikes.ids, spikes.size, given.DT, n_steps)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _on_grid(ms: float) -> bool:
    return abs(round(ms / given.DT) * given.DT - ms) < 1e-6


def microcircuit(
    scale: float = 1.0,
    *,
    drive: Drive = "poisson",
    voltages: Voltages = "optimized",
    thalamus: ThalamicPulse | None = None,
    seed: int = 1,
) -> tr.Network:
    """The microcircuit: populations L23E, L23I, L4E, L4I, L5E, L5I, L6E, L6I, projections `L23E_L4I` and so on.

    - `scale`: 1 is the whole; below, from 0.001 on, that share of the neurons and of the synapses of each, with larger
        weights and a constant current that keep the rates (correlations and intervals change)
    - `drive`: "poisson", independent spikes to every neuron, or "dc", a constant current of the same mean
    - `voltages`: of time 0, "optimized" for each population or the "original" same for all, with a transient
    - `thalamus`: a pulse of thalamic spikes, e.g. `ThalamicPulse()`; they are drawn by this `seed`

    Raises InvalidValue.
    """
    numbers = circuit(scale, drive)
    if voltages not in tuple(given.INITIAL_V):
        raise InvalidValue("voltages of the microcircuit", voltages, "'optimized' or 'original'")
    net = tr.Network(seed=seed)
    for k, name in enumerate(POPULATIONS):
        mean, std = given.INITIAL_V[voltages]
        neuron = _neuron(float(mean[k]), float(std[k]))
        net.add(tr.Population(name, int(numbers.neurons[k]), neuron))
        _drive(net, numbers, k)
    for y, target in enumerate(POPULATIONS):
        for x, source in enumerate(POPULATIONS):
            weight = float(numbers.weights[y, x])
            _connect(net, source, target, int(numbers.synapses[y, x]), weight, given.EXCITATORY[x])
    if thalamus is not None:
        _thalamus(net, numbers, thalamus)
    return net


def _neuron(mean: float, std: float) -> tr.model.Instance:
    """The neuron of every population; mean and standard deviation of v at time 0 in mV."""
    return tr.LIFExpCurrent(
        v=tr.Normal(mean, std),
        c_m=given.C_M,
        tau=given.TAU,
        tau_syn=given.TAU_SYN,
        v_rest=given.V_REST,
        v_th=given.V_TH,
        v_reset=given.V_RESET,
        refractory=given.REFRACTORY,
    )


def _drive(net: tr.Network, numbers: Circuit, k: int) -> None:
    """Poisson spikes and constant current, each where there is one."""
    population = net.population(POPULATIONS[k])
    if numbers.external_rates[k]:
        spikes = tr.PoissonInput(float(numbers.external_rates[k]), numbers.external_weight)
        net.stimulate(population, spikes, name=f"{population.name}_poisson")
    if numbers.currents[k]:
        current = tr.DirectCurrent(amplitude=float(numbers.currents[k]))
        net.stimulate(population, current, name=f"{population.name}_dc")


def _connect(net: tr.Network, source: str, target: str, number: int, weight: float, excitatory: bool) -> None:
    """Synapses drawn one by one, weights of one sign, delays of at least a step; pA and ms."""
    if not number:
        return
    spread = given.WEIGHT_SPREAD * abs(weight)
    weights = tr.Normal(weight, spread, low=0.0) if excitatory else tr.Normal(weight, spread, high=0.0)
    delay = given.DELAY_EXC if excitatory else given.DELAY_INH
    # a little more than half a step, which is rounded up to one
    delays = tr.Normal(delay, given.DELAY_SPREAD * delay, low=0.5 * given.DT * (1.0 + 1e-9))
    net.connect(
        net.population(source),
        net.population(target),
        tr.FixedTotalNumber(number),
        weight=weights,
        delay=delays,
        name=f"{source}_{target}",
    )


def _thalamus(net: tr.Network, numbers: Circuit, pulse: ThalamicPulse) -> None:
    """902 sources, with the weight of the drive from outside."""
    thalamus = net.add(tr.Population("thalamus", given.THALAMIC_NEURONS, tr.SpikeSource()))
    net.stimulate(thalamus, tr.SpikeInput(pulse.trains(net.seed)), name="thalamic_pulse")
    for name, number in zip(POPULATIONS, numbers.thalamic_synapses.tolist(), strict=True):
        _connect(net, "thalamus", name, number, numbers.external_weight, excitatory=True)
