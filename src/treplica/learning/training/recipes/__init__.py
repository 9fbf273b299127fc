"""Recipes by name. A new one is a file with a `RECIPE` and a line here."""

from types import MappingProxyType
from typing import Any

from treplica.learning.training.recipes import (
    digits,
    fashion_mnist,
    mnist,
    mnist_conv,
    nmnist,
    sequential,
    spoken,
)
from treplica.learning.training.recipes.recipe import Recipe

__all__ = ["RECIPES", "Recipe"]

RECIPES: MappingProxyType[str, Recipe[Any]] = MappingProxyType(
    {m.RECIPE.name: m.RECIPE for m in (digits, mnist, mnist_conv, fashion_mnist, nmnist, spoken, sequential)}
)
"""Every recipe by its name."""
