"""The digits of scikit-learn: seconds on one core."""

from __future__ import annotations

from treplica.datasets import digits
from treplica.learning.training.recipes.images import LatencySettings, coded, network
from treplica.learning.training.recipes.layers import mean_potentials
from treplica.learning.training.recipes.recipe import Recipe

RECIPE = Recipe(
    name="digits",
    claim="the digits of scikit-learn, 8 × 8 pixels, each spikes once at most; 90 % on other writers, in seconds",
    settings=LatencySettings(epochs=20, batch=32, lr=3e-3, hidden=128, threads=1),
    build=lambda settings: network(settings, pixels=64, classes=10),
    data=lambda settings: coded(settings, digits("train"), digits("test")),
    loss=mean_potentials,
)
