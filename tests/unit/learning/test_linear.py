"""Products with spikes are products."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treplica.errors import InvalidValue

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")
product = pytest.importorskip("treplica.learning.sparse.product")
Linear, SpikeTensor = learning.Linear, learning.SpikeTensor


@settings(max_examples=40, deadline=None)
@given(
    rows=st.sampled_from([1, 3, 64, 65, 511, 512, 513]),
    inputs=st.integers(1, 70),
    outputs=st.sampled_from([1, 5, 127, 128, 129, 260]),
    density=st.sampled_from([0.0, 0.03, 0.1, 0.5, 1.0]),
    bias=st.booleans(),
    single=st.booleans(),
    binary=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_sparse_products_are_dense_products(
    rows, inputs, outputs, density, bias, single, binary, seed
) -> None:
    """On a grid where sums are exact in any order, to the last bit."""
    generator = torch.Generator().manual_seed(seed)
    dtype = torch.float32 if single else torch.float64

    def grid(*shape):
        return torch.randint(-64, 65, shape, generator=generator).to(dtype) / 64

    x = (torch.rand(rows, inputs, generator=generator) < density).to(dtype) * (
        1 if binary else grid(rows, inputs)
    )
    weights, constant, gradient = grid(inputs, outputs), grid(outputs), grid(rows, outputs)
    entries = product.entries_of(x)
    expected = x @ weights + (constant if bias else 0)
    assert torch.equal(product.times(entries, weights, constant if bias else None), expected)
    assert torch.equal(product.transposed_times(entries, gradient, inputs), x.t() @ gradient)
    if int(x[:64].count_nonzero()) > 64:  # more than a few in the first tile of rows
        assert product.entries_of(x, 0.0) is None


@pytest.mark.parametrize("density", [0.03, 0.9])
def test_the_module_is_that_of_pytorch(density: float) -> None:
    torch.manual_seed(0)
    ours, theirs = Linear(30, 20).double(), torch.nn.Linear(30, 20).double()
    theirs.load_state_dict(ours.state_dict())
    x = (torch.rand(7, 5, 30) < density).double().requires_grad_()
    assert torch.autograd.gradcheck(ours, (x.detach()[:2, :2].clone().requires_grad_(),))
    weights = torch.randn(7, 5, 20).double()
    for a, b in zip(
        torch.autograd.grad((ours(x) * weights).sum(), (x, ours.weight, ours.bias)),
        torch.autograd.grad((theirs(x) * weights).sum(), (x, theirs.weight, theirs.bias)),
        strict=True,
    ):
        torch.testing.assert_close(a, b)
    optimizer = torch.optim.SGD(ours.parameters(), 0.1)
    ours(x).sum().backward()
    optimizer.step()
    assert ours.weight.stride() == (1, 20)


def test_spike_tensors_are_their_dense_form() -> None:
    torch.manual_seed(1)
    x = (torch.rand(6, 4, 30) < 0.1).float()
    spikes = SpikeTensor.of_dense(x)
    assert torch.equal(spikes.dense(), x)
    assert len(spikes) == int(x.sum())
    assert "6, 4, 30" in repr(spikes)
    layer = Linear(30, 8)
    torch.testing.assert_close(layer(spikes), layer(x))
    first, second = (
        torch.autograd.grad(layer(given).pow(2).sum(), list(layer.parameters())) for given in (spikes, x)
    )
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b)
    doubled = layer.double()(spikes)
    assert doubled.dtype == torch.float64


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(InvalidValue, match=r"\[..., 30\]"):
        Linear(30, 8)(torch.zeros(4, 2, 29))
    with pytest.raises(InvalidValue, match=r"\[T, B, n\]"):
        SpikeTensor.of_dense(torch.zeros(4, 2))
    good = SpikeTensor.of_dense(torch.ones(2, 2, 3))
    with pytest.raises(InvalidValue, match="starts"):
        SpikeTensor((2, 3, 3), good.starts, good.channels, good.values)
    with pytest.raises(InvalidValue, match="channels"):
        SpikeTensor((2, 2, 3), good.starts, good.channels.long(), good.values)
