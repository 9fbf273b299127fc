"""Formulas that many models share, written in the model language."""

from treplica.model.definition import formula
from treplica.model.vocabulary import absolute, expm1, floor, where


@formula
def whole_steps(duration, dt):
    """How many steps of `dt` cover `duration`; a hair above a whole number is rounding, not another step."""
    return 0.0 - floor(1e-6 - duration / dt)


@formula
def clipped(x, bound):
    """x between -bound and bound."""
    return where(x > bound, bound, where(x < -bound, -bound, x))


@formula
def phi1(z):
    """(exp(z) - 1) / z, and its limit 1 at 0: the mean of exp over [0, z]."""
    safe = where(z == 0.0, 1.0, z)
    return where(z == 0.0, 1.0, expm1(safe) / safe)


@formula
def phi2(z):
    """(exp(z) - 1 - z) / z**2, and its limit 1/2 at 0. Near 0 it is the Taylor series: nothing cancels."""
    near = absolute(z) < 0.5
    x = where(near, z, 0.0)
    far = where(near, 1.0, z)
    p = 1.0 + x / 14.0
    p = 1.0 + p * x / 13.0
    p = 1.0 + p * x / 12.0
    p = 1.0 + p * x / 11.0
    p = 1.0 + p * x / 10.0
    p = 1.0 + p * x / 9.0
    p = 1.0 + p * x / 8.0
    p = 1.0 + p * x / 7.0
    p = 1.0 + p * x / 6.0
    p = 1.0 + p * x / 5.0
    p = 1.0 + p * x / 4.0
    p = 1.0 + p * x / 3.0
    return where(near, 0.5 * p, (expm1(far) - far) / (far * far))
