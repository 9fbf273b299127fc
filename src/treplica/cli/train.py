"""`treplica train`: a recipe carried out and tested."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from treplica import learning
from treplica.cli.run import write_summary
from treplica.cli.terminal import console, print_json, print_table
from treplica.errors import InvalidValue, MissingExtra, UnknownName


def main(chosen: argparse.Namespace) -> int:
    """Train, test, write and print the figures."""
    recipes = learning.RECIPES
    if chosen.recipe is None:
        return _list(recipes, chosen.json)
    if chosen.recipe not in recipes:
        raise UnknownName("recipe", chosen.recipe, recipes)
    recipe = recipes[chosen.recipe]
    _check(chosen)
    try:
        trained = learning.train_recipe(
            recipe,
            _settings(recipe.settings, chosen),
            seeds=chosen.seeds,
            folder=chosen.out,
            resume=chosen.resume,
            checkpoint_every=chosen.checkpoint_every,
            tensorboard=chosen.tensorboard,
            progress=False if chosen.json else None,
        )
    except KeyboardInterrupt as stopped:
        if chosen.out is None:
            raise
        again = f"treplica train {chosen.recipe} --resume --out {shlex.quote(str(chosen.out))}"
        what = str(stopped).partition(";")[0] or "interrupted"
        raise KeyboardInterrupt(f"{what}; go on with: {again}") from None
    figures = trained.figures
    if chosen.out is not None:
        if not chosen.no_pictures:
            for run in trained.runs:
                run.draw()
        write_summary(chosen.out / "summary.json", figures)
    if chosen.json:
        print_json({**figures, "folder": None if chosen.out is None else str(chosen.out)})
    else:
        _print(recipe.claim, figures, chosen.out)
    return 0


def _check(chosen: argparse.Namespace) -> None:
    """Refuse before a long training what would fail after it."""
    if chosen.out is None:
        for name, given in (("--resume", chosen.resume), ("--tensorboard", chosen.tensorboard)):
            if given:
                raise InvalidValue(name, "given", "given together with --out FOLDER")
    elif not chosen.no_pictures and find_spec("matplotlib") is None:
        raise MissingExtra("matplotlib", "plot", "Drawing pictures (or use --no-pictures)")


def _settings(own: Any, chosen: argparse.Namespace) -> Any:
    """The recipe's settings with what was given; None where a folder's are to be taken as they are."""
    given = {}
    for pair in chosen.values:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise InvalidValue("--set", pair, "NAME=VALUE, such as lr=0.001")
        given[name] = value
    for name in ("seed", "epochs"):
        if getattr(chosen, name) is not None:
            given[name] = str(getattr(chosen, name))
    return None if chosen.resume and not given else own.parsed(given)


def _list(recipes: Any, as_json: bool) -> int:
    if as_json:
        about = {
            n: {"claim": r.claim, "settings": dataclasses.asdict(r.settings)} for n, r in recipes.items()
        }
        print_json(about)
    else:
        print_table("recipes", [(name, recipe.claim) for name, recipe in recipes.items()])
    return 0


def _print(claim: str, figures: dict[str, Any], folder: Path | None) -> None:
    several = len(figures["seeds"]) > 1

    def shown(name: str, form: str, unit: str = "") -> str:
        spread = f" ± {format(figures[f'{name}_std'], form)}" if several else ""
        return f"{format(figures[name], form)}{spread}{unit}"

    rows = [("test accuracy", shown("test_accuracy", ".2%"))]
    if "validation_accuracy" in figures:
        rows.append(("validation accuracy", shown("validation_accuracy", ".2%")))
    rows += [
        ("test loss", shown("test_loss", ".4f")),
        ("training", shown("train_s", ".1f", f" s, {figures['epochs']} epochs")),
        ("weights of epoch", str(figures["epoch"])),
        (
            "spikes a sample",
            f"{shown('spikes_per_sample', ',.1f')}, and {figures['input_spikes_per_sample']:,.1f} in",
        ),
        ("parameters", f"{figures['parameters']:,}"),
        ("seeds" if several else "seed", ", ".join(map(str, figures["seeds"]))),
    ]
    console.print(claim, markup=False)
    print_table("", rows)
    if several:
        console.print("after ±: the standard deviation over the seeds")
    if folder:
        console.print(f"results in {folder}", soft_wrap=True, markup=False)
