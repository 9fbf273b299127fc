"""How much memory a network will take, before anything of it is built."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from treplica.connectivity import FromArray
from treplica.engines.storage import Storage
from treplica.errors import InvalidValue
from treplica.model import Draw
from treplica.network import Network, Projection
from treplica.numerics.formats import format_of, weight_bits

#: Runs of fewer synapses than this are kept as rows, see `cpu.layout`; delays are grouped by four.
SHORTEST_RUN, GROUP = 8.0, 4
#: Bytes that a neuron takes beside its states: its place in buffers and, per port, in accumulators.
PER_NEURON, PER_PORT = 8, 8
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
    network: Network, dt: float, precision: str, weights: str, storage: Storage, threads: int
) -> Estimate:
    """What a network will take on the cpu engine, within some ten per cent."""
    form = format_of(precision)
    item = form.bits // 8 or np.dtype(form.real).itemsize
    neurons = sum(
        p.size * (len(p.variables) * item + PER_NEURON + PER_PORT * len(p.ports)) for p in network.populations
    )
    synapses = rows = 0.0
    for projection in network.projections:
        count = projection.rule.expected_synapses(len(projection.source), len(projection.target))
        each, groups = _bytes(projection, count, dt, weights, storage, threads)
        synapses += count * each
        rows += len(projection.source) * (8 + 4 * threads * groups) if storage != "procedural" else 0
    return Estimate(neurons, synapses, rows)


def _bytes(
    projection: Projection, count: float, dt: float, weights: str, storage: Storage, threads: int
) -> tuple[float, int]:
    """Bytes of a synapse, and groups of delays that a row has an entry for."""
    if storage == "procedural":
        return 0.0, 0
    weight, delay = projection.weight, projection.delay
    bits = weight_bits(weights, isinstance(weight, FromArray)) if isinstance(weight, Draw) else 0
    low, high = delay.bounds() if isinstance(delay, Draw) else (float(delay), float(delay))
    groups = int((high - low) / dt) // GROUP + 1
    run = count / len(projection.source) / (threads * groups)
    if storage == "packed" or (storage == "auto" and run >= SHORTEST_RUN):
        return (2.0 if bits == 0 else 4.0 if bits <= 16 else 8.0), groups
    given = 0 if bits == 0 else 2 if bits <= 16 else 4 if bits <= 32 else 8
    return 4.0 + given + (0 if low == high else 1 if high < 256 * dt else 2), 0


def free_memory() -> float:
    """Bytes that this process may still take: what the machine has available, or its control group allows."""
    import psutil

    free = float(psutil.virtual_memory().available)
    limit, used = (Path("/sys/fs/cgroup", f"memory.{name}") for name in ("max", "current"))
    with suppress(OSError, ValueError):  # no such files, or "max": no limit
        free = min(free, float(limit.read_text()) - float(used.read_text()))
    return free


def check_memory(
    network: Network, dt: float, precision: str, weights: str, storage: Storage, threads: int
) -> Estimate:
    """The estimate; InvalidValue where it is more than is free, with what could be done."""
    estimate = estimate_memory(network, dt, precision, weights, storage, threads)
    free = free_memory()
    if estimate.total <= free:
        return estimate
    options = []
    if storage != "procedural":
        options.append("storage='procedural' computes synapses again at each spike instead of keeping them")
    if precision == "float64":
        options.append("precision='float32' halves the neurons")
    drawn = any(isinstance(p.weight, Draw) for p in network.projections)
    if storage != "procedural" and drawn and weights in ("auto", "float32"):
        options.append("weights='int14' takes 4 bytes for a synapse where rows are long")
    options.append("describe a smaller network")
    advice = "Choices: " + "; ".join(options) + "."
    raise InvalidValue(
        "the memory of this network", str(estimate), f"at most {free / GIB:.2f} GiB, what is free", advice
    )
