"""Neurons that reach one another: spikes by hand, delays, runs in pieces."""

import pytest

import treplica as tr
from treplica.errors import InvalidValue

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")

#: Spikes where what arrives in one step reaches 1; forgets everything else.
RELAY = tr.LIF(tau=1e-3, v_rest=0.0, v_th=1.0, v_reset=0.0, refractory=0.0, v=0.0)
LEAKY = tr.LIF(tau=8.0, v_rest=0.0, v_th=1.0, v_reset=0.0, refractory=0.0, v=0.0)
BACKENDS = ["fused", "steps"]


def recurrent(neuron, size, delay=1, *, seed=0, backend="auto", dtype=torch.float64, **choices):
    """Neurons with recurrent weights on the grid of 1/64, whose sums are exact."""
    neurons = learning.Neurons(neuron, backend=backend, **choices)
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
