"""The super-Gaussian of any even order, and its integral as a series, in the model language."""

from __future__ import annotations

import functools
import math

from treplica.model import Formula, exp, formula, where
from treplica.model.formulas import clipped

LARGEST_ORDER = 64


@formula
def square(u):
    """u to the power of 2."""
    return u * u


@functools.cache
def even_power(order: int) -> Formula:
    """u to an even power, as products."""
    if order == 2:
        return square
    lower = even_power(order - 2)

    @formula
    def raised(u):
        return u * u * lower(u)

    return raised


@formula
def eight_terms(rest, s, a):
    """The terms a + 8 to a + 1 of 1 + s / (a + 1) (1 + s / (a + 2) (...)), before `rest`."""
    p = 1.0 + rest * s / (a + 8.0)
    p = 1.0 + p * s / (a + 7.0)
    p = 1.0 + p * s / (a + 6.0)
    p = 1.0 + p * s / (a + 5.0)
    p = 1.0 + p * s / (a + 4.0)
    p = 1.0 + p * s / (a + 3.0)
    p = 1.0 + p * s / (a + 2.0)
    return 1.0 + p * s / (a + 1.0)


@formula
def gamma_series(s, a):
    """The incomplete gamma function for 0 <= s <= 25: exp(s) s^-a a gamma(a, s). Every term is positive."""
    p = eight_terms(1.0, s, a + 64.0)
    p = eight_terms(p, s, a + 56.0)
    p = eight_terms(p, s, a + 48.0)
    p = eight_terms(p, s, a + 40.0)
    p = eight_terms(p, s, a + 32.0)
    p = eight_terms(p, s, a + 24.0)
    p = eight_terms(p, s, a + 16.0)
    p = eight_terms(p, s, a + 8.0)
    return eight_terms(p, s, a)


@functools.cache
def super_gaussian(order: int) -> tuple[Formula, Formula]:
    """The smooth function and the derivative of one order.

    The integral of exp(-u^n) is an incomplete gamma function, here its series (Abramowitz & Stegun 1964, 6.5.29);
    beyond u^n = 25 less than 1e-12 is left.
    """
    power = even_power(order)
    half = math.gamma(1.0 + 1.0 / order)
    end = 25.0 ** (1.0 / order)

    @formula
    def smooth(x, width, order):
        u = clipped(x / width, end)
        s = power(u)
        inside = u * exp(-s) * gamma_series(s, 1.0 / order) / half
        share = where(u >= end, 1.0, where(u <= -end, -1.0, inside))
        return 0.5 + 0.5 * share

    @formula
    def derivative(x, width, order):
        u = clipped(x / width, 30.0)
        return exp(-power(u)) / (2.0 * half * width)

    return smooth, derivative
