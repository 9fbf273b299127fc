"""Spikes that are given while a simulation runs."""

from __future__ import annotations

import math

import numpy as np

from treplica.coding import SpikeTrains
from treplica.engines.grid import steps_of
from treplica.engines.plan import Injection, Plan
from treplica.engines.units import HEADROOM
from treplica.errors import InvalidValue, UnknownName
from treplica.network import Network, Population, View


class Feeder:
    """Turns trains into arrivals in units, and keeps their sum within what the accumulators leave for them."""

    def __init__(self, plan: Plan, network: Network) -> None:
        self.plan = plan
        self.ports = {p.name: p.ports for p in network.populations}
        self.room = 2.0**plan.format.total_bits * (1.0 - 1.0 / HEADROOM)
        #: (population, port) -> (first step, last step, largest amount) of what was fed
        self.fed: dict[tuple[int, int], list[tuple[int, int, float]]] = {}

    def injection(
        self, target: Population | View, trains: SpikeTrains, weight: float, port: str | None, first: int
    ) -> Injection:
        """The arrivals; step s of the trains' time becomes first + s steps of the plan's dt."""
        view = target.view() if isinstance(target, Population) else target
        if not isinstance(trains, SpikeTrains) or trains.size != len(view):
            given = trains.size if isinstance(trains, SpikeTrains) else trains
            raise InvalidValue("feed(trains): neurons", given, f"{len(view)}, those of {view}")
        if not math.isfinite(weight):
            raise InvalidValue("feed(weight)", weight, "a finite number")
        if view.population not in self.ports:
            raise UnknownName("population", view.population, self.ports)
        ports = self.ports[view.population]
        if (port is not None and port not in ports) or not ports:
            raise UnknownName(f"port of {view.population}", port or "", ports)
        key = self.plan.index(view.population), ports.index(port) if port else 0
        factor = steps_of("dt of the trains", trains.dt, self.plan.dt, least=1)
        unit = self.plan.populations[key[0]].composition.ports[key[1]].unit
        values = np.ones(len(trains), dtype=np.int64) if trains.values is None else trains.values
        amounts = np.rint(values * (weight / unit)).astype(np.int64)
        steps = trains.steps * factor + first
        if steps.size:
            self._check_room(key, int(steps[0]), int(steps[-1]), float(np.abs(amounts).max()), weight)
        return Injection(*key, steps, view.ids()[trains.ids].astype(np.int32), amounts)

    def _check_room(self, key: tuple[int, int], first: int, last: int, largest: float, weight: float) -> None:
        fed = [f for f in self.fed.get(key, []) if f[1] >= first]
        total = largest + sum(f[2] for f in fed if f[0] <= last)
        if total > self.room:
            port = self.plan.populations[key[0]].composition.ports[key[1]]
            allowed = f"small enough that sums on {port.name} stay below {self.room * port.unit:g}"
            advice = "Feed less at once, or make it part of the network: net.stimulate(..., SpikeInput(...))."
            raise InvalidValue("feed(weight)", weight, allowed, advice)
        self.fed[key] = [*fed, (first, last, largest)]
