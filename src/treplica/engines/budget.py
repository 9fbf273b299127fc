"""How much memory a network will take, before anything of it is built."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from treplica.connectivity import FromArray
from treplica.engines.storage import SHORTEST_RUN, Storage, blocks_of, most_accumulators, narrowest_word
from treplica.errors import InvalidValue
from treplica.model import Draw
from treplica.network import Network, Projection
from treplica.numerics.formats import format_of, weight_bits

#: Bytes that a neuron takes beside its states: its place in buffers and, per port, in accumulators.
PER_NEURON, PER_PORT = 8, 8
#: The same on the event engine, with its cell, its clock and its place in lists.
PER_CELL, PER_SUM = 137, 17
GIB = 2.0**30


@dataclass(frozen=True)
class Estimate:
    """Bytes by purpose: states of neurons with what belongs to them, synapses, what finds them."""

    neurons: float
    synapses: float
    rows: float

    @property
    def total(self) -> float:
        """All together."""
        return self.neurons + self.synapses + self.rows

    def __str__(self) -> str:
        parts = (("synapses", self.synapses + self.rows), ("neurons", self.neurons))
        listed = ", ".join(f"{name} {size / GIB:.2f}" for name, size in parts)
        return f"{self.total / GIB:.2f} GiB ({listed})"


def estimate_memory(
    network: Network,
    dt: float,
    precision: str,
    weights: str,
    storage: Storage,
    threads: int,
    continuous: bool = False,
) -> Estimate:
    """What a network will take on the cpu engine, or on the event engine (continuous), within some ten per cent."""
    if continuous:
        return _of_events(network)
    form = format_of(precision)
    item = form.bits // 8 or np.dtype(form.real).itemsize
    neurons = sum(
        p.size * (len(p.variables) * item + PER_NEURON + PER_PORT * len(p.ports)) for p in network.populations
    )
    if storage == "procedural":
        sums, rows = _recomputed(network, dt, threads)
        return Estimate(neurons + sums, 0.0, rows)
    accumulators = most_accumulators([(p.size, len(p.ports)) for p in network.populations], threads)
    synapses = rows = 0.0
    for members in _packed_together(network):
        each, table = _kept(members, dt, weights, storage, threads, blocks_of(accumulators))
        synapses, rows = synapses + each, rows + table
    return Estimate(neurons, synapses, rows)


def _of_events(network: Network) -> Estimate:
    """Rows in order of delays; weights and delays take room where each synapse has its own."""
    neurons = sum(
        p.size * (8 * len(p.variables) + PER_CELL + PER_SUM * len(p.ports)) for p in network.populations
    )
    synapses = rows = 0.0
    for p in network.projections:
        each = 4.0 + 4.0 * isinstance(p.weight, Draw) + 8.0 * isinstance(p.delay, Draw)
        synapses, rows = synapses + each * _count(p), rows + 8.0 * len(p.source)
    return Estimate(neurons, synapses, rows)


def _packed_together(network: Network) -> Iterable[list[Projection]]:
    """Projections whose words share a table: of one source population, with one weight for all or drawn ones."""
    groups: dict[tuple[str, float | None], list[Projection]] = {}
    for projection in network.projections:
        weight = None if isinstance(projection.weight, Draw) else float(projection.weight)
        groups.setdefault((projection.source.population, weight), []).append(projection)
    return groups.values()


def _kept(
    members: list[Projection], dt: float, weights: str, storage: Storage, threads: int, place: tuple[int, int]
) -> tuple[float, float]:
    """Bytes of the synapses that are packed together, or else kept as rows; bytes of what finds them."""
    counts, size = [_count(p) for p in members], members[0].source.size
    drawn = [p.weight for p in members if isinstance(p.weight, Draw)]
    bits = [weight_bits(weights, isinstance(weight, FromArray)) for weight in drawn]
    spans = [_steps(p, dt) for p in members]
    span = max(last for _, last in spans) - min(first for first, _ in spans) + 1
    least = 0.0 if storage == "packed" else SHORTEST_RUN
    word = None
    if storage != "rows":
        word = narrowest_word(max(bits, default=0), span, place, threads, sum(counts) / size, least)
    if word:
        sources = min(size, sum(len(p.source) for p in members))
        return sum(counts) * word.nbytes, sources * (12.0 + 4 * threads * place[1] * word.groups)
    taken = 0.0
    own = bits or [0] * len(members)  # all of them are drawn, or none
    for count, wide, (first, last) in zip(counts, own, spans, strict=True):
        given = 0 if wide == 0 else 2 if wide <= 16 else 4 if wide <= 32 else 8
        taken += count * (4.0 + given + (0 if first == last else 1 if last < 256 else 2))
    return taken, sum(len(p.source) for p in members) * (8.0 + 4 * (threads - 1))


def _recomputed(network: Network, dt: float, threads: int) -> tuple[float, float]:
    """Bytes of the sums that every thread has of its own, and of what finds rows and computes them."""
    sums: dict[tuple[str, str, float | None, bool], float] = {}
    rows = room = 0.0
    for projection in network.projections:
        weight, timed = projection.weight, isinstance(projection.delay, Draw)
        plain = None if timed or isinstance(weight, Draw) else float(weight)
        key = projection.target.population, projection.port, plain, timed
        depth = 1 << (_steps(projection, dt)[1] - 1).bit_length() if timed else 1
        size = projection.target.size * depth * (8.0 if plain is None else 4.0)
        sums[key] = max(sums.get(key, 0.0), size)
        rows += 8.0 * len(projection.source)
        row = _count(projection) / len(projection.source)
        room = max(room, 20.0 * row + (16.0 * row if plain is None else 2.25 * len(projection.target)))
    return threads * sum(sums.values()), rows + threads * room


def _count(projection: Projection) -> float:
    return projection.rule.expected_synapses(len(projection.source), len(projection.target))


def _steps(projection: Projection, dt: float) -> tuple[int, int]:
    """The shortest and the longest delay in steps."""
    delay = projection.delay
    low, high = delay.bounds() if isinstance(delay, Draw) else (float(delay), float(delay))
    return math.floor(low / dt + 0.5), math.floor(high / dt + 0.5)


def free_memory() -> float:
    """Bytes that this process may still take: what the machine has available, or its control group allows."""
    import psutil

    free = float(psutil.virtual_memory().available)
    limit, used = (Path("/sys/fs/cgroup", f"memory.{name}") for name in ("max", "current"))
    with suppress(OSError, ValueError):  # no such files, or "max": no limit
        free = min(free, float(limit.read_text()) - float(used.read_text()))
    return free


def check_memory(
    network: Network,
    dt: float,
    precision: str,
    weights: str,
    storage: Storage,
    threads: int,
    continuous: bool = False,
) -> Estimate:
    """The estimate; InvalidValue where it is more than is free, with what could be done."""
    estimate = estimate_memory(network, dt, precision, weights, storage, threads, continuous)
    free = free_memory()
    if estimate.total <= free:
        return estimate
    options = ["engine='cpu' takes less"] if continuous else _choices(network, precision, weights, storage)
    options.append("describe a smaller network")
    advice = "Choices: " + "; ".join(options) + "."
    raise InvalidValue(
        "the memory of this network", str(estimate), f"at most {free / GIB:.2f} GiB, what is free", advice
    )


def _choices(network: Network, precision: str, weights: str, storage: Storage) -> list[str]:
    """What would take less on the cpu engine."""
    options = []
    if storage != "procedural":
        options.append("storage='procedural' computes synapses again at each spike instead of keeping them")
    if precision == "float64":
        options.append("precision='float32' halves the neurons")
    drawn = any(isinstance(p.weight, Draw) for p in network.projections)
    if storage != "procedural" and drawn and weights in ("auto", "float32"):
        options.append("weights='int14' takes 4 bytes for a synapse where rows are long")
    return options
