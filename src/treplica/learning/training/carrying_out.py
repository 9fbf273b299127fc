"""Recipes carried out: trained for one seed or several, tested, with figures and files."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from treplica.coding.files import reading, replacing
from treplica.coding.grid import check_count
from treplica.errors import DescriptionError, InvalidValue, OutputError, UnknownName
from treplica.learning.spikes import SpikeTensor
from treplica.learning.training import checkpoints
from treplica.learning.training.draws import Moment
from treplica.learning.training.evaluation import Evaluation, device_of, on
from treplica.learning.training.inputs import Inputs
from treplica.learning.training.layers_seen import spikes_of
from treplica.learning.training.logs import tensorboard_writer
from treplica.learning.training.randomness import seed_all
from treplica.learning.training.recipes import RECIPES, Recipe
from treplica.learning.training.settings import TrainingSettings
from treplica.learning.training.trainer import Fit, Trainer

NAME = "training.json"
"""What a folder of results was begun with."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A recipe carried out with one seed.

    - `settings`: every number that was used
    - `module`: the trained network
    - `fit`: how training went
    - `test`: what it answers on the test set, which was looked at once, after training
    - `data`: the test set
    - `folder`: where its files are, or None
    """

    recipe: Recipe[Any]
    settings: TrainingSettings
    module: nn.Module
    fit: Fit
    test: Evaluation
    data: Inputs
    folder: Path | None

    @property
    def figures(self) -> dict[str, Any]:
        """Plain numbers."""
        found = {
            "recipe": self.recipe.name,
            "seed": self.settings.seed,
            "test_accuracy": self.test.accuracy,
            "test_loss": self.test.loss,
            "train_s": self.fit.train_s,
            "epochs": self.settings.epochs,
            "epoch": self.fit.epoch,
            "spikes_per_sample": self.test.spikes_per_sample,
            "input_spikes_per_sample": self.test.input_spikes,
            "layer_spikes": self.test.layer_spikes,
            "parameters": sum(p.numel() for p in self.module.parameters() if p.requires_grad),
        }
        last = self.fit.records[self.fit.epoch - 1]
        if "validation_accuracy" in last:
            found["validation_accuracy"] = last["validation_accuracy"]
        return found

    def draw(self) -> list[Path]:
        """Write pictures into the folder: learning curves, the confusion matrix, the raster of a test sample.

        Raises `MissingExtra` without matplotlib.
        """
        from treplica.learning.training.pictures import draw

        if self.folder is None:
            raise OutputError("pictures", "have no folder", "Train with folder=.")
        title = f"{self.recipe.name}, seed {self.settings.seed}"
        return draw(self.folder, title, self.fit.records, self.test, self.data.classes, self.layers(0))

    def layers(self, index: int) -> dict[str, NDArray[np.bool_]]:
        """Where the input and each layer spike for a sample of the test set, bool[T, n] by name."""
        x = self.data.batch(np.array([index]), Moment(self.settings.seed, None, 0))
        found: dict[str, NDArray[np.bool_]] = {}
        if self.data.spiking:
            dense = x.dense() if isinstance(x, SpikeTensor) else x
            found["input"] = (dense.flatten(1) != 0).numpy()
        with torch.no_grad(), spikes_of(self.module) as seen:
            self.module.eval()
            self.module(on(x, device_of(self.module)))
            found |= {name: (s.flatten(1) != 0).cpu().numpy() for name, s in seen.by_layer.items()}
        return found


@dataclass(frozen=True, eq=False)
class TrainedSeeds:
    """A recipe carried out with one or more seeds: `runs`, one for each."""

    runs: tuple[Trained, ...]

    @property
    def figures(self) -> dict[str, Any]:
        """Plain numbers; of several seeds means, with `_std` standard deviations and with `_each` all values."""
        each = [run.figures for run in self.runs]
        found: dict[str, Any] = {**each[0], "seeds": [f["seed"] for f in each]}
        if len(each) == 1:
            return found
        del found["seed"]
        found["epoch"] = [f["epoch"] for f in each]
        found["layer_spikes"] = {
            name: float(np.mean([f["layer_spikes"][name] for f in each])) for name in each[0]["layer_spikes"]
        }
        for name in [n for n, value in each[0].items() if isinstance(value, float)]:
            values = [f[name] for f in each]
            found[name] = math.fsum(values) / len(values)
            found[f"{name}_std"] = float(np.std(values, ddof=1))
            found[f"{name}_each"] = values
        return found


def recipe_named(name: str) -> Recipe[Any]:
    """One of RECIPES. Raises UnknownName with the known ones."""
    if name not in RECIPES:
        raise UnknownName("recipe", name, RECIPES)
    return RECIPES[name]


def train_recipe(
    recipe: str | Recipe[Any],
    settings: TrainingSettings | None = None,
    *,
    seeds: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    resume: bool = False,
    **options: Any,
) -> TrainedSeeds:
    """Carry out a recipe: for each seed build, train, and look at the test set once.

    recipe: its name, or one of your own. settings: those of the recipe with changes, such as
    `RECIPES["digits"].settings.but(epochs=3)`; None, as they are. seeds: how many, from that of the settings on (None:
    one). folder: an empty or new one, in which each seed has its folder `seed-N` with checkpoint and log. resume: go
    on in such a folder to the same weights as without an interruption; settings and seeds are those that it was begun
    with. options: `checkpoint_every`, `tensorboard` and `progress` of `Trainer`.

    Raises what `Trainer.fit` raises, and what reading the data raises.
    """
    chosen = recipe_named(recipe) if isinstance(recipe, str) else recipe
    place = None if folder is None else Path(folder)
    if resume and place is None:
        raise InvalidValue("resume", True, "False without a folder that was begun")
    if resume and place is not None:
        settings, seeds = _begun_with(place / NAME, chosen, settings, seeds)
    used = chosen.settings if settings is None else settings
    number = check_count("seeds", 1 if seeds is None else seeds, 1)
    _check(chosen, used, options)
    if place is not None and not resume:
        checkpoints.fresh_folder(place / NAME)
        begun = {"recipe": chosen.name, "settings": dataclasses.asdict(used), "seeds": number}
        with replacing(place / NAME, alone=True) as beside:
            beside.write_text(json.dumps(begun, indent=1) + "\n", encoding="utf-8")
    runs = []
    for seed in range(used.seed, used.seed + number):
        own = None if place is None else place / f"seed-{seed}"
        runs.append(_train(chosen, used.but(seed=seed), own, resume, options))
    return TrainedSeeds(tuple(runs))


def _check(recipe: Recipe[Any], settings: TrainingSettings, options: dict[str, Any]) -> None:
    """Refuse before anything is written what would be refused after it."""
    if settings.choose == "best" and not settings.hold_out:
        advice = "Hold out a share of the training samples, such as hold_out=0.1."
        raise InvalidValue("choose", "best", "'last' where there is nothing to choose on", advice)
    somewhere = "." if options.get("tensorboard") else None
    Trainer(nn.Identity(), recipe.loss(settings), settings, folder=somewhere, **options)
    if options.get("tensorboard"):
        tensorboard_writer()


def _train(
    recipe: Recipe[Any],
    settings: TrainingSettings,
    folder: Path | None,
    resume: bool,
    options: dict[str, Any],
) -> Trained:
    train, test = recipe.data(settings)
    seed_all(settings.seed)
    module = recipe.build(settings)
    trainer = Trainer(
        module,
        recipe.loss(settings),
        settings,
        penalties=recipe.penalties(settings),
        folder=folder,
        title=recipe.name,
        **options,
    )
    begun = resume and folder is not None and (folder / checkpoints.NAME).exists()
    fit = trainer.fit(train, resume=begun)
    return Trained(recipe, settings, module, fit, trainer.evaluate(test), test, folder)


def _begun_with(
    path: Path, recipe: Recipe[Any], settings: TrainingSettings | None, seeds: int | None
) -> tuple[TrainingSettings, int]:
    """The settings and the number of seeds of a folder; what is given and differs is refused."""
    if not path.is_file():
        problem = f"there is no {NAME} in this folder"
        raise DescriptionError(
            path.parent, problem, "Begin without resume, or name the folder that was begun."
        )
    with reading(path, "beginning of a training"):
        begun = json.loads(path.read_text(encoding="utf-8"))
        before = {"recipe": begun["recipe"], "seeds": begun["seeds"], **begun["settings"]}
    now: dict[str, Any] = {"recipe": recipe.name}
    if settings is not None:
        now |= dataclasses.asdict(settings)
    if seeds is not None:
        now["seeds"] = seeds
    checkpoints.check_same(path, {name: before.get(name) for name in now}, now)
    with reading(path, "beginning of a training"):
        return recipe.settings.but(**begun["settings"]), int(begun["seeds"])
