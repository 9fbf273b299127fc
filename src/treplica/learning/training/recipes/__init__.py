"""Recipes by name. A new one is a file with a `RECIPE` and a line here."""

from types import MappingProxyType
from typing import Any

from treplica.learning.training.recipes import digits, mnist, nmnist
from treplica.learning.training.recipes.recipe import Recipe

__all__ = ["RECIPES", "Recipe"]

RECIPES: MappingProxyType[str, Recipe[Any]] = MappingProxyType(
    {recipe.name: recipe for recipe in (digits.RECIPE, mnist.RECIPE, nmnist.RECIPE)}
)
"""Every recipe by its name."""
