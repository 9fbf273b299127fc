"""The networks of recipes, and their data where these are at hand."""

import numpy as np
import pytest
import torch
from support import shared_data

from treplica.errors import UnknownName
from treplica.learning import RECIPES
from treplica.learning.training.draws import Moment
from treplica.learning.training.recipes import sequential

EVALUATION = Moment(1, None, 0)


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("order", ["rows", "pixels"])
@pytest.mark.parametrize("hidden", [64, 256])
def test_the_lstm_is_as_large_as_the_spiking_network(order: str, hidden: int) -> None:
    """No other number of cells is nearer."""
    settings = RECIPES["sequential-mnist"].settings.but(order=order, hidden=hidden)
    spiking = parameters(sequential.build(settings))
    lstm = sequential.build(settings.but(network="lstm"))
    width, cells = sequential.WIDTHS[order], lstm.cells.hidden_size
    sizes = [parameters(sequential.LSTM(width, n, 10, 0.0)) for n in (cells - 1, cells, cells + 1)]
    assert parameters(lstm) == sizes[1]
    assert abs(sizes[1] - spiking) == min(abs(size - spiking) for size in sizes)
    assert abs(sizes[1] - spiking) < 0.03 * spiking


@pytest.mark.parametrize(
    ("name", "changes", "shape"),
    [
        ("nmnist", {}, (4, 2, 2, 34, 34)),
        ("spoken-digits", {"channels": 12}, (6, 2, 24)),
        ("sequential-mnist", {}, (28, 2, 28)),
        ("sequential-mnist", {"order": "pixels"}, (40, 2, 1)),
        ("sequential-mnist", {"network": "lstm"}, (28, 2, 28)),
    ],
)
def test_networks_take_their_data_and_learn(name: str, changes: dict, shape: tuple) -> None:
    """Every parameter has a gradient, and the output a number for each class."""
    torch.manual_seed(1)
    recipe = RECIPES[name]
    settings = recipe.settings.but(**changes)
    module = recipe.build(settings)
    output = module((torch.rand(shape) < 0.2).float())
    assert output.shape == (shape[0], 2, 10)
    recipe.loss(settings)(output, torch.tensor([3, 8])).backward()
    for key, p in module.named_parameters():
        if p.requires_grad:
            assert p.grad.isfinite().all(), key
            assert p.grad.any(), key


@pytest.mark.parametrize(
    ("name", "folder", "file", "changes", "sizes"),
    [
        ("nmnist", "nmnist_small", "nmnist_small.zip", {}, (1000, 100)),
        ("spoken-digits", "fsdd", "fsdd.zip", {}, (2700, 300)),
        ("spoken-digits", "fsdd", "fsdd.zip", {"division": "speakers"}, (2000, 1000)),
    ],
)
def test_data_are_changed_while_training_alone(
    monkeypatch: pytest.MonkeyPatch, name: str, folder: str, file: str, changes: dict, sizes: tuple
) -> None:
    """What is tested on is never changed, and every class is in it."""
    monkeypatch.setenv("TREPLICA_DATA", str(shared_data(folder, file).parents[1]))
    recipe = RECIPES[name]
    settings = recipe.settings.but(**changes)
    train, test = recipe.data(settings)
    assert (len(train), len(test)) == sizes
    assert set(test.labels) == set(range(10))
    assert (
        train.n_steps == test.n_steps == recipe.build(settings)(test.batch(np.arange(2), EVALUATION)).shape[0]
    )
    for inputs, differ in ((train, True), (test, False)):
        seen = [inputs.batch(np.arange(8), moment) for moment in (Moment(1, 0, 0), EVALUATION)]
        changed, still = (x if isinstance(x, torch.Tensor) else x.dense() for x in seen)
        assert bool((changed != still).any()) == differ


def test_orders_and_networks_are_checked() -> None:
    settings = RECIPES["sequential-mnist"].settings
    with pytest.raises(UnknownName, match="Did you mean 'rows'"):
        settings.but(order="row")
    with pytest.raises(UnknownName, match="lstm"):
        settings.parsed({"network": "gru"})
