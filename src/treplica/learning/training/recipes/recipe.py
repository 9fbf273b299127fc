"""What a recipe is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from torch import nn

from treplica.learning.training.inputs import Inputs
from treplica.learning.training.losses import Loss, SparsityTarget
from treplica.learning.training.settings import TrainingSettings

S = TypeVar("S", bound=TrainingSettings)


def _none(settings: Any) -> Sequence[SparsityTarget]:
    return ()


@dataclass(frozen=True)
class Recipe(Generic[S]):
    """A network, the data it learns, and how.

    - `name`: as in `treplica train NAME`
    - `claim`: a line that says what comes out of it
    - `settings`: every number; `build`, `data`, `loss` and `penalties` read them and have none of their own
    - `build`: makes the network, with random weights
    - `data`: what is trained on and what is tested on, which training does not see
    - `loss`: what is minimised
    - `penalties`: what is added to it for the spikes of layers
    """

    name: str
    claim: str
    settings: S
    build: Callable[[S], nn.Module]
    data: Callable[[S], tuple[Inputs, Inputs]]
    loss: Callable[[S], Loss]
    penalties: Callable[[S], Sequence[SparsityTarget]] = field(default=_none)
