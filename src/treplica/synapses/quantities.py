"""Constants that receptors share: each is solved once over a step, whatever the result drives."""

from treplica.model import exp, param
from treplica.synapses.kinetics import cascade, mean_of_decay

#: Exponential decay.
DECAY = dict(tau=param("ms", 5.0, low=0.0, low_open=True, doc="time constant of the decay"))

#: Alpha function.
PEAK = dict(tau=param("ms", 2.0, low=0.0, low_open=True, doc="time to the peak"))

#: Difference of two exponentials. Exchanging the two changes nothing.
RISE_AND_DECAY = dict(
    tau_rise=param("ms", 1.0, low=0.0, low_open=True, doc="time constant of the rise"),
    tau_decay=param("ms", 5.0, low=0.0, low_open=True, doc="time constant of the decay"),
)


def decay_constants(tau, dt):
    """One step of an exponential decay and its mean."""
    return dict(decay=exp(-dt / tau), mean=mean_of_decay(tau, dt))


def alpha_constants(tau, dt):
    """One step of an alpha function and its mean."""
    decay, decay_rise, passed, mean, mean_passed, jump = cascade(tau, tau, dt)
    return dict(
        decay=decay, decay_rise=decay_rise, passed=passed, mean=mean, mean_passed=mean_passed, jump=jump
    )


def double_constants(tau_rise, tau_decay, dt):
    """One step of a difference of exponentials and its mean."""
    decay, decay_rise, passed, mean, mean_passed, jump = cascade(tau_rise, tau_decay, dt)
    return dict(
        decay=decay, decay_rise=decay_rise, passed=passed, mean=mean, mean_passed=mean_passed, jump=jump
    )
