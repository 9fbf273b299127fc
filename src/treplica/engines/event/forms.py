"""Which populations have a closed form, and its constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.composition import Part
from treplica.engines.event import kernels_roots as roots
from treplica.engines.event.kernels_cells import CELL, FIRST_CURRENT, LEAKY, QUADRATIC, RELAY, STEPPED
from treplica.engines.event.world import DELTA
from treplica.engines.plan import PopulationPlan
from treplica.errors import InvalidValue
from treplica.neurons import LIF, LIFExp, LIFExpCurrent, PoissonSource, QuadraticIF, SpikeSource
from treplica.synapses import DirectCurrent, Exponential

#: Leaky neurons with synaptic currents of their own: the parameter with the time constant of each, and its state.
_CURRENTS = {
    LIF: (),
    LIFExpCurrent: (("tau_syn", "i_syn"),),
    LIFExp: (("tau_ex", "i_ex"), ("tau_inh", "i_inh")),
}


@dataclass
class Form:
    """How a population is computed.

    kind: see `kernels_cells`. onto: what each port changes, `DELTA` or the number of a current. currents: the part and
    the name of the state and the time constant of each current.
    """

    kind: int
    onto: list[int]
    currents: list[tuple[Part, str, Any]]


def form_of(population: PopulationPlan) -> Form:
    """The closed form of a population, or `STEPPED` where there is none."""
    composition = population.composition
    model = composition.neuron.model
    others = composition.parts[:-1]
    receptors = [p for p in others if p.ports]
    constant = all(p.model is DirectCurrent or p.ports for p in others)
    if model in (SpikeSource, PoissonSource) and not others:
        return Form(RELAY, [DELTA] * len(composition.ports), [])
    if model is QuadraticIF and constant and not receptors:
        return Form(QUADRATIC, [DELTA], [])
    if model in _CURRENTS and constant and all(p.model is Exponential for p in receptors):
        own = [(composition.neuron, state, tau) for tau, state in _CURRENTS[model]]
        fed = [(p, "g", "tau") for p in receptors]
        if len(own) + len(fed) <= 2:
            onto = [DELTA] if model is LIF else list(range(len(own)))
            return Form(LEAKY, onto + list(range(len(own), len(own) + len(fed))), own + fed)
    return Form(STEPPED, [], [])


def constants_of(population: PopulationPlan, form: Form) -> NDArray[np.float64]:
    """Rows of constants: one for all neurons, or one for each."""
    given = population.composition.neuron.parameters
    if form.kind == RELAY:
        return np.zeros((1, roots.COLUMNS))
    columns: dict[int, Any] = {roots.RESET: given["v_reset"], roots.REFRACTORY: given["refractory"]}
    if form.kind == QUADRATIC:
        distance = np.subtract(given["v_th"], given["v_rest"])
        _check(population.name, "v_th", distance > 0.0, given["v_th"], "above v_rest")
        columns |= {
            roots.RATE: 1.0 / (given["tau"] * distance),
            roots.REST: 0.5 * np.add(given["v_rest"], given["v_th"]),
            roots.THRESHOLD: given["v_peak"],
        }
    else:
        columns |= _leaky(given, form)
    size = max(np.size(v) for v in columns.values())
    rows = np.zeros((size, roots.COLUMNS))
    for column, values in columns.items():
        rows[:, column] = values
    below = rows[:, roots.RESET] < rows[:, roots.THRESHOLD]
    _check(
        population.name,
        "v_reset",
        below,
        given["v_reset"],
        "below the threshold: a neuron would fire without end",
    )
    return rows


def _leaky(given: dict[str, Any], form: Form) -> dict[int, Any]:
    """Constants of a leaky membrane and its currents."""
    tau, c_m = np.asarray(given["tau"]), np.asarray(given["c_m"])
    columns: dict[int, Any] = {
        roots.TAU: tau,
        roots.RATE: 1.0 / tau,
        roots.PER_PF: 1.0 / c_m,
        roots.THRESHOLD: given["v_th"],
        roots.REST: given["v_rest"],
        roots.CURRENTS: float(len(form.currents)),
    }
    for j in range(2):
        part, name = (form.currents[j][0], form.currents[j][2]) if j < len(form.currents) else (None, "")
        own = tau if part is None else np.asarray(part.parameters[name])
        at = roots.SYNAPSE + j * roots.PER_SYNAPSE
        apart = np.abs(1.0 / tau - 1.0 / own)
        equal = apart == 0.0
        some = np.where(equal, 1.0, apart)
        # The response to 1 pA is largest where what flows in is what leaks out.
        peak_at = np.where(equal, tau, np.abs(np.log(tau / own)) / some)
        share = np.where(equal, peak_at, -np.expm1(-peak_at * some) / some)
        peak = np.exp(-peak_at / np.maximum(tau, own)) * share / c_m
        columns |= {
            at + roots.SYN_RATE: 1.0 / own,
            at + roots.SYN_APART: apart,
            at + roots.SYN_GAIN: np.where(equal, 0.0, 1.0 / (c_m * some)),
            at + roots.SYN_SLOW: np.where(tau >= own, 1.0, 0.0),
            at + roots.SYN_PEAK: peak * (1.0 + 1e-12),
        }
    return columns


def _check(name: str, parameter: str, good: Any, values: Any, allowed: str) -> None:
    if not np.all(good):
        worst = float(np.broadcast_to(values, np.shape(good) or (1,)).flat[int(np.argmin(good))])
        raise InvalidValue(f"{name}.{parameter}", worst, f"{allowed} (event engine)")


def drive_of(population: PopulationPlan, form: Form) -> NDArray[np.float64]:
    """Column `DRIVE` of the cells, [size]: where constant currents take v, or a of the quadratic flow."""
    composition, size = population.composition, population.size
    current = np.zeros(size)
    for values in population.external.values():
        current += values
    for part in composition.parts[:-1]:
        if part.model is DirectCurrent:
            current += np.where(True if part.mask is None else part.mask, part.parameters["amplitude"], 0.0)
    given = composition.neuron.parameters
    if form.kind == LEAKY:
        return np.asarray(given["v_rest"] + given["tau"] / np.asarray(given["c_m"]) * current)
    if form.kind == QUADRATIC:
        distance = np.subtract(given["v_th"], given["v_rest"])
        return np.asarray(given["tau"] * distance * current / given["c_m"] - 0.25 * distance * distance)
    return np.zeros(size)


def cells_of(population: PopulationPlan, form: Form, dt: float) -> NDArray[np.float64]:
    """The cells of a population at time 0, from the initial values of its states."""
    from treplica.engines.event.kernels_cells import DRIVE, FREE, V

    cells = np.zeros((population.size, CELL))
    states = population.composition.neuron.states
    if form.kind in (LEAKY, QUADRATIC):
        cells[:, V] = states["v"]
        cells[:, FREE] = states["wait"] * dt
        cells[:, DRIVE] = drive_of(population, form)
        for j, (part, state, _) in enumerate(form.currents):
            cells[:, FIRST_CURRENT + j] = part.states[state]
    return cells
