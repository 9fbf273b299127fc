"""From the projections of a description to connections: sizes, streams, delays in steps."""

from __future__ import annotations

import math

import numpy as np

from treplica.connectivity import FromArray
from treplica.engines.connections import Connections, whole_steps
from treplica.engines.grid import MOST, steps_of
from treplica.engines.plan import Plan
from treplica.errors import InvalidValue
from treplica.model import Draw
from treplica.network import Projection, View
from treplica.numerics.philox import stream_id

LONGEST_DELAY = 2**16 - 1


def bind(plan: Plan, projection: Projection) -> Connections:
    """The connections of a projection, their weights still without a unit."""
    source, target, name = projection.source, projection.target, projection.name
    rows = projection.rule.bind(len(source), len(target), plan.seed, int(stream_id(f"{name}/rule")))
    delay, shortest, longest = (_real_delay if plan.continuous else _delay)(projection, plan.dt)
    population, port = port_index(plan, target, projection.port)
    first_id, source_ids = _consecutive(source)
    first_target, target_ids = _consecutive(target)
    connections = Connections(
        name, plan.index(source.population), population, port, rows, plan.seed, plan.dt,
        first_id, source_ids, first_target, None if target_ids is None else target_ids.astype(np.int32),
        0, int(stream_id(f"{name}/weight")), delay, int(stream_id(f"{name}/delay")), shortest, longest,
        continuous=plan.continuous,
    )  # fmt: skip
    for draw in (projection.weight, projection.delay):
        if isinstance(draw, FromArray):
            draw.check_count(connections.count)
    return connections


def port_index(plan: Plan, view: View, port: str) -> tuple[int, int]:
    """The indices of a view's population and of a port of it."""
    population = plan.index(view.population)
    names = [p.name for p in plan.populations[population].composition.ports]
    return population, names.index(f"{view.population}.{port}")


def _consecutive(view: View) -> tuple[int, np.ndarray | None]:
    """The first id and, unless they follow one another, all of them."""
    ids = view.ids()
    first = int(ids[0])
    return first, None if int(ids[-1]) - first + 1 == ids.size else ids


def _delay(projection: Projection, dt: float) -> tuple[int | Draw, int, int]:
    """The delay, a number in steps, and its bounds. Given ones must be multiples of dt; random ones are rounded."""
    what, delay = f"{projection.name}: delay", projection.delay
    if not isinstance(delay, Draw):
        steps = steps_of(what, float(delay), dt, least=1)
        _check_longest(what, steps * dt, steps, dt)
        return steps, steps, steps
    if isinstance(delay, FromArray):
        off = np.abs(whole_steps(delay.array, dt) * dt - delay.array) > 1e-6 * dt + 1e-9 * delay.array
        if off.any():
            steps_of(what, float(delay.array[np.argmax(off)]), dt, least=1)
        if not delay.array.size:
            return 1, 1, 1
    low, high = delay.bounds()
    shortest, longest = int(whole_steps(low, dt)), int(whole_steps(high, dt))
    if shortest < 1:
        advice = f"Draw delays with low={dt / 2:g} ms at least, or use a smaller dt."
        raise InvalidValue(what, low, f"at least half a step of {dt:g} ms for every synapse", advice)
    _check_longest(what, high, longest, dt)
    return delay, shortest, longest


def _real_delay(projection: Projection, dt: float) -> tuple[float | Draw, int, int]:
    """The delay in ms, and its bounds rounded to whole steps, outwards."""
    what, delay = f"{projection.name}: delay", projection.delay
    if isinstance(delay, FromArray) and not delay.array.size:
        return dt, 1, 1
    low, high = delay.bounds() if isinstance(delay, Draw) else (float(delay), float(delay))
    if not low > 0.0:
        raise InvalidValue(what, low, "> 0 ms for every synapse", "Draw delays with low > 0.")
    if not high / dt < MOST:
        raise InvalidValue(what, high, f"a finite time, below {MOST * dt:g} ms")
    return delay if isinstance(delay, Draw) else low, math.floor(low / dt), math.ceil(high / dt)


def _check_longest(what: str, delay: float, steps: int, dt: float) -> None:
    if steps > LONGEST_DELAY:
        allowed = f"at most {LONGEST_DELAY} steps ({LONGEST_DELAY * dt:g} ms)"
        raise InvalidValue(what, delay, allowed, "Use a larger dt or a chain of populations.")
