"""Which engine runs a plan, with how many threads, and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from treplica.connectivity.parallel import available_threads
from treplica.engines.base import SLEEPS, Engine, Sleep, Wanted
from treplica.engines.plan import Plan, Sampler
from treplica.engines.storage import STORAGES, Storage
from treplica.errors import InvalidValue
from treplica.network import Network
from treplica.network.checks import check_count, check_known

#: Below this many neurons and synapses a second thread waits longer than it works.
SMALL_NEURONS, SMALL_SYNAPSES = 4_000, 1_000_000
ENGINES = ("auto", "cpu", "event", "plain")
MOST_THREADS = 1024
#: What the event engine can be asked for.
_ASYNCHRONOUS = {
    "threads": (1,), "storage": ("auto", "rows"), "sleep": ("auto", "always"), "precision": ("float64",),
}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """An engine by name, its threads, and the reason in words.

    steps: whether it does steps, or goes from event to event and says itself what handlers wait for.
    """

    engine: str
    threads: int
    reason: str
    storage: Storage = "auto"
    sleep: Sleep = "auto"
    steps: bool = True

    def __str__(self) -> str:
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        return f"{self.engine}, {threads}: {self.reason}"


def choose(
    network: Network,
    engine: str,
    threads: int | None,
    storage: str = "auto",
    sleep: str = "auto",
    precision: str = "float64",
) -> Choice:
    """Resolve `auto` and the number of threads; InvalidValue for what an engine does not have."""
    check_known("engine", engine, ENGINES)
    kept = cast(Storage, check_known("storage", storage, STORAGES))
    resting = cast(Sleep, check_known("sleep", sleep, SLEEPS))
    if threads is not None:
        threads = check_count("threads", threads, 1, MOST_THREADS)
    if engine == "plain":
        if threads not in (None, 1):
            raise InvalidValue("threads", threads, "1 for the plain engine")
        return Choice("plain", 1, "as asked for; slow, for checking")
    if engine == "event":
        asked = {"threads": threads or 1, "storage": storage, "sleep": sleep, "precision": precision}
        for name, allowed in _ASYNCHRONOUS.items():
            if asked[name] not in allowed:
                raise InvalidValue(
                    name, asked[name], f"{' or '.join(map(repr, allowed))} for the event engine"
                )
        return Choice("event", 1, "as asked for; every spike at its own time", steps=False)
    neurons = sum(p.size for p in network.populations)
    synapses = sum(p.rule.expected_synapses(len(p.source), len(p.target)) for p in network.projections)
    small = neurons < SMALL_NEURONS and synapses < SMALL_SYNAPSES
    if threads is not None:
        reason = "threads as asked for"
    elif small:
        threads, reason = 1, f"{neurons:,} neurons are too few to share"
    else:
        threads, reason = available_threads(), "every core this process may use"
    return Choice("cpu", threads, reason, kept, resting)


def make_engine(
    plan: Plan, choice: Choice, samplers: list[Sampler], watched: Collection[int], wanted: Wanted
) -> Engine:
    """The engine of a choice; imports what it needs only then.

    watched: populations whose spikes are handed over. wanted: what handlers wait for, of an engine without steps.
    """
    if choice.engine == "plain":
        from treplica.engines.plain import PlainEngine

        return PlainEngine(plan, samplers, watched)
    if choice.engine == "event":
        from treplica.engines.event.engine import EventEngine

        return EventEngine(plan, samplers, watched, wanted)
    from treplica.engines.cpu.engine import CpuEngine

    return CpuEngine(plan, samplers, watched, choice.threads, choice.storage, choice.sleep)
