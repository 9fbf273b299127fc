"""Recipes: carried out, gone on with, repeated over seeds, and what a new one takes."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_trainings import inputs, network, weights
from torch import nn

import treplica as tr
from treplica.errors import DescriptionError, InvalidValue, OutputError, UnknownName
from treplica.learning import (
    RECIPES,
    Recipe,
    Trainer,
    TrainingSettings,
    fold_,
    from_torch,
    losses,
    train_recipe,
)
from treplica.learning.training import trainer as trainer_module
from treplica.learning.training.recipes import convolution


@dataclass(frozen=True)
class Settings(TrainingSettings):
    """With a number of its own."""

    hidden: int = 12
    dark: bool = False


def build(settings: Settings) -> nn.Module:
    return network(settings.hidden)


MINE = Recipe(
    name="sides",
    claim="tells left from right",
    settings=Settings(epochs=2, batch=16, lr=0.02, threads=1),
    build=build,
    data=lambda settings: (inputs(72), inputs(50, seed=2)),
    loss=lambda settings: losses.MembraneCrossEntropy(),
    penalties=lambda settings: (losses.SparsityTarget(0.2),),
)


def test_the_digits_are_learned() -> None:
    """In a fraction of the recipe's epochs: far more than the 10 % of guessing."""
    found = train_recipe(
        "digits", RECIPES["digits"].settings.but(epochs=4, hidden=64, lr=0.01), progress=False
    )
    figures = found.figures
    assert figures["test_accuracy"] > 0.7
    assert figures["parameters"] == 64 * 64 + 64 + 64 * 10 + 10
    assert figures["seeds"] == [0]
    (run,) = found.runs
    test = tr.datasets.digits("test")
    assert run.test.confusion.sum(axis=1).tolist() == np.bincount(test.labels).tolist()
    first = tr.coding.latency_steps(test.inputs, 10.0)
    assert figures["input_spikes_per_sample"] == pytest.approx((first > 0).sum() / 360)
    json.dumps(figures)


def test_layers_of_a_sample_are_shown() -> None:
    (run,) = train_recipe(MINE, progress=False).runs
    found = run.layers(3)
    assert list(found) == ["input", "hidden"]
    assert found["input"].shape == (5, 16)
    assert found["hidden"].shape == (5, 12)
    assert (found["input"] == inputs(50, seed=2).samples.dense([3])[:, 0]).all()
    assert found["hidden"].any()
    with pytest.raises(OutputError, match="have no folder"):
        run.draw()


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_are_of_a_form(name: str) -> None:
    """Built without data: parameters, and a run of zeros."""
    recipe = RECIPES[name]
    assert recipe.name == name
    assert len(recipe.claim) > 20
    module = recipe.build(recipe.settings)
    assert sum(p.numel() for p in module.parameters()) > 1000
    assert callable(recipe.loss(recipe.settings).scores)


def test_convolutions_learn_pictures() -> None:
    """Those of the digits here. With its normalisation folded the network answers the same, and can be simulated."""
    settings = convolution.ConvolutionSettings(
        epochs=4, batch=32, lr=0.01, first=8, second=16, kernel=3, hidden=32, dropout=0.0, threads=1
    )
    mine = replace(
        convolution.recipe("pictures", "digits", settings, tr.datasets.digits),
        build=lambda settings: convolution.network(settings, side=8, classes=10),
    )
    (run,) = train_recipe(mine, progress=False).runs
    assert run.test.accuracy > 0.7
    assert sorted(run.test.layer_spikes) == ["first_spikes", "hidden", "second_spikes"]
    trainer = Trainer(fold_(run.module.eval()), mine.loss(settings), settings)
    assert trainer.evaluate(run.data).accuracy == pytest.approx(run.test.accuracy, abs=0.01)
    populations = {p.name for p in from_torch(run.module, (1, 8, 8)).network.populations}
    assert {"first_spikes", "second_spikes", "hidden", "readout"} <= populations


@pytest.mark.parametrize("name", ["mnist-conv", "fashion-mnist"])
def test_convolutions_have_the_size_that_their_settings_say(name: str) -> None:
    settings = RECIPES[name].settings
    module = RECIPES[name].build(settings)
    assert module(torch.rand(1, 2, 1, 28, 28)).shape == (1, 2, 10)
    assert module.third.in_features == settings.second * 7 * 7
    bigger = RECIPES[name].build(settings.but(kernel=2, first=3, second=5))
    assert bigger(torch.rand(1, 2, 1, 28, 28)).shape == (1, 2, 10)


def test_seeds_are_the_single_trainings(tmp_path: Path) -> None:
    several = train_recipe(MINE, MINE.settings.but(seed=7), seeds=3, folder=tmp_path / "out", progress=False)
    figures = several.figures
    each = [train_recipe(MINE, MINE.settings.but(seed=s), progress=False).runs[0] for s in (7, 8, 9)]
    assert [weights(r.module) for r in several.runs] == [weights(r.module) for r in each]
    accuracies = [r.test.accuracy for r in each]
    assert (figures["seeds"], figures["test_accuracy_each"]) == ([7, 8, 9], accuracies)
    assert figures["test_accuracy"] == pytest.approx(np.mean(accuracies))
    assert figures["test_accuracy_std"] == pytest.approx(np.std(accuracies, ddof=1))
    assert figures["layer_spikes"]["hidden"] == pytest.approx(figures["spikes_per_sample"])
    assert "seed" not in figures
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "seed-7",
        "seed-8",
        "seed-9",
        "training.json",
    ]


class Stopped(Exception):
    pass


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_several_seeds_are_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Stopped in the first or the second, with what it was begun with known to the folder."""
    settings, out = MINE.settings.but(hidden=9), tmp_path / "out"
    whole = train_recipe(MINE, settings, seeds=2, progress=False)
    left, end = [after], trainer_module.Course.end_epoch

    def stopping(course: object) -> object:
        left[0] -= 1
        if not left[0]:
            raise Stopped
        return end(course)

    with monkeypatch.context() as patch:
        patch.setattr(trainer_module.Course, "end_epoch", stopping)
        with pytest.raises(Stopped):
            train_recipe(MINE, settings, seeds=2, folder=out, progress=False)
    again = train_recipe(MINE, folder=out, resume=True, progress=False)
    assert [weights(r.module) for r in again.runs] == [weights(r.module) for r in whole.runs]
    assert again.figures["test_accuracy_each"] == whole.figures["test_accuracy_each"]


def test_the_test_set_is_not_looked_at_while_training() -> None:
    class Closed:
        """Refuses to give a batch until training is over."""

        def __getattr__(self, name: str) -> object:
            raise AssertionError("looked at the test set")

        def __len__(self) -> int:
            raise AssertionError("looked at the test set")

    recipe = Recipe("r", "c", MINE.settings, build, lambda s: (inputs(72), Closed()), MINE.loss)
    with pytest.raises(AssertionError, match="looked at") as raised:
        train_recipe(recipe, progress=False)
    names = [entry.name for entry in raised.traceback]
    assert "evaluate" in names
    assert "fit" not in names


def test_what_does_not_fit_a_folder_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    train_recipe(MINE, folder=out, progress=False)
    begun = (out / "training.json").read_text()
    other = Recipe("other", "c", MINE.settings, build, MINE.data, MINE.loss)
    cases = {
        "recipe was sides, here it is other": lambda: train_recipe(other, folder=out, resume=True),
        "lr was 0.02, here it is 0.1": lambda: train_recipe(
            MINE, MINE.settings.but(lr=0.1), folder=out, resume=True
        ),
        "seeds was 1, here it is 2": lambda: train_recipe(MINE, seeds=2, folder=out, resume=True),
    }
    for problem, make in cases.items():
        with pytest.raises(DescriptionError, match=problem):
            make()
    with pytest.raises(OutputError, match="not empty"):
        train_recipe(MINE, folder=out)
    (out / "training.json").write_text(begun[:-20])
    with pytest.raises(DescriptionError, match="is not a readable beginning of a training"):
        train_recipe(MINE, folder=out, resume=True)
    with pytest.raises(DescriptionError, match=r"there is no training.json in this folder"):
        train_recipe(MINE, folder=tmp_path / "absent", resume=True)
    with pytest.raises(InvalidValue, match="resume"):
        train_recipe(MINE, resume=True)
    with pytest.raises(InvalidValue, match="seeds must be a whole number >= 1"):
        train_recipe(MINE, seeds=0)
    with pytest.raises(UnknownName, match="Did you mean 'digits'"):
        train_recipe("digit")


def test_settings_of_a_recipe_are_read_from_text() -> None:
    found = MINE.settings.parsed({"hidden": "30", "dark": "yes"})
    assert (found.hidden, found.dark, found.lr) == (30, True, 0.02)
    with pytest.raises(InvalidValue, match="dark must be true or false, got 'perhaps'"):
        MINE.settings.parsed({"dark": "perhaps"})
    with pytest.raises(UnknownName, match="Did you mean 'hidden'"):
        MINE.settings.parsed({"hiden": "30"})


def test_pictures_are_drawn(tmp_path: Path) -> None:
    (run,) = train_recipe(MINE, MINE.settings.but(hold_out=0.2), folder=tmp_path / "out", progress=False).runs
    before = torch.get_rng_state()
    paths = run.draw()
    assert [p.name for p in paths] == ["curves.png", "confusion.png", "raster.png"]
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in paths)
    assert (torch.get_rng_state() == before).all()
