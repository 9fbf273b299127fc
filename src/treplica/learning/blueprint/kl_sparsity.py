"""How far mean activities are from a target, as a divergence that stays finite where units are always on or off.

For a unit whose mean activity is r and whose target is rho (Ng 2011, CS294A Lecture notes: Sparse autoencoder)

    KL(rho || r) = rho log(rho / r) + (1 - rho) log((1 - rho) / (1 - r)),

the divergence of two biased coins. As printed it divides by zero where r is 0 or 1 in floating point, long before it
is in mathematics: a sigmoid is 1 from 17 on in float32. So it is computed from the logarithms of r and 1 - r.
"""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn.functional import logsigmoid

from treplica.errors import InvalidValue


def kl_sparsity(logits: Tensor, rate: float) -> Tensor:
    """Sum over units of KL(rate || r), where r is the mean of a unit's sigmoid(logits).

    logits: [..., units], before the sigmoid; the mean is over all axes but the last. rate: target, 0 < rate < 1.
    Returns one number. With log r = logsumexp(log sigmoid(z)) - log m over the m samples, and likewise for 1 - r,
    value and gradient are those of the formula and finite for all finite logits whose sum is; a unit that is off
    for all samples is pulled by -rate / m in each, where a clipped r would leave it without a gradient.

    Source: Ng 2011, CS294A Lecture notes: Sparse autoencoder. Raises InvalidValue.
    """
    if logits.ndim < 2 or not logits.is_floating_point() or not logits.numel():
        shown = f"{logits.dtype}{list(logits.shape)}"
        raise InvalidValue("kl_sparsity: logits", shown, "floating point [..., units], a sample at least")
    check_rate("kl_sparsity: rate", rate)
    rows = logits.flatten(0, -2)
    return kl_of_logs(_log_mean(logsigmoid(rows)), _log_mean(logsigmoid(-rows)), rate).sum()


def _log_mean(logs: Tensor) -> Tensor:
    """The logarithms of means over samples from logarithms [m, units]."""
    # Shifted by hand: the derivative of logsumexp is exp(log - sum), which loses its digits where logs are large.
    top = logs.amax(0).detach()
    found: Tensor = (logs - top).logsumexp(0) + (top - math.log(len(logs)))
    return found


def kl_of_logs(on: Tensor, off: Tensor, rate: float) -> Tensor:
    """KL(rate || r) from log r and log(1 - r), element by element."""
    return rate * (math.log(rate) - on) + (1.0 - rate) * (math.log1p(-rate) - off)


def check_rate(what: str, rate: float) -> None:
    """Refuse a target that no unit can have."""
    if not 0.0 < rate < 1.0:
        raise InvalidValue(what, rate, "0 < rate < 1, a mean activity")
