"""Where the potentials of converted neurons begin, in units of the threshold."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Start = Literal["spread", "half"]
#: Ordered dither (Bayer 1973) of two by two and of two places: every window has the mean 1/2.
SQUARE = ((0.125, 0.625), (0.875, 0.375))
PAIR = (0.25, 0.75)


def initial_potentials(shape: tuple[int, ...], start: Start) -> Tensor:
    """The potentials of a layer of this shape, float64.

    A neuron that begins at half its threshold has rounded a constant input to whole spikes, halves down, at any step.
    "half" is that for all. Neurons of like input then spike in the same steps, and in between a mean over them is wrong
    as each of them is. With "spread" those of a map [C, H, W] or [C, L] begin at potentials of equal distances, so that
    means of neighbours are right sooner, and single neurons less often. Rows of neurons [C] all begin at half.
    """
    if start == "half" or len(shape) == 1:
        return torch.full(shape, 0.5, dtype=torch.float64)
    if len(shape) == 2:
        return torch.tensor(PAIR, dtype=torch.float64)[torch.arange(shape[1]) % 2].expand(shape)
    rows, columns = (torch.arange(n) % 2 for n in shape[-2:])
    return torch.tensor(SQUARE, dtype=torch.float64)[rows[:, None], columns].expand(shape)
