"""MNIST with at most one spike for each pixel."""

from __future__ import annotations

from treplica.datasets import mnist
from treplica.learning.training.recipes.images import LatencySettings, coded, network
from treplica.learning.training.recipes.layers import mean_potentials
from treplica.learning.training.recipes.recipe import Recipe

RECIPE = Recipe(
    name="mnist",
    claim="MNIST, 28 × 28 pixels, each of which spikes once at most; 98.4 % in 10 epochs",
    settings=LatencySettings(
        epochs=10,
        batch=256,
        lr=4e-3,
        threads=2,
        steps=16,
        decay=0.936,
        readout_decay=0.936,
        hidden=512,
        dropout=0.15,
        shift=1,
    ),
    build=lambda settings: network(settings, pixels=784, classes=10),
    data=lambda settings: coded(settings, mnist("train"), mnist("test")),
    loss=mean_potentials,
)
