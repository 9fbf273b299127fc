"""Recipes by name. A new one is a file with a `RECIPE` and a line here."""

from types import MappingProxyType
from typing import Any

from treplica.learning.training.recipes import digits, mnist, nmnist, sequential, spoken
from treplica.learning.training.recipes.recipe import Recipe

__all__ = ["RECIPES", "Recipe"]

RECIPES: MappingProxyType[str, Recipe[Any]] = MappingProxyType(
    {recipe.name: recipe for recipe in (r.RECIPE for r in (digits, mnist, nmnist, sequential, spoken))}
)
"""Every recipe by its name."""
