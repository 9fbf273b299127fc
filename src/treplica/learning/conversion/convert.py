"""`convert`: a trained network of ReLUs as spiking neurons, with balanced thresholds and without training."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import get_args

from torch import Tensor, nn

from treplica.errors import InvalidValue, UnknownName
from treplica.learning.conversion.building import Building
from treplica.learning.conversion.converted import Converted
from treplica.learning.conversion.correction import correct
from treplica.learning.conversion.potentials import Start
from treplica.learning.conversion.reading import stages
from treplica.learning.conversion.thresholds import Method, Sharing, choose
from treplica.learning.layers.over_time import check_steps


def convert(
    network: nn.Module,
    calibration: Tensor,
    steps: int = 32,
    *,
    method: Method = "error",
    sharing: Sharing = "channel",
    percentile: float = 99.9,
    start: Start = "spread",
    correct_biases: bool = True,
) -> Converted:
    """A trained network of `torch.nn` as integrate-and-fire neurons (`NIRIF`) that keep what exceeds the threshold.

    A neuron stands for each ReLU; its rate, in spikes per step, times its threshold is the activation. Thresholds are
    put into the weights, so that all are 1 afterwards. The network is read in eval mode and not changed. It may be made
    of `nn.Sequential`, one in another too, with Linear, Conv1d, Conv2d, ReLU, average and max pooling, BatchNorm1d,
    BatchNorm2d, Flatten, Dropout and Identity. Batch normalisation is folded into weights, average pooling is one of
    spikes, and max pooling that of spike counts (`CountMaxPool2d`); all three are exact.

    Raises InvalidValue for modules that cannot be converted, with their path and what to do, and for calibration
    samples that do not fit; UnknownName for a method, sharing or start.

    Parameters
    ----------
    network: what was trained.
    calibration: some hundred training samples [N, ...], on the device and in the dtype of the network. What two layers
        of ReLUs give for them is in memory at once.
    steps: for how many it is made; with others what the result computes is less exact.
    method: "error", the thresholds with the least squared error after so many steps; "percentile", activations that few
        exceed (Rueckauer et al. 2017, doi:10.3389/fnins.2017.00682); "max", the largest (Diehl et al. 2015,
        doi:10.1109/IJCNN.2015.7280696).
    sharing: a threshold for each "channel" (in a row of neurons, for each of them), or one for the "layer".
    percentile: for that method.
    start: "half", potentials begin at half the threshold, which rounds spikes (Deng & Gu 2021, arXiv:2103.00476);
        "spread", those that average pooling follows begin in turn at 1/8, 5/8, 7/8 and 3/8, so that neighbours do not
        spike in the same steps.
    correct_biases: add to biases what the means of channels lack on the calibration samples (Li et al. 2021,
        arXiv:2106.06984).
    """
    _check(network, calibration, steps, percentile)
    for what, value, known in (
        ("method", method, Method),
        ("sharing", sharing, Sharing),
        ("start", start, Start),
    ):
        if value not in get_args(known):
            raise UnknownName(what, str(value), get_args(known))
    building = Building(steps, start)
    for stage, following in pairwise(chain(stages(network, calibration), (None,))):
        assert stage is not None
        outgoing = None
        if stage.relu is not None:
            outgoing = choose(stage.values, steps, method, sharing, percentile)
        building.add(stage, outgoing, following)
    if correct_biases:
        correct(building.network, building.goals, calibration, steps)
    return Converted(building.network, steps, tuple(calibration.shape[1:]), tuple(building.report))


def _check(network: nn.Module, calibration: Tensor, steps: int, percentile: float) -> None:
    """Refuse arguments that do not fit together."""
    if not isinstance(network, nn.Module):
        raise InvalidValue("convert(network)", type(network).__name__, "a module of torch.nn")
    check_steps("convert(steps)", steps, 1)
    if not 0.0 < percentile <= 100.0:
        raise InvalidValue("percentile", percentile, "in 0 … 100, without 0")
    what = "calibration"
    if not isinstance(calibration, Tensor):
        raise InvalidValue(what, type(calibration).__name__, "a tensor [N, ...] of training samples")
    if calibration.ndim < 2 or not calibration.numel():
        raise InvalidValue(f"{what}: shape", list(calibration.shape), "[N, ...] with at least one sample")
    for weights in network.parameters():
        given, own = (calibration.dtype, calibration.device), (weights.dtype, weights.device)
        if given != own:
            raise InvalidValue(what, "{} on {}".format(*given), "{} on {}, as the network".format(*own))
    if not calibration.isfinite().all():
        raise InvalidValue(what, "NaN or infinite values", "finite")
