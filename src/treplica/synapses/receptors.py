"""Receptors: from the weights that arrive to the current that flows."""

from treplica.model import arrival, exp, param, receptor, sees, state


def decay_constants(tau, dt):
    """What is left after one step."""
    return dict(decay=exp(-dt / tau))


@receptor(
    g=state("", 0.0),
    arrived=arrival(""),
    tau=param("ms", 5.0, low=0.0, low_open=True, doc="time constant of the decay"),
    derive=decay_constants,
)
def Exponential(g, arrived, decay):
    """A current that jumps by the weight and decays exponentially."""
    return dict(g=g * decay + arrived, current=g)


@receptor(
    g=state("nS", 0.0),
    arrived=arrival("nS"),
    v=sees("mV"),
    tau=param("ms", 5.0, low=0.0, low_open=True, doc="time constant of the decay"),
    reversal=param("mV", 0.0, doc="reversal potential"),
    derive=decay_constants,
)
def Conductance(g, arrived, v, reversal, decay):
    """A conductance that jumps by the weight, decays exponentially and drives v to its reversal potential."""
    return dict(g=g * decay + arrived, current=g * (reversal - v))
