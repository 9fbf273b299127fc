"""Naming the first state that is not finite."""

from __future__ import annotations

import numpy as np

from treplica.engines.plan import Plan
from treplica.errors import NumericalError


def find_failure(plan: Plan, step: int) -> NumericalError:
    """The first neuron, in order of populations and ids, with a state that is not finite after `step`.

    Where all states are finite, a graded spike was beyond what its model declares.
    """
    for population in plan.populations:
        states = {n: population.read(n, plan.format.real) for n in population.composition.states()}
        broken = {n: int(np.argmin(np.isfinite(v))) for n, v in states.items() if not np.isfinite(v).all()}
        if broken:
            name = min(broken, key=lambda n: broken[n])
            value = float(states[name][broken[name]])
            return NumericalError(population.name, broken[name], name, value, step, plan.dt)
    graded = next(p for p in plan.populations if p.graded > 1)
    return NumericalError(graded.name, 0, f"spike (beyond {graded.graded})", float("nan"), step, plan.dt)
