"""Spikes that are given while a simulation runs."""

from __future__ import annotations

import numpy as np

from treplica.coding import SpikeTrains
from treplica.engines.arrivals import arrival_times
from treplica.engines.composition import Port
from treplica.engines.plan import Injection, Plan
from treplica.engines.units import MOST_UNITS
from treplica.errors import InvalidValue
from treplica.network import Network, Population, View
from treplica.network.checks import check_known, check_number

#: (population, port) -> (first step, last step, largest amount) of what was fed
Fed = dict[tuple[int, int], list[tuple[int, int, float]]]


class Feeder:
    """Turns trains into arrivals in units, and keeps their sum within what the accumulators leave for them."""

    def __init__(self, plan: Plan, network: Network, fed: Fed | None = None) -> None:
        self.plan = plan
        self.ports = {p.name: p.ports for p in network.populations}
        self.room = float(MOST_UNITS // 2)
        self.fed: Fed = dict(fed or {})

    def injection(
        self,
        target: Population | View,
        trains: SpikeTrains,
        weight: float,
        port: str | None,
        start: float,
        now: int,
    ) -> Injection:
        """The arrivals; the trains' time begins at `start` (ms) of the plan's, which is at step now."""
        view = target.view() if isinstance(target, Population) else target
        if not isinstance(view, View):
            raise InvalidValue("feed(target)", target, "a Population of the network or a part of one")
        key = self._port(view, port)
        if not isinstance(trains, SpikeTrains) or trains.size != len(view):
            given = trains.size if isinstance(trains, SpikeTrains) else trains
            raise InvalidValue("feed(trains): neurons", given, f"{len(view)}, those of {view}")
        steps, times = arrival_times(self.plan, "the trains", trains, start)
        values = np.ones(len(trains), dtype=np.int64) if trains.values is None else trains.values
        amount = check_number("feed(weight)", weight) / self._at(key).unit
        if steps.size:
            largest = abs(amount) * float(np.abs(values.astype(np.float64)).max())
            self._check_room(key, (int(steps[0]), int(steps[-1]), largest), now, weight)
        amounts = values.astype(np.int64) * np.int64(round(amount) if steps.size else 0)
        return Injection(*key, steps, view.ids()[trains.ids].astype(np.int32), amounts, times)

    def _port(self, view: View, port: str | None) -> tuple[int, int]:
        """The indices of the population and port that are meant."""
        ports = self.ports[check_known("population", view.population, self.ports)]
        index = self.plan.index(view.population)
        size = self.plan.populations[index].size
        if view.size != size:
            allowed = f"a part of this network's {view.population}, which has {size} neurons"
            raise InvalidValue("feed(target)", view, allowed)
        if not ports:
            advice = "Give it a receptor."
            raise InvalidValue("feed(target)", view, "a population that spikes can reach", advice)
        return index, 0 if port is None else ports.index(
            check_known(f"port of {view.population}", port, ports)
        )

    def _at(self, key: tuple[int, int]) -> Port:
        return self.plan.populations[key[0]].composition.ports[key[1]]

    def _check_room(self, key: tuple[int, int], new: tuple[int, int, float], now: int, weight: float) -> None:
        fed = [f for f in self.fed.get(key, []) if f[1] > now]
        first, last, largest = new
        total = largest + sum(f[2] for f in fed if f[0] <= last and f[1] >= first)
        if total > self.room:
            port = self._at(key)
            allowed = f"small enough that sums on {port.name} stay below {self.room * port.unit:g}"
            advice = "Feed less at once, or make it part of the network: net.stimulate(..., SpikeInput(...))."
            raise InvalidValue("feed(weight)", weight, allowed, advice)
        self.fed[key] = [*fed, new]
