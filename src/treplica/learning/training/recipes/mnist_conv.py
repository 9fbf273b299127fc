"""MNIST with convolutions."""

from __future__ import annotations

from treplica.datasets import mnist
from treplica.learning.training.recipes.convolution import ConvolutionSettings, recipe

RECIPE = recipe(
    "mnist-conv",
    "MNIST, 28 × 28 pixels as currents for 4 steps, two convolutions; 99.4 % in 15 epochs",
    ConvolutionSettings(epochs=15, batch=128, lr=4e-3, shift=2, threads=2),
    mnist,
)
