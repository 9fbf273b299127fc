"""Neurons that reach one another."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from treplica.errors import InvalidValue
from treplica.learning.fused.loops import has_loop, recurrence_for
from treplica.learning.fused.op import unroll
from treplica.learning.fused.recurrence import BEFORE, BIAS, WEIGHTS
from treplica.learning.layers.linear import Linear
from treplica.learning.layers.over_time import check_layout, check_steps
from treplica.learning.neurons import Neurons, Run, State, dtype_name

#: The key under which the state of a run holds the spikes that have not arrived yet, [delay, B, size].
SENT = "recurrent.spikes"


class Recurrent(nn.Module):
    """Neurons with connections from each to each: the spikes of step t - delay reach them at step t, with the input.

    It takes [T, B, size] and gives the output of the neurons in that shape. The weights are those of
    `recurrent`, a `Linear` from the neurons to themselves. On CPUs all steps are one compiled loop; on a GPU, one step
    is computed after the other, and neurons with backend="fused" are refused.

    Raises InvalidValue for a delay of 0, neurons that do not spike, and sizes that do not fit.

    Parameters
    ----------
    neurons: the layer; spikes reach the port that the input does.
    size: how many neurons.
    delay: in steps, 1 or more.
    bias: whether the neurons receive a constant too.
    """

    def __init__(self, neurons: Neurons, size: int, delay: int = 1, *, bias: bool = False) -> None:
        super().__init__()
        advice = "A graph with a cycle and no delay has no order in which to compute it."
        self.delay = check_steps("Recurrent: delay", delay, 1, advice)
        self.size = check_steps("Recurrent: size", size, 1)
        if not isinstance(neurons, Neurons):
            raise InvalidValue("Recurrent(neurons)", type(neurons).__name__, "a Neurons")
        if neurons.size not in (None, (size,)):
            allowed = f"{neurons.size[0] if neurons.size else size}, as the neurons have it"
            raise InvalidValue("Recurrent: size", size, allowed)
        if "spike" not in (neurons.output, *neurons.record):
            advice = 'Add record=("spike",): it is spikes that come back.'
            raise InvalidValue(
                "Recurrent(neurons)", f"output={neurons.output!r}", "neurons that spike", advice
            )
        if neurons.port not in {q.key for q in neurons.cell.of_role("input")}:
            raise InvalidValue(
                "Recurrent(neurons)", neurons.neuron.model.name, "neurons that spikes can reach"
            )
        self.neurons = neurons
        self.recurrent = Linear(size, size, bias)

    def forward(self, x: Tensor | Mapping[str, Tensor]) -> Tensor:
        """The output [T, B, size] for an input of that shape, from the initial states on."""
        return self.run(x).output

    def run(self, x: Tensor | Mapping[str, Tensor], state: State | None = None) -> Run:
        """Like `Neurons.run`; the state also holds the spikes that have not arrived yet, [delay, B, size]."""
        inputs = self._inputs(x)
        some = inputs[self.neurons.port]
        if state is None:
            first = self.neurons.initial_state(some[0])
            sent = some.new_zeros((self.delay, *some.shape[1:]))
        else:
            first, sent = {k: v for k, v in state.items() if k != SENT}, self._checked_sent(state, some)
        fused = has_loop(self.neurons, some, ("cpu",))
        return (self._run_fused if fused else self._run_steps)(inputs, first, sent)

    def _run_fused(self, inputs: Mapping[str, Tensor], state: State, sent: Tensor) -> Run:
        """All steps in one compiled loop."""
        layer, some = self.neurons, inputs[self.neurons.port]
        state = layer._checked_state(state, some)
        constants, columns = layer.loop_constants(some[0])
        weights, bias = self.recurrent.weight.t(), self.recurrent.bias
        given = {**inputs, **constants, **state, WEIGHTS: weights, BEFORE: sent}
        if bias is not None:
            given[BIAS] = bias
        name = recurrence_for(
            layer,
            tuple(inputs),
            columns,
            layer.wanted,
            dtype_name(some),
            layer.port,
            self.delay,
            bias is not None,
        )
        recorded, last = layer.loop_results(unroll(name, some.shape[0], given))
        last[SENT] = torch.cat([sent, recorded["spike"][-self.delay :]])[-self.delay :]
        return Run(recorded[layer.output], {k: recorded[k] for k in layer.record}, last)

    def _run_steps(self, inputs: Mapping[str, Tensor], state: State, sent: Tensor) -> Run:
        """One step of all neurons after the other."""
        runs: list[Run] = []
        spikes: list[Tensor] = list(sent)
        port = self.neurons.port
        # Gradients of pieces are put together once; those of slices would each be as long as the whole.
        pieces = {k: v.split(1) for k, v in inputs.items()}
        for t in range(inputs[port].shape[0]):
            now = {k: v[t] for k, v in pieces.items()}
            now[port] = now[port] + self.recurrent(spikes[t])
            runs.append(self.neurons.run(now, state))
            state = runs[-1].state
            spiked = runs[-1].output if self.neurons.output == "spike" else runs[-1].recorded["spike"]
            spikes.append(spiked[0])
        recorded = {k: torch.cat([r.recorded[k] for r in runs]) for k in self.neurons.record}
        waiting = torch.stack(spikes[-self.delay :])
        return Run(torch.cat([r.output for r in runs]), recorded, state | {SENT: waiting})

    def _inputs(self, x: Tensor | Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What reaches the neurons from outside by key, that of the port always; noise included."""
        for tensor in x.values() if isinstance(x, Mapping) else (x,):
            check_layout(f"input of Recurrent({self.size})", tensor, self.size)
        inputs = self.neurons._inputs(x)
        if self.neurons.port not in inputs:
            inputs[self.neurons.port] = torch.zeros_like(next(iter(inputs.values())))
        given, own = inputs[self.neurons.port].dtype, self.recurrent.weight.dtype
        if given != own:
            advice = "Convert one of them, such as the layer with .double()."
            raise InvalidValue(
                f"input of Recurrent({self.size}): dtype", given, f"{own}, as the weights", advice
            )
        return inputs

    def _checked_sent(self, state: State, x: Tensor) -> Tensor:
        expected = (self.delay, *x.shape[1:])
        if SENT not in state or state[SENT].shape != expected:
            given = sorted(state) if SENT not in state else list(state[SENT].shape)
            allowed = f"a tensor {list(expected)} of spikes that have not arrived"
            raise InvalidValue(f"state {SENT!r}", given, allowed, "Pass the state that `run` returned.")
        return state[SENT]

    def extra_repr(self) -> str:
        """The delay."""
        return f"size={self.size}, delay={self.delay}"
