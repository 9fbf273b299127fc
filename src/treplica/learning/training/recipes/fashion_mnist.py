"""Fashion-MNIST with convolutions."""

from __future__ import annotations

from treplica.datasets import fashion_mnist
from treplica.learning.training.recipes.convolution import ConvolutionSettings, recipe

RECIPE = recipe(
    "fashion-mnist",
    "Fashion-MNIST, 28 × 28 pixels as currents for 4 steps, two convolutions; 92 % in 10 epochs",
    ConvolutionSettings(epochs=10, batch=128, lr=4e-3, shift=1, mirror=True, threads=2),
    fashion_mnist,
)
