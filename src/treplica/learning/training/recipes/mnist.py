"""MNIST with at most one spike for each pixel."""

from __future__ import annotations

from treplica.datasets import mnist
from treplica.learning.training.recipes.images import LatencySettings, coded, loss, network
from treplica.learning.training.recipes.recipe import Recipe

RECIPE = Recipe(
    name="mnist",
    claim="MNIST, 28 × 28 pixels, each of which spikes once at most; 97.6 % in 5 epochs",
    settings=LatencySettings(epochs=5, batch=128, lr=2e-3, hidden=512, threads=1),
    build=lambda settings: network(settings, pixels=784, classes=10),
    data=lambda settings: coded(settings, mnist("train"), mnist("test")),
    loss=loss,
)
