"""The surrogates of the literature.

Each is declared by its derivative, as published, and by the smooth function whose derivative it is: 1/2 + the
integral from 0 to x, so that it rises around the threshold, from 0 to 1 where the derivative has area 1. The formulas
are in the model language and finite for all finite x; PyTorch and generated kernels run them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from treplica.errors import InvalidValue
from treplica.learning.super_gaussian import LARGEST_ORDER, super_gaussian
from treplica.learning.surrogate import Surrogate, SurrogateFamily, family
from treplica.model import Field, Formula, absolute, atan, erf, exp, formula, log, param, tanh, where
from treplica.model.formulas import clipped

__all__ = [
    "SURROGATES",
    "Arctan",
    "Cauchy",
    "Erf",
    "FastSigmoid",
    "MultiGaussian",
    "Sigmoid",
    "SoftReLU",
    "StraightThrough",
    "SuperGaussian",
    "Surrogate",
    "SurrogateFamily",
    "Triangular",
]

PI = math.pi
ROOT_2 = math.sqrt(2.0)
ROOT_PI = math.sqrt(math.pi)
ROOT_2_PI = math.sqrt(2.0 * math.pi)


def positive(default: float, doc: str) -> Field:
    """A parameter above 0."""
    return param("1", default, low=0.0, low_open=True, doc=doc)


@formula
def arctan_smooth(x, alpha):
    """Distribution function of Cauchy noise."""
    return 0.5 + atan(0.5 * PI * alpha * x) / PI


@family(
    arctan_smooth,
    alpha=positive(2.0, "twice the slope at 0"),
    source="Fang et al. 2021, arXiv:2007.05785; alpha as in SpikingJelly, doi:10.1126/sciadv.adi1480",
)
def Arctan(x, alpha):
    """(alpha / 2) / (1 + (pi alpha x / 2)^2)."""
    y = 0.5 * PI * alpha * x
    return 0.5 * alpha / (1.0 + y * y)


@formula
def cauchy_smooth(x, width):
    """Distribution function of Cauchy noise."""
    return 0.5 + atan(x / width) / PI


@family(
    cauchy_smooth,
    width=positive(1.0 / PI, "half width at half maximum of the noise"),
    source="Gygax & Zenke 2025, arXiv:2404.14964; width as in Fang et al. 2021",
)
def Cauchy(x, width):
    """1 / (pi width (1 + (x / width)^2)): the density of Cauchy noise, `Arctan` by its width."""
    y = x / width
    return 1.0 / (PI * width * (1.0 + y * y))


@formula
def fast_sigmoid_smooth(x, scale):
    """From 1/2 - 1/scale to 1/2 + 1/scale."""
    return 0.5 + x / (1.0 + scale * absolute(x))


@family(
    fast_sigmoid_smooth,
    scale=positive(25.0, "how fast it falls"),
    source="Zenke & Ganguli 2018, doi:10.1162/neco_a_01086; scale as in snnTorch, doi:10.1109/JPROC.2023.3308088",
)
def FastSigmoid(x, scale):
    """1 / (1 + scale |x|)^2, 1 at the threshold; its area is 2 / scale."""
    y = 1.0 / (1.0 + scale * absolute(x))
    return y * y


@formula
def sigmoid_smooth(x, alpha):
    """Distribution function of logistic noise."""
    return 0.5 + 0.5 * tanh(0.5 * alpha * x)


@family(
    sigmoid_smooth,
    alpha=positive(4.0, "four times the slope at 0; inverse scale of the noise"),
    source="Gygax & Zenke 2025, arXiv:2404.14964; alpha as in SpikingJelly, doi:10.1126/sciadv.adi1480",
)
def Sigmoid(x, alpha):
    """alpha s (1 - s) with s = 1 / (1 + exp(-alpha x)): the density of logistic noise."""
    tail = exp(-(alpha * absolute(x)))
    share = 1.0 / (1.0 + tail)
    return alpha * tail * share * share


@formula
def erf_smooth(x, alpha):
    """Distribution function of Gaussian noise."""
    return 0.5 + 0.5 * erf(alpha * x)


@family(
    erf_smooth,
    alpha=positive(2.0, "1 / (sqrt(2) standard deviation of the noise)"),
    source="Yin et al. 2020, arXiv:2005.11633; alpha as in SpikingJelly, doi:10.1126/sciadv.adi1480",
)
def Erf(x, alpha):
    """alpha / sqrt(pi) exp(-(alpha x)^2): the density of Gaussian noise."""
    y = alpha * x
    return alpha / ROOT_PI * exp(-(y * y))


@formula
def triangular_smooth(x, dampening, width):
    """Parabolas between -width and width."""
    u = clipped(x / width, 1.0)
    return 0.5 + dampening * width * (u - 0.5 * u * absolute(u))


@family(
    triangular_smooth,
    dampening=positive(0.3, "largest value"),
    width=positive(1.0, "where it reaches 0; the threshold itself in the paper"),
    source="Bellec et al. 2018, arXiv:1803.09574; Esser et al. 2016, doi:10.1073/pnas.1604850113",
)
def Triangular(x, dampening, width):
    """dampening max(0, 1 - |x| / width)."""
    height = 1.0 - absolute(x) / width
    return where(height < 0.0, 0.0, dampening * height)


@formula
def bell(x, sigma):
    """Density of the normal law of standard deviation sigma."""
    y = x / sigma
    return exp(-0.5 * y * y) / (sigma * ROOT_2_PI)


@formula
def multi_gaussian_smooth(x, h, s, sigma):
    """A sum of error functions, from h/2 to 1 - h/2, beyond these on the way."""
    wide = s * sigma * ROOT_2
    sides = erf((x - sigma) / wide) + erf((x + sigma) / wide)
    return 0.5 + 0.5 * (1.0 + h) * erf(x / (sigma * ROOT_2)) - 0.5 * h * sides


@family(
    multi_gaussian_smooth,
    h=param("1", 0.15, low=0.0, doc="height of the negative parts"),
    s=positive(6.0, "their width, in sigmas"),
    sigma=positive(0.5, "standard deviation of the middle part"),
    source="Yin, Corradi & Bohté 2021, doi:10.1038/s42256-021-00397-w",
)
def MultiGaussian(x, h, s, sigma):
    """(1 + h) N(x; 0, sigma) - h N(x; sigma, s sigma) - h N(x; -sigma, s sigma), negative far from 0."""
    return (1.0 + h) * bell(x, sigma) - h * (bell(x - sigma, s * sigma) + bell(x + sigma, s * sigma))


@formula
def straight_through_smooth(x, window):
    """A ramp between -window and window."""
    return 0.5 + clipped(x, window)


@family(
    straight_through_smooth,
    window=positive(0.5, "half width; 1e30 is everywhere"),
    source="Bengio et al. 2013, arXiv:1308.3432 (everywhere); Wu et al. 2018, doi:10.3389/fnins.2018.00331 (window)",
)
def StraightThrough(x, window):
    """1 where |x| < window, else 0."""
    return where(absolute(x) < window, 1.0, 0.0)


@formula
def soft_relu_smooth(x, scale):
    """log(1 + exp(scale x)) / scale."""
    return 0.5 * (x + absolute(x)) + log(1.0 + exp(-(scale * absolute(x)))) / scale


@family(
    soft_relu_smooth,
    scale=positive(1.0, "how sharply it bends"),
    source="Dugas et al. 2001, Advances in Neural Information Processing Systems 13",
)
def SoftReLU(x, scale):
    """1 / (1 + exp(-scale x)), the derivative of softplus: for `graded`, whose size grows with x."""
    return 0.5 + 0.5 * tanh(0.5 * scale * x)


def _of_order(values: Mapping[str, float]) -> tuple[Formula, Formula]:
    order = values["order"]
    if order % 2.0:
        raise InvalidValue("SuperGaussian.order", order, f"an even number from 2 to {LARGEST_ORDER}")
    return super_gaussian(int(order))


SuperGaussian = SurrogateFamily(
    "SuperGaussian",
    MappingProxyType(
        {
            "width": positive(1.0, "where it has fallen to 1/e"),
            "order": param(
                "1", 4.0, low=2.0, high=float(LARGEST_ORDER), doc="an even number; 2 is a Gaussian"
            ),
        }
    ),
    _of_order,
    "Parent et al. 1992, doi:10.1007/BF01588606 (super-Gaussian profiles of beams)",
    "exp(-(x / width)^order) / (2 width Gamma(1 + 1 / order)): flat around the threshold, then steep. Its area is 1.",
)

#: Every family by its name.
SURROGATES: Mapping[str, SurrogateFamily] = MappingProxyType(
    {name: value for name, value in sorted(globals().items()) if isinstance(value, SurrogateFamily)}
)
