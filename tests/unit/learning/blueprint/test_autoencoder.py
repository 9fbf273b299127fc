"""The sparse autoencoder: its loss by hand, its gradients, and what training makes of it."""

import copy
import math

import numpy as np
import pytest

import treplica as tr
from treplica.errors import InvalidValue, TrainingError, UnknownName

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")
SparseAutoencoder, fit_autoencoder = learning.SparseAutoencoder, learning.fit_autoencoder
SETTINGS = learning.TrainingSettings(epochs=12, batch=32, lr=0.02, seed=3, threads=1)


def small(**options) -> "learning.SparseAutoencoder":
    torch.manual_seed(0)
    return SparseAutoencoder(6, 4, **options).double()


def batch(samples: int = 5) -> torch.Tensor:
    return torch.rand(samples, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("tied", [False, True])
def test_the_loss_is_that_of_the_lecture(tied: bool) -> None:
    net, x = small(sparsity=0.2, weight=0.7, tied=tied), batch()
    with torch.no_grad():
        net.encoder_bias.uniform_(-1.0, 1.0)
        net.decoder_bias.uniform_(-1.0, 1.0)
    wide, back = net.encoder_weight.detach().numpy(), net.decoder_weight.detach().numpy()
    assert back.shape == (6, 4)
    assert np.array_equal(back, wide.T) == tied
    total, codes = 0.0, []
    for sample in x.numpy():
        code = 1.0 / (1.0 + np.exp(-(wide @ sample + net.encoder_bias.detach().numpy())))
        again = 1.0 / (1.0 + np.exp(-(back @ code + net.decoder_bias.detach().numpy())))
        total += 0.5 * float(((again - sample) ** 2).sum())
        codes.append(code)
    rates = np.mean(codes, axis=0)
    divergence = float((0.2 * np.log(0.2 / rates) + 0.8 * np.log(0.8 / (1.0 - rates))).sum())
    assert net.loss(x).item() == pytest.approx(total / 5 + 0.7 * divergence, rel=1e-12)
    np.testing.assert_allclose(net.encode(x).detach(), codes, rtol=1e-12)
    np.testing.assert_allclose(net.codes(x.numpy()), codes, rtol=1e-12)
    assert net(x).shape == x.shape


def test_cross_entropy_is_that_of_each_input() -> None:
    net, x = small(reconstruction="cross-entropy"), batch()
    y = net(x)
    wanted = -(x * y.log() + (1.0 - x) * (1.0 - y).log()).sum(1).mean()
    assert net.terms(x).reconstruction.item() == pytest.approx(wanted.item(), rel=1e-12)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("reconstruction", ["squared", "cross-entropy"])
def test_gradients_are_differences(tied: bool, reconstruction: str) -> None:
    net, x = small(tied=tied, reconstruction=reconstruction), batch()
    parameters = dict(net.named_parameters())
    assert len(parameters) == (3 if tied else 4)

    def loss(*values):
        return torch.func.functional_call(Loss(net), dict(zip(Loss(net).names, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(
        loss, tuple(p.detach().clone().requires_grad_() for p in parameters.values())
    )


class Loss(torch.nn.Module):
    """The loss as a module's call."""

    def __init__(self, net) -> None:
        super().__init__()
        self.net = net
        self.names = [f"net.{n}" for n, _ in net.named_parameters()]

    def forward(self, x):
        return self.net.loss(x)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_saturated_units_have_finite_losses_and_gradients(sign: float) -> None:
    """Where the printed penalty is infinite in float32, one step of descent is a step."""
    net = SparseAutoencoder(6, 4)
    with torch.no_grad():
        net.encoder_bias.fill_(sign * 300.0)
    loss = net.loss(batch().float())
    loss.backward()
    assert math.isfinite(loss.item())
    for parameter in net.parameters():
        assert torch.isfinite(parameter.grad).all()
    assert (sign * net.encoder_bias.grad > 0).all()


def test_training_finds_a_sparse_code_of_digits() -> None:
    images = tr.datasets.digits("train").inputs[:600]
    torch.manual_seed(1)
    net = SparseAutoencoder(64, 32, sparsity=0.1, weight=1.0)
    records = fit_autoencoder(net, images, SETTINGS)
    assert [r.epoch for r in records] == list(range(1, 13))
    assert records[-1].reconstruction < 0.4 * records[0].reconstruction
    assert net.codes(images).mean() == pytest.approx(0.1, abs=0.04)
    flat = images.reshape(600, -1)
    with torch.no_grad():
        error = np.square(net(torch.from_numpy(flat)).numpy() - flat).mean()
    assert error < 0.85 * flat.var(axis=0).mean()


def test_dead_units_are_revived() -> None:
    net = SparseAutoencoder(64, 8, sparsity=0.2, weight=1.0)
    with torch.no_grad():
        net.encoder_bias[:4] = -150.0
    images = tr.datasets.digits("train").inputs[:300]
    assert net.codes(images)[:, :4].max() < 1e-30
    fit_autoencoder(net, images, SETTINGS.but(optimizer="sgd", lr=20.0, momentum=0.0, weight_decay=0.0))
    assert net.codes(images)[:, :4].mean() > 0.02


def test_the_seed_decides_everything() -> None:
    images = tr.datasets.digits("train").inputs[:200]

    def trained(seed: int) -> dict:
        torch.manual_seed(7)
        net = SparseAutoencoder(64, 8)
        fit_autoencoder(net, images, SETTINGS.but(epochs=2, seed=seed, clip=1.0))
        return net.state_dict()

    first, same, other = trained(1), trained(1), trained(2)
    assert all(torch.equal(first[n], same[n]) for n in first)
    assert not torch.equal(first["encoder_weight"], other["encoder_weight"])
    torch.manual_seed(7)
    net = SparseAutoencoder(64, 8)
    net.load_state_dict(first)
    assert np.array_equal(net.codes(images), copy.deepcopy(net).codes(images))


def test_an_infinite_loss_stops_with_epoch_and_batch() -> None:
    net = small()
    with torch.no_grad():
        net.encoder_weight.fill_(float("inf"))
    with pytest.raises(TrainingError, match=r"batch 1 of epoch 1 the loss became (nan|inf)"):
        fit_autoencoder(net, batch().numpy(), SETTINGS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SparseAutoencoder(0, 4), "n_inputs"),
        (lambda: SparseAutoencoder(4, 2.5), "n_code"),
        (lambda: SparseAutoencoder(4, 4, sparsity=1.0), "sparsity must be 0 < rate < 1"),
        (lambda: SparseAutoencoder(4, 4, weight=-1.0), "weight must be a finite number >= 0"),
        (lambda: SparseAutoencoder(4, 4, reconstruction="square"), "Did you mean 'squared'"),
        (lambda: small()(torch.zeros(2, 5)), r"\[\.\.\., 6\]"),
        (lambda: small().decode(torch.zeros(2, 5)), r"code .* \[\.\.\., 4\]"),
        (lambda: small().codes(np.full((2, 6), 1.5)), "in 0 … 1"),
        (lambda: fit_autoencoder(small(), np.zeros((3, 6)), SETTINGS.but(hold_out=0.5)), "hold_out=0"),
        (lambda: fit_autoencoder(small(), np.zeros((3, 5)), SETTINGS), r"\[\.\.\., 6\]"),
    ],
)
def test_what_cannot_be_is_refused(make, message: str) -> None:
    with pytest.raises((InvalidValue, UnknownName), match=message):
        make()
