"""Neurons that reach one another: spikes by hand, delays, runs in pieces."""

import math

import pytest

import treplica as tr
from treplica.errors import InvalidValue

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")
op = pytest.importorskip("treplica.learning.fused.op")
recurrence_for = pytest.importorskip("treplica.learning.fused.loops").recurrence_for
recurrence = pytest.importorskip("treplica.learning.fused.recurrence")

#: Spikes where what arrives in one step reaches 1; forgets everything else.
RELAY = tr.LIF(tau=1e-3, v_rest=0.0, v_th=1.0, v_reset=0.0, refractory=0.0, v=0.0)
LEAKY = tr.LIF(tau=8.0, v_rest=0.0, v_th=1.0, v_reset=0.0, refractory=0.0, v=0.0)
BACKENDS = ["fused", "steps"]


def recurrent(
    neuron, size, delay=1, *, seed=0, backend="auto", dtype=torch.float64, neurons_size=None, **choices
):
    """Neurons with recurrent weights on the grid of 1/64, whose sums are exact."""
    neurons = learning.Neurons(neuron, neurons_size, backend=backend, **choices)
    layer = learning.Recurrent(neurons, size, delay, bias=True).to(dtype)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        layer.recurrent.weight.copy_(torch.randint(-24, 25, (size, size), generator=generator) / 64)
        layer.recurrent.bias.copy_(torch.randint(-4, 5, (size,), generator=generator) / 64)
    return layer


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("delay", [1, 2, 3])
def test_a_spike_goes_round_a_ring(delay, backend) -> None:
    neurons = learning.Neurons(RELAY, backend=backend)
    ring = learning.Recurrent(neurons, 4, delay)
    with torch.no_grad():
        ring.recurrent.weight.copy_(torch.eye(4).roll(1, 0))  # neuron i reaches neuron i + 1
    x = torch.zeros(4 * delay + 1, 2, 4)
    x[0, 0, 0] = 1.0
    spikes = ring(x)
    assert spikes[:, 0].nonzero().tolist() == [[k * delay, k % 4] for k in range(5)]
    assert not spikes[:, 1].any()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("delay", [1, 3])
@pytest.mark.parametrize("cuts", [(4,), (1, 2, 9), (2, 3, 4, 5)])
def test_a_run_goes_on_in_pieces(delay, cuts, backend) -> None:
    layer = recurrent(LEAKY, 5, delay, backend=backend, record=("v",))
    x = torch.rand(12, 2, 5, dtype=torch.float64)
    whole = layer.run(x)
    assert 0 < whole.output.sum() < whole.output.numel()
    pieces, state = [], None
    for first, last in zip((0, *cuts), (*cuts, 12), strict=True):
        pieces.append(layer.run(x[first:last], state))
        state = pieces[-1].state
    assert torch.equal(torch.cat([p.output for p in pieces]), whole.output)
    assert torch.equal(torch.cat([p.recorded["v"] for p in pieces]), whole.recorded["v"])
    assert all(torch.equal(state[k], v) for k, v in whole.state.items())


def test_spikes_return_beside_a_readout() -> None:
    spikes = recurrent(LEAKY, 5)
    potentials = recurrent(LEAKY, 5, output="v", record=("spike",))
    x = torch.rand(12, 2, 5, dtype=torch.float64)
    assert torch.equal(potentials.run(x).recorded["spike"], spikes(x))
    assert torch.equal(potentials(x), potentials.run(x).output)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: learning.Recurrent(learning.Neurons(LEAKY), 4, 0), "A graph with a cycle and no delay"),
        (lambda: learning.Recurrent(learning.Neurons(LEAKY), 4, 1.5), "whole number of steps"),
        (lambda: learning.Recurrent(learning.Neurons(LEAKY), 0), "Recurrent: size"),
        (lambda: learning.Recurrent(learning.Neurons(LEAKY, 5), 4), "as the neurons have it"),
        (lambda: learning.Recurrent(learning.Neurons(LEAKY, output="v"), 4), r'record=\("spike",\)'),
        (lambda: learning.Recurrent(learning.Linear(4, 4), 4), "a Neurons"),
        (lambda: learning.Recurrent(learning.Neurons(tr.PoissonSource), 4), "that spikes can reach"),
        (lambda: learning.Recurrent(learning.Neurons(LEAKY), 4)(torch.zeros(5, 2, 3)), r"\[T, B, 4\]"),
        (lambda: learning.Recurrent(learning.Neurons(LEAKY), 4)(torch.zeros(2, 4)), r"\[T, B, 4\]"),
    ],
)
def test_what_does_not_fit_is_refused(build, words) -> None:
    with pytest.raises(InvalidValue, match=words):
        build()


def test_a_state_of_something_else_is_refused() -> None:
    layer = recurrent(LEAKY, 4, 2)
    x = torch.zeros(3, 2, 4, dtype=torch.float64)
    state = layer.run(x).state
    with pytest.raises(InvalidValue, match="that have not arrived"):
        layer.run(x, {k: v for k, v in state.items() if k != "recurrent.spikes"})
    with pytest.raises(InvalidValue, match="that have not arrived"):
        layer.run(x[:, :1], state)


def both(neuron, size, delay, x, *, weigh=None, dtype=torch.float64, **choices):
    """Spikes, what is recorded and gradients, of the loop in one kernel and of one step after the other."""
    found = []
    for backend in BACKENDS:
        layer = recurrent(neuron, size, delay, backend=backend, dtype=dtype, **choices)
        given = x.detach().requires_grad_()
        run = layer.run(given)
        series = [run.output, *run.recorded.values()]
        weights = torch.Generator().manual_seed(3)
        loss = sum((torch.rand(s.shape, generator=weights, dtype=dtype) * s).sum() for s in series)
        loss = loss + sum((k + 2.0) * s.sum() for k, s in enumerate(run.state.values()))
        loss.backward()
        gradients = {n: p.grad for n, p in layer.named_parameters()} | {"input": given.grad}
        found.append((run, gradients))
    return found


@pytest.mark.parametrize(
    ("size", "batch", "steps", "delay"),
    [(5, 3, 7, 1), (130, 11, 40, 1), (37, 19, 70, 3), (600, 2, 33, 2), (3, 1, 2, 4), (8, 4, 1, 1)],
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_compiled_loop_is_one_step_after_the_other(size, batch, steps, delay, dtype) -> None:
    generator = torch.Generator().manual_seed(size)
    x = torch.randint(-64, 128, (steps, batch, size), generator=generator).to(dtype) / 64
    # Potentials are sums of multiples of 2^-6 halved at each step: float64 has room, float32 rounds.
    halving = tr.SoftResetLIF(tau=1.0 / math.log(2.0), v_rest=0.0, v_th=1.0, v=0.0)
    (fused, d_fused), (plain, d_plain) = both(halving, size, delay, x, record=("v",), dtype=dtype)
    assert 0 < plain.output.sum() < plain.output.numel()
    if dtype == torch.float64:
        assert torch.equal(fused.output, plain.output)
        assert all(torch.equal(fused.state[k], v) for k, v in plain.state.items())
    else:
        assert (fused.output != plain.output).double().mean() < 1e-3
    assert d_plain["recurrent.weight"].abs().sum() > 0 or steps <= delay
    if torch.equal(fused.output, plain.output):
        assert_near(d_fused, d_plain, 1e-12 if dtype == torch.float64 else 1e-4)


def assert_near(given, expected, share) -> None:
    assert given.keys() == expected.keys()
    for name, value in expected.items():
        assert float((given[name] - value).norm()) <= share * (float(value.norm()) + 1e-9), name


def test_learned_parameters_and_receptors_have_their_gradients() -> None:
    x = 3.0 * torch.rand(40, 6, 9, dtype=torch.float64)
    neuron = tr.LIF(tau=8.0, v_rest=0.0, v_th=1.0, v_reset=0.0, refractory=2.0, v=0.0, c_m=1.0)
    choices = dict(learn={"tau": "layer", "v_th": "neuron"}, reset_gradient="attached")
    receptors = dict(receptors={"fast": tr.Exponential(tau=3.0)}, port="fast")
    for more in ({}, receptors):
        layers = learning.Neurons(neuron, 9, **choices, **more)
        assert layers.port == more.get("port", "arrived") + (".arrived" if more else "")
        (fused, d_fused), (plain, d_plain) = both(neuron, 9, 2, x, **choices, **more, neurons_size=9)
        assert torch.equal(fused.output, plain.output)
        assert plain.output.sum() > 0
        assert d_plain["neurons.constants.tau"].abs() > 0
        assert_near(d_fused, d_plain, 1e-10)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("delay", [1, 2])
def test_gradients_are_those_of_differences(delay, backend) -> None:
    torch.manual_seed(2)
    layer = recurrent(LEAKY, 3, delay, backend=backend, smooth=True, reset_gradient="attached")
    x = torch.rand(5, 2, 3, dtype=torch.float64, requires_grad=True)
    state = {k: torch.rand_like(v) for k, v in layer.run(x).state.items()}
    keys = list(state)

    def run(x, weight, bias, *values):
        given = {"recurrent.weight": weight, "recurrent.bias": bias}
        function = Whole(layer)
        named = {f"layer.{k}": v for k, v in given.items()}
        return torch.func.functional_call(function, named, (x, dict(zip(keys, values, strict=True))))

    given = [x, layer.recurrent.weight, layer.recurrent.bias, *state.values()]
    assert torch.autograd.gradcheck(run, [g.detach().requires_grad_() for g in given])


class Whole(torch.nn.Module):
    """The run of a layer from a state on, as a module."""

    def __init__(self, layer) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x, state):
        run = self.layer.run(x, state)
        return (run.output, *run.state.values())


def test_the_loop_is_one_operation_for_the_compiler() -> None:
    layer = recurrent(LEAKY, 6, 2)
    x = torch.rand(9, 3, 6, dtype=torch.float64, requires_grad=True)
    expected = layer(x)
    assert expected.sum() > 0
    (expected * torch.arange(6)).sum().backward()
    wanted, x.grad = x.grad, None
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    result = compiled(x)
    assert torch.equal(result, expected)
    (result * torch.arange(6)).sum().backward()
    assert torch.equal(x.grad, wanted)


def test_operations_fit_their_descriptions() -> None:
    layer = recurrent(LEAKY, 4, 2)
    x = torch.rand(5, 3, 4, dtype=torch.float64, requires_grad=True)
    neurons = layer.neurons
    constants, columns = neurons.loop_constants(x[0])
    given = {**constants, **neurons.initial_state(x[0]), neurons.port: x}
    given |= {
        recurrence.WEIGHTS: layer.recurrent.weight.t(),
        recurrence.BEFORE: torch.zeros(2, 3, 4, dtype=torch.float64),
    }
    name = recurrence_for(neurons, (neurons.port,), columns, ("spike",), "float64", neurons.port, 2, False)
    tensors = [given[k].contiguous() for k in op._LOOPS[name].takes]
    tests = ("test_schema", "test_faketensor", "test_autograd_registration")
    torch.library.opcheck(op._unroll, (name, 5, tensors, True), test_utils=tests)


def test_another_precision_is_refused() -> None:
    layer = recurrent(LEAKY, 4)
    with pytest.raises(InvalidValue, match=r"as the weights, got torch\.float32"):
        layer(torch.zeros(2, 3, 4))
