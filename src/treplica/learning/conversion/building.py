"""The spiking network, stage by stage."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from treplica.learning.conversion.balancing import balance
from treplica.learning.conversion.converted import LayerBalance
from treplica.learning.conversion.correction import Goal
from treplica.learning.conversion.potentials import Start, initial_potentials
from treplica.learning.conversion.reading import Stage
from treplica.learning.conversion.thresholds import by_channel, quantised
from treplica.learning.layers.scale import Scale
from treplica.learning.layers.sequential import Sequential
from treplica.learning.neurons import Neurons
from treplica.neurons import NIRI, NIRIF

#: In steps of 1 ms, this resistance makes an input of 1 raise v by 1.
DT, R = 1.0, 1000.0


class Building:
    """The network that grows, its report, and what its layers should give."""

    def __init__(self, steps: int, start: Start) -> None:
        self.steps, self.start = steps, start
        self.network = Sequential()
        self.report: list[LayerBalance] = []
        self.goals: list[Goal] = []
        self._incoming: Tensor | None = None

    def add(self, stage: Stage, outgoing: Tensor | None, following: Stage | None) -> None:
        """Add a stage and its neurons with these thresholds [C]; without, the integrator of the logits."""
        if stage.connections:
            balance(stage.parts, self._incoming, outgoing)
        else:
            assert self._incoming is not None
            scale = self._incoming.expand(self.report[-1].shape)
            self._put("scale", Scale(scale.to(stage.values)))
        for part in stage.parts:
            self._put(part.path, part.module)
        if outgoing is None:
            self._put("readout", Neurons(NIRI(r=R), dt=DT, output="v"))
        else:
            assert following is not None
            self._add_neurons(stage, outgoing, self.start if following.averages else "half")
        if stage.connections:
            unit = 1.0 if outgoing is None else outgoing
            mean = by_channel(stage.values).mean(1) / unit
            self.goals.append(Goal(stage.connections[-1], len(self.network), mean))

    def _add_neurons(self, stage: Stage, outgoing: Tensor, start: Start) -> None:
        assert stage.relu is not None
        shape = tuple(stage.values.shape[1:])
        name = self._put(stage.relu, neurons(shape, start))
        rows, threshold = by_channel(stage.values), outgoing.unsqueeze(1)
        error = quantised(rows, threshold, self.steps) - rows
        self.report.append(
            LayerBalance(
                path=stage.relu,
                name=name,
                shape=shape,
                thresholds=tuple(outgoing.tolist()),
                clipped=float((rows > threshold).sum() / (rows > 0.0).sum().clamp(min=1)),
                error=float(error.norm() / rows.norm()) if rows.any() else 0.0,
            )
        )
        self._incoming = outgoing.reshape(-1, *[1] * (len(shape) - 1))

    def _put(self, path: str, module: nn.Module) -> str:
        """Add a module under its path, with another mark between names; the name."""
        name = path.replace(".", "_") or "0"
        while name in self.network._modules:
            name += "_"
        self.network.add_module(name, module)
        return name


def neurons(shape: tuple[int, ...], start: Start) -> Neurons:
    """Integrate-and-fire neurons with the threshold 1, from which v is lowered by 1 when it exceeds it.

    Where v is at the beginning is taken from v and from the threshold, so that v begins at 0, as NIR's does.
    """
    first: Any = initial_potentials(shape, start).flatten().numpy()
    if (first == first[0]).all():
        first = float(first[0])
    return Neurons(NIRIF(r=R, v_threshold=1.0 - first, v_reset=-first, subtract=1.0), shape, dt=DT)
