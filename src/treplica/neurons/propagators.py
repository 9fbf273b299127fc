"""Exact integration of a leaky membrane under currents that decay: what one step adds to v.

Rotter & Diesmann 1999, doi:10.1007/s004220050570. The textbook form divides by tau - tau_syn and fails where
the two time constants meet; here the same integrals are written with phi functions, which are smooth there,
and always with a negative argument, so that nothing overflows either.
"""

from treplica.model import absolute, exp, expm1, formula, maximum, where
from treplica.model.formulas import phi1, phi2


@formula
def constant_to_v(tau, c_m, dt):
    """mV after a step for each pA of a constant current."""
    return 0.0 - tau / c_m * expm1(-dt / tau)


@formula
def exponential_to_v(tau, tau_syn, c_m, dt):
    """mV after a step for each pA, at the beginning of the step, of a current exp(-t / tau_syn)."""
    apart = dt * absolute(tau - tau_syn) / (tau * tau_syn)
    return dt / c_m * exp(-dt / maximum(tau, tau_syn)) * phi1(-apart)


@formula
def alpha_to_v(tau, tau_syn, c_m, dt):
    """mV after a step for each pA/ms, at the beginning of the step, of a current t exp(-t / tau_syn)."""
    apart = dt * absolute(tau - tau_syn) / (tau * tau_syn)
    two = phi2(-apart)
    far = maximum(apart, 1.0)
    slow_membrane = where(apart < 1.0, phi1(-apart) - two, (1.0 - (1.0 + far) * exp(-far)) / (far * far))
    return dt * dt / c_m * where(tau > tau_syn, exp(-dt / tau) * slow_membrane, exp(-dt / tau_syn) * two)
