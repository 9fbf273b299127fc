"""Leaky integrate-and-fire neurons by the few numbers that trained networks set."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from treplica.coding.grid import check_dt
from treplica.errors import InvalidValue, UnknownName
from treplica.learning.constants import Learned, Sharing
from treplica.learning.neurons import Neurons
from treplica.learning.surrogates import SuperGaussian, Surrogate
from treplica.model import Instance
from treplica.neurons import LIF, SoftResetLIF

Reset = Literal["hard", "soft"]

#: Membrane time constant in ms where neither it nor a decay is given.
TAU = 10.0
#: What can be learned, by the name that the model has for it.
LEARNED = {"tau": "tau", "threshold": "v_th"}


class SurrogateLIF(Neurons):
    """A layer of leaky integrate-and-fire neurons, [T, B, ...] -> spikes [T, B, ...], with the super-Gaussian.

    In every step

        v <- decay v + x,   s = 1 where v >= threshold, else 0,
        v <- 0 where s = 1 (hard reset), or v <- v - threshold s (soft reset),

    from v = 0 on, with decay = exp(-dt / tau). In the backward pass ds/dv is the surrogate's derivative of
    v - threshold. It is `Neurons` of the model `LIF` or `SoftResetLIF`, so what takes these (`run`, `Recurrent`,
    `from_torch`, `to_nir`, ...) takes it.

    Raises InvalidValue or UnknownName for numbers and names that are not allowed.

    Parameters
    ----------
    size: the shape of the layer without T and B. Needed only for what differs from neuron to neuron.
    tau: membrane time constant in ms, > 0; a number, or an array of the size. Default: 10 ms.
    decay: what is left of v after a step, 0 < decay < 1, instead of tau.
    threshold: > 0, in the unit of the input; a number, or an array of the size.
    reset: "hard", v starts again from 0; "soft", it keeps what exceeds the threshold.
    learn: "tau", "threshold" or both, one for each neuron; or a dict with "layer", "channel" or "neuron" for each.
    surrogate: default `SuperGaussian()`, of width 1 in the unit of v and order 4.
    dt: length of a step in ms.
    more: what `Neurons` takes: `reset_gradient`, `record`, `output`, `smooth`, `backend`.
    """

    def __init__(
        self,
        size: int | tuple[int, ...] | None = None,
        *,
        tau: ArrayLike | None = None,
        decay: ArrayLike | None = None,
        threshold: ArrayLike = 1.0,
        reset: Reset = "hard",
        learn: Iterable[str] | Learned = (),
        surrogate: Surrogate | None = None,
        dt: float = 1.0,
        **more: Any,
    ) -> None:
        super().__init__(
            _neuron(_time_constant(tau, decay, dt), threshold, reset),
            size,
            dt=dt,
            learn=_learned(learn),
            surrogate=surrogate or SuperGaussian(),
            **more,
        )


def _neuron(tau: ArrayLike, threshold: ArrayLike, reset: Reset) -> Instance:
    """The model with these numbers, at rest at 0."""
    if reset not in get_args(Reset):
        raise UnknownName("SurrogateLIF: reset", str(reset), get_args(Reset))
    if not np.all(np.asarray(threshold) > 0.0):
        raise InvalidValue("SurrogateLIF: threshold", threshold, "> 0, where v rests", "Scale the input.")
    numbers: dict[str, Any] = dict(tau=tau, v=0.0, v_rest=0.0, v_th=threshold)
    return SoftResetLIF(**numbers) if reset == "soft" else LIF(**numbers, v_reset=0.0, refractory=0.0)


def _time_constant(tau: ArrayLike | None, decay: ArrayLike | None, dt: float) -> ArrayLike:
    """In ms, from the one of both that is given."""
    if decay is None:
        return TAU if tau is None else tau
    if tau is not None:
        raise InvalidValue("SurrogateLIF: tau, decay", (tau, decay), "one of them, not both")
    left = np.asarray(decay, dtype=np.float64)
    if not np.all((left > 0.0) & (left < 1.0)):
        raise InvalidValue("SurrogateLIF: decay", decay, "0 < decay < 1, the share of v after a step")
    step = check_dt(dt)
    return np.asarray(-step / np.log(left)) if left.ndim else -step / math.log(float(left))


def _learned(learn: Iterable[str] | Learned) -> dict[str, Sharing]:
    """By the model's names."""
    sharing: Learned = learn if isinstance(learn, Mapping) else dict[str, Sharing].fromkeys(learn, "neuron")
    for name in sharing:
        if name not in LEARNED:
            raise UnknownName("SurrogateLIF: learned parameter", name, LEARNED)
    return {LEARNED[name]: shared for name, shared in sharing.items()}
