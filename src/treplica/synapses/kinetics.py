"""How a synaptic variable rises and falls, solved exactly over a step.

A spike raises `rise` by the weight times a factor; `rise` decays with tau_rise and feeds `g`, which decays
with tau_decay. Equal time constants give the alpha function: the formulas stay accurate there and nearby. A
neuron takes an input that is constant during a step, so a receptor supplies the exact mean over the step:
charge is conserved.
"""

from treplica.model import absolute, exp, expm1, formula, log, maximum, where
from treplica.model.formulas import phi1


@formula
def mean_of_decay(tau, dt):
    """Mean over a step of exp(-t / tau)."""
    return 0.0 - tau / dt * expm1(-dt / tau)


@formula
def transfer(tau_rise, tau_decay, dt):
    """What a rise of 1 at the beginning of a step has added to g at its end, ms."""
    apart = dt * absolute(tau_decay - tau_rise) / (tau_decay * tau_rise)
    return dt * exp(-dt / maximum(tau_decay, tau_rise)) * phi1(-apart)


@formula
def mean_transfer(tau_rise, tau_decay, dt):
    """What it has added to g on average, ms: what flowed into g is still there or has decayed."""
    return tau_decay * (mean_of_decay(tau_rise, dt) - transfer(tau_rise, tau_decay, dt) / dt)


@formula
def jump_for_peak(tau_rise, tau_decay):
    """What a spike of weight 1 adds to `rise`, 1/ms, so that g peaks at 1: e / tau for alpha."""
    ratio = tau_decay / tau_rise
    equal = ratio == 1.0
    until_peak = where(equal, 1.0, log(ratio) * ratio / where(equal, 1.0, ratio - 1.0))
    return exp(until_peak) / tau_decay


@formula
def cascade(tau_rise, tau_decay, dt):
    """One step of rise and g: (decay of g, decay of rise, transfer, mean of g, mean transfer, jump)."""
    return (
        exp(-dt / tau_decay),
        exp(-dt / tau_rise),
        transfer(tau_rise, tau_decay, dt),
        mean_of_decay(tau_decay, dt),
        mean_transfer(tau_rise, tau_decay, dt),
        jump_for_peak(tau_rise, tau_decay),
    )
