"""A layer of neurons as a module: any neuron of the simulator, over time-major tensors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from treplica.coding.grid import check_count
from treplica.errors import InvalidValue, UnknownName
from treplica.learning.cell import Cell, Quantity, Relaxation, Stand
from treplica.learning.constants import Constants, Learned, Sharing, shaped
from treplica.learning.fused.loops import has_loop, loop_for
from treplica.learning.fused.op import unroll
from treplica.learning.memory_order import MemoryOrder
from treplica.learning.steps import run_steps
from treplica.learning.surrogates import Arctan, SoftReLU, Surrogate
from treplica.model import Instance, Model

ResetGradient = Literal["detached", "attached"]
Backend = Literal["auto", "fused", "steps"]
State = dict[str, Tensor]

#: What the input of neurons feeds that nothing can reach: it only tells how many steps and samples there are.
NOTHING = ""


class Run(NamedTuple):
    """What a layer did: its output [T, B, ...], what was recorded [T, B, ...] and the states after it [B, ...]."""

    output: Tensor
    recorded: dict[str, Tensor]
    state: State


class Neurons(nn.Module):
    """A layer of neurons of one model.

    It takes what reaches the neurons at every step, [T, B, ...] (time, samples, neurons), and gives their spikes in
    the same shape. Every call starts from the initial states; `run` takes and gives states, to go on in pieces.

    Raises InvalidValue or UnknownName for what does not fit the model's declaration.

    Parameters
    ----------
    neuron: a model or an instance of one, as for a population: `tr.LIF(tau=20.0, v_rest=0.0, v_th=1.0)`.
    size: the shape of the layer without T and B, such as 128 or (16, 14, 14). Needed only for what differs from neuron
        to neuron.
    receptors: by name, as for a population.
    dt: length of a step in ms.
    port: what the input tensor feeds: an arrival of the neuron, a receptor, or a current. Default: the first arrival,
        else the first current. A dict of tensors by port feeds several.
    output: "spike", or a state such as "v" for a readout.
    record: states that `run` returns at every step.
    surrogate: what stands for spikes in the backward pass; see `treplica.learning.surrogates`.
    reset_gradient: "detached", what a spike decides (a reset, a refractory period) passes no gradient to the spike;
        "attached", it does. Whether a reset is hard or soft is the model's: `LIF` or `SoftResetLIF`.
    learn: parameters to train, one for each neuron, or a dict with "layer", "channel" or "neuron" for each.
    smooth: spikes are their smooth forms in the forward pass too, so that gradients are the true ones.
    backend: "fused", one compiled loop over time, on CPUs, and on GPUs with Triton (extra `gpu`); "steps", an operation
        of PyTorch after the other; "auto", the first where there is one (on a GPU, not for HodgkinHuxley, which Triton
        takes minutes to compile). The kernels for GPUs have been checked with Triton's interpreter, and compiled, but
        not been run or timed on a GPU yet.
    recompute: the compiled loop keeps the states of every so many steps, and computes the steps between them again in
        the backward pass. 1 keeps all states, which takes memory; many steps leave the cache.
    """

    def __init__(
        self,
        neuron: Instance | Model,
        size: int | tuple[int, ...] | None = None,
        *,
        receptors: Mapping[str, Instance] | None = None,
        dt: float = 1.0,
        port: str | None = None,
        output: str = "spike",
        record: Iterable[str] = (),
        surrogate: Surrogate | None = None,
        reset_gradient: ResetGradient = "detached",
        learn: Iterable[str] | Learned = (),
        smooth: bool = False,
        backend: Backend = "auto",
        recompute: int = 32,
    ) -> None:
        super().__init__()
        instance = neuron() if isinstance(neuron, Model) else neuron
        if not isinstance(instance, Instance) or instance.model.kind != "neuron":
            raise InvalidValue(
                "Neurons(neuron)", neuron, "a neuron model or an instance of one", "Such as tr.LIF()."
            )
        _check_choice("reset_gradient", reset_gradient, get_args(ResetGradient))
        _check_choice("backend", backend, get_args(Backend))
        if not (isinstance(dt, (int, float)) and math.isfinite(dt) and dt > 0):
            raise InvalidValue("dt", dt, "a finite number > 0 ms")
        self.recompute = check_count("recompute", recompute, 1)
        self.dt, self.smooth, self.backend, self.reset_gradient = float(dt), smooth, backend, reset_gradient
        self.size = (size,) if isinstance(size, int) else size if size is None else tuple(size)
        self.cell = Cell(instance, receptors)
        self.output, self.record = output, tuple(record)
        self._check_outputs()
        self.port = self._resolve(port)
        self.surrogate = surrogate or (SoftReLU() if instance.model.graded > 1 else Arctan())
        sharing: Learned = (
            learn if isinstance(learn, Mapping) else dict[str, Sharing].fromkeys(learn, "neuron")
        )
        self.constants = Constants(self.cell, self.dt, self.size, sharing)
        self._starts = {q.key: self._start(q) for q in self.cell.states}

    @property
    def neuron(self) -> Instance:
        """The model with its values, as they were given."""
        return self.cell.neuron

    @property
    def relaxation(self) -> Relaxation:
        """How the step is differentiated."""
        word = "graded" if self.neuron.model.graded > 1 else "spike"
        names = tuple(f"surrogate_{n}" for n, _ in self.surrogate.values)
        stand = Stand(word, self.surrogate.smooth, self.surrogate.derivative, names)
        return Relaxation((stand,), self.reset_gradient == "attached", self.smooth)

    def forward(self, x: Tensor | Mapping[str, Tensor]) -> Tensor:
        """The output [T, B, ...] for an input of that shape, from the initial states on."""
        return self.run(x).output

    def run(self, x: Tensor | Mapping[str, Tensor], state: State | None = None) -> Run:
        """Like a call, from `state` on, and with what is recorded and the states after the last step.

        state: what an earlier `run` returned, by key (`v`, `ampa.g`); its tensors can be detached to cut gradients.
        """
        inputs = self._inputs(x)
        some = next(iter(inputs.values()))
        inputs.pop(NOTHING, None)
        first = self.initial_state(some[0]) if state is None else self._checked_state(state, some)
        if has_loop(self, some):
            recorded, last = self._run_fused(some, inputs, first)
        else:
            constants = self.constants.values(some.dtype, some.device)
            recorded, last = run_steps(
                some, self.cell, self.relaxation, self.surrogate, inputs, constants, first, self.wanted
            )
        return Run(recorded[self.output], {k: recorded[k] for k in self.record}, last)

    def initial_state(self, like: Tensor) -> State:
        """The states before the first step, [B, ...] like a step of the input."""
        found = {}
        for key, value in self._starts.items():
            tensor = torch.tensor(value, dtype=like.dtype, device=like.device)
            found[key] = tensor.expand(like.shape)
        return found

    def _start(self, quantity: Quantity) -> Any:
        instance = self.cell.parts[quantity.part]
        return shaped(f"{instance.model.name}.{quantity.name}", instance, quantity.name, self.size)

    @property
    def wanted(self) -> tuple[str, ...]:
        """What is made at every step: the output, and what is recorded."""
        return tuple(dict.fromkeys((self.output, *self.record)))

    def _run_fused(
        self, some: Tensor, inputs: Mapping[str, Tensor], first: State
    ) -> tuple[dict[str, Tensor], State]:
        constants, columns = self.loop_constants(some[0])
        kind = dtype_name(some), some.device.type
        name = loop_for(self, tuple(inputs), columns, self.wanted, *kind)
        order = MemoryOrder(some)
        given = order.inwards(inputs, 2) | order.inwards(constants, 1) | order.inwards(first, 1)
        recorded, last = self.loop_results(unroll(name, some.shape[0], given))
        return order.outwards(recorded, 2), order.outwards(last, 1)

    def loop_constants(self, like: Tensor) -> tuple[dict[str, Tensor], frozenset[str]]:
        """What a compiled loop reads besides series and states, and which of it has an item for each column.

        like: a step [B, ...].
        """
        constants = self.constants.values(like.dtype, like.device)
        spread = {k: v.expand(like.shape) if v.ndim else v for k, v in constants.items()}
        # Filled where they are: a copy from elsewhere would wait for all that runs there.
        spread |= {f"surrogate_{n}": like.new_full((), v) for n, v in self.surrogate.values}
        return spread, frozenset(k for k, v in constants.items() if v.ndim)

    def loop_results(self, made: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], State]:
        """What a compiled loop recorded, and the states after the last step, by key."""
        states = {q.key: made[f"last {q.key}"] for q in self.cell.states}
        return {k: made[f"out {k}"] for k in self.wanted}, states

    def _inputs(self, x: Tensor | Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The inputs of the cell by key, [T, B, ...], noise included."""
        given = {self._resolve(p): t for p, t in x.items()} if isinstance(x, Mapping) else {self.port: x}
        what = f"input of {self.neuron.model.name}"
        for key, tensor in given.items():
            if not isinstance(tensor, Tensor):
                raise InvalidValue(f"{what} ({key})", type(tensor).__name__, "a tensor [T, B, ...]")
            check_time_major(f"{what} ({key})", tensor, self.size)
        some = next(iter(given.values()))
        for quantity in self.cell.of_role("noise"):
            if quantity.key not in given:
                given[quantity.key] = self._noise(quantity, some)
        shapes = {k: list(t.shape) for k, t in given.items()}
        if any(t.shape != some.shape or t.dtype != some.dtype for t in given.values()):
            raise InvalidValue(
                f"inputs of {self.neuron.model.name}", shapes, "of one shape [T, B, ...] and one dtype"
            )
        order = [*(q.key for q in self.cell.of_role("input", "noise")), NOTHING]
        return {k: given[k] for k in order if k in given}

    def _noise(self, quantity: Quantity, like: Tensor) -> Tensor:
        field = self.cell.field(quantity)
        assert field is not None
        return torch.randn_like(like) if field.law == "normal" else torch.rand_like(like)

    def _checked_state(self, state: State, x: Tensor) -> State:
        keys = [q.key for q in self.cell.states]
        if set(state) != set(keys):
            advice = "Pass the state that `run` returned, or None to begin."
            raise InvalidValue(
                f"state of {self.neuron.model.name}", sorted(state), f"complete: {keys}", advice
            )
        for key, tensor in state.items():
            if tensor.shape != x.shape[1:]:
                allowed = f"{list(x.shape[1:])} (B, ...), as the input has it"
                raise InvalidValue(f"state {key}: shape", list(tensor.shape), allowed)
        return {k: state[k] for k in keys}

    def _resolve(self, port: str | None) -> str:
        """The key of an input of the cell."""
        inputs = self.cell.of_role("input")
        known = {q.key: q.key for q in inputs} | {q.key: q.key for q in self.cell.of_role("noise")}
        for part in self.cell.parts:
            of_part = [q.key for q in inputs if q.part == part]
            if part and len(of_part) == 1:
                known[part] = of_part[0]
        if port is None and known:
            own = [q.key for q in inputs if not q.part]
            arrivals = [k for k in own if k in self.neuron.model.of_kind("arrival")]
            return next(iter([*arrivals, *own, *known]))
        if not known and port in (None, NOTHING):
            return NOTHING
        if port not in known:
            raise UnknownName(f"port of {self.neuron.model.name}", str(port), known)
        return known[port]

    def _check_outputs(self) -> None:
        known = ["spike", *(q.key for q in self.cell.states)]
        for name in (self.output, *self.record):
            if name not in known:
                raise UnknownName(f"output of {self.neuron.model.name}", name, known)
        if self.output == "spike" and not self.cell.fires:
            advice = f"Read a state instead, such as output={known[1]!r}." if len(known) > 1 else ""
            raise InvalidValue(
                f"Neurons({self.neuron.model.name})", "output='spike'", "a model that spikes", advice
            )

    def extra_repr(self) -> str:
        """The model, the size and the choices."""
        size = "" if self.size is None else f", size={self.size}"
        return f"{self.neuron!r}{size}, dt={self.dt:g}, surrogate={self.surrogate!r}, output={self.output!r}"


def check_time_major(what: str, x: Tensor, size: tuple[int, ...] | None) -> None:
    """Refuse an input that is not [T, B, *size] of floating point."""
    expected = f"[T, B, {', '.join(map(str, size))}]" if size else "[T, B, ...]"
    if not x.is_floating_point():
        raise InvalidValue(f"{what}: dtype", x.dtype, "a floating point type", "Convert it with x.float().")
    fits = x.ndim >= 2 and (size is None or tuple(x.shape[2:]) == size)
    if not fits:
        swapped = size is not None and x.ndim == 2 + len(size)
        advice = "Time is the first axis, samples the second." if swapped or x.ndim < 2 else ""
        raise InvalidValue(f"{what}: shape", list(x.shape), f"{expected}, time first", advice)
    if not x.shape[0]:
        raise InvalidValue(f"{what}: shape", list(x.shape), f"{expected} with at least one step")


def dtype_name(x: Tensor) -> str:
    """Such as "float32"."""
    return str(x.dtype).removeprefix("torch.")


def _check_choice(what: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UnknownName(what, str(value), allowed)
