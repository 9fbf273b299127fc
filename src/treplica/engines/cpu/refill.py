"""Arrivals that were on their way when a snapshot was taken, put back into the accumulators.

A spike delivers a group of delays when the first of them ends, so after a step the accumulators hold what arrives in
the next steps of the groups that have begun, and rings hold everything that is to come. Both follow from the spikes
in flight.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica.engines.connections import Connections
from treplica.engines.cpu.memory import Arrivals
from treplica.engines.cpu.sums import Sums
from treplica.engines.cpu.synapses import Synapses
from treplica.engines.snapshot import Spikes

#: From delays in steps and the age of a spike to whether it has delivered them.
Delivered = Callable[[NDArray[np.int64], int], NDArray[np.bool_]]


def refill(synapses: Synapses, arrivals: Arrivals, flying: list[Spikes], step: int) -> None:
    """Add what is on its way after `step` to accumulators and rings that are empty."""
    for table in synapses.packed:
        packing = table.packing
        group = 1 << packing.slot_bits

        def begun(
            delays: NDArray[np.int64], age: int, first: int = packing.shortest, group: int = group
        ) -> Any:
            return (delays - first) // group * group + first - 1 <= age

        for member in packing.members:
            _accumulate(member, arrivals, flying[member.source], step, begun)
    for rows in synapses.rows:
        asleep = (rows.connections.target, 0) in arrivals.awake
        if isinstance(rows.delays, int) or asleep:
            _accumulate(rows.connections, arrivals, flying[rows.connections.source], step, _next_only)
        else:
            _into_ring(rows.connections, arrivals, flying[rows.connections.source], step)
    for connections in synapses.layout.procedural:
        if isinstance(connections.delay, int):
            _accumulate(connections, arrivals, flying[connections.source], step, _next_only)
        else:
            _into_sums(
                connections, synapses.procedural.sums_of(connections), flying[connections.source], step
            )


def refill_rings(
    synapses: Synapses, arrivals: Arrivals, before: Arrivals, flying: list[Spikes], step: int
) -> None:
    """Fill rings that were not there before; what arrives in the next step was delivered already."""
    for rows in synapses.rows:
        connections = rows.connections
        key = connections.target, connections.port
        if not isinstance(rows.delays, int) and key not in before.rings and key in arrivals.rings:
            _into_ring(connections, arrivals, flying[connections.source], step + 1)


def _next_only(delays: NDArray[np.int64], age: int) -> NDArray[np.bool_]:
    return delays - 1 <= age


def _accumulate(
    connections: Connections, arrivals: Arrivals, flying: Spikes, step: int, delivered: Delivered
) -> None:
    for sent, targets, amounts, delays in _rows(connections, flying):
        due = (delays > step - sent) & delivered(delays, step - sent)
        arrivals.add(connections.target, connections.port, sent + delays[due], targets[due], amounts[due])


def _into_ring(connections: Connections, arrivals: Arrivals, flying: Spikes, step: int) -> None:
    ring = arrivals.rings[connections.target, connections.port]
    for sent, targets, amounts, delays in _rows(connections, flying):
        due = delays > step - sent
        np.add.at(ring, ((sent + delays[due]) % len(ring), targets[due]), amounts[due])


def _into_sums(connections: Connections, sums: Sums, flying: Spikes, step: int) -> None:
    """Into those of the first thread."""
    for sent, targets, amounts, delays in _rows(connections, flying):
        due = delays > step - sent
        arriving = sent + delays[due]
        np.add.at(sums.arrays[0], (arriving & (sums.depth - 1), targets[due]), amounts[due])
        sums.stamps[0][arriving & (sums.depth - 1)] = arriving


def _rows(connections: Connections, flying: Spikes) -> Any:
    """For every spike: its step, and targets, amounts and delays of its row."""
    values = np.ones(flying.ids.size, np.int64) if flying.values is None else flying.values
    for sent, neuron, value in zip(flying.steps.tolist(), flying.ids.tolist(), values.tolist(), strict=True):
        targets, weights, delays = connections.row(neuron)
        if targets.size:
            yield sent, targets, weights * value, delays
