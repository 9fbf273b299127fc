"""The synapses of a projection as a module: one weight for each, whole steps of delay."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from treplica.engines.connections import Connections


class Synapses(nn.Module):
    """Spikes of a source population [T, B, n] -> what arrives at a target population.

    weight: [synapses], in the unit of the port, in the order of the rows. Products with the synapses of one delay are
    sums in any order: exact in float64 for weights that are whole multiples of the unit of their port.
    """

    def __init__(
        self, connections: Connections, n_source: int, n_target: int, unit: float, dtype: torch.dtype
    ) -> None:
        super().__init__()
        self.name, self.size = connections.name, (n_source, n_target)
        chunk = connections.read(0, connections.rows.n_source)
        count = chunk.targets.size
        weights = np.broadcast_to(np.asarray(chunk.weights, np.float64) * unit, count)
        delays = np.broadcast_to(np.asarray(chunk.delays, np.int64), count)
        sources = np.repeat(chunk.ids, np.diff(chunk.indptr))
        self.weight = nn.Parameter(torch.tensor(weights.copy(), dtype=dtype))
        self.delays = sorted(set(delays.tolist()))
        self.register_buffer("sources", torch.tensor(sources))
        self.register_buffer("targets", torch.tensor(chunk.targets.astype(np.int64)))
        self.register_buffer("delay", torch.tensor(delays.copy()))
        self.sources: Tensor
        self.targets: Tensor
        self.delay: Tensor

    def matrices(self) -> list[tuple[int, Tensor]]:
        """For every delay, the weights [sources, targets] of its synapses, summed where there are several."""
        found = []
        for steps in self.delays:
            (which,) = torch.nonzero(self.delay == steps, as_tuple=True)
            dense = self.weight.new_zeros(self.size)
            at = (self.sources[which], self.targets[which])
            found.append((steps, dense.index_put(at, self.weight[which], accumulate=True)))
        return found

    def extra_repr(self) -> str:
        """Its sizes."""
        return f"{self.name}: {self.size[0]} -> {self.size[1]}, {self.weight.numel()} synapses, delays {self.delays}"


def arriving(past: list[Tensor], start: int, steps: int, matrices: list[tuple[int, Tensor]]) -> Tensor | None:
    """What arrives in steps start + 1 to start + T; None if nothing can.

    past: spikes [t, B, n] of the source in pieces, from step 1 on. matrices: the weights of each delay.
    """
    total = None
    for delay, weights in matrices:
        first, last = start - delay, start + steps - delay
        if last <= 0 or not past:
            continue
        part = between(past, max(first, 0), last) @ weights
        if first < 0:
            part = torch.cat([part.new_zeros((-first, *part.shape[1:])), part])
        total = part if total is None else total + part
    return total


def between(pieces: list[Tensor], first: int, last: int) -> Tensor:
    """Rows first to last of pieces that follow one another, all of one length but the last."""
    length = len(pieces[0])
    begin, end = first // length, -(-last // length)
    found = pieces[begin] if end - begin == 1 else torch.cat(pieces[begin:end])
    return found[first - begin * length : last - begin * length]
