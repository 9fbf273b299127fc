"""Convolutions and pooling of the NIR interpreter beside those of PyTorch."""

from typing import Any

import numpy as np
import pytest
import torch

from treplica.io import nir

RNG = np.random.default_rng(4)
chain = nir.NIRGraph.from_list


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), [
    (1, 0, 1, 1), (2, 1, 1, 2), (3, 2, 2, 1), (1, "same", 2, 2), (1, "same", 1, 1), (2, "valid", 3, 2),
])  # fmt: skip
def test_convolutions_are_those_of_pytorch(
    axes: int, stride: int, padding: int | str, dilation: int, groups: int
) -> None:
    size, kernel = (13, 9)[:axes], (4, 3)[:axes]
    weight, bias = RNG.normal(size=(4, 2 // groups, *kernel)), RNG.normal(size=4)
    x = RNG.normal(size=(5, 3, 2, *size))
    node = (nir.Conv1d if axes == 1 else nir.Conv2d)(None, weight, stride, padding, dilation, groups, bias)  # type: ignore[arg-type]
    apply = torch.nn.functional.conv1d if axes == 1 else torch.nn.functional.conv2d
    theirs = apply(
        *map(torch.from_numpy, (x.reshape(15, 2, *size), weight, bias)), stride, padding, dilation, groups
    )
    ours = nir.run(chain(nir.Input((2, *size)), node), x).output
    assert np.abs(ours.reshape(theirs.shape) - theirs.numpy()).max() < 1e-12


@pytest.mark.parametrize(("kernel", "stride", "padding"), [((2, 3), (2, 1), (1, 0)), (2, 2, 0), (3, 1, 1)])
def test_pooling_is_that_of_pytorch(kernel: Any, stride: Any, padding: Any) -> None:
    x = RNG.normal(size=(5, 3, 2, 9, 8))
    theirs = torch.nn.functional.avg_pool2d(
        torch.from_numpy(x.reshape(15, 2, 9, 8)), kernel, stride, padding
    ).numpy()
    found = {kind: nir.run(chain(nir.Input((2, 9, 8)), kind(kernel, stride, padding)), x).output
             for kind in (nir.AvgPool2d, nir.SumPool2d)}  # fmt: skip
    assert np.allclose(found[nir.AvgPool2d].reshape(theirs.shape), theirs, atol=1e-12)
    assert np.allclose(
        found[nir.SumPool2d], found[nir.AvgPool2d] * np.prod(np.broadcast_to(kernel, 2)), atol=1e-12
    )
