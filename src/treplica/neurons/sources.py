"""Sources: populations that send spikes and have no membrane."""

from treplica.model import arrival, graded, neuron, param, spike, uniform, where


def constants(rate, dt):
    """The probability of a spike in a step."""
    return dict(chance=rate * dt / 1000.0)


@neuron(
    draw=uniform(doc="decides whether there is a spike"),
    rate=param("Hz", 10.0, low=0.0, doc="mean number of spikes per second"),
    derive=constants,
    source="Bernoulli approximation of a Poisson process",
)
def PoissonSource(draw, chance):
    """Spikes at random: one with probability rate dt in every step, independent of all others.

    The mean rate is exact up to one spike per step; for rate dt << 1 the train is a Poisson process.
    """
    return dict(spike=where(draw < chance, 1.0, 0.0))


@neuron(
    pending=arrival("1", doc="a sum of at least 1/2 makes a spike"),
    source="a relay for given spikes",
)
def SpikeSource(pending):
    """Fires in the step in which something arrives: feed it spike trains (`SpikeInput`) of weight 1."""
    return dict(spike=spike(pending - 0.5))


@neuron(
    pending=arrival("1", doc="what is sent, a whole number"),
    graded=32767,
    source="a relay for given graded spikes",
)
def GradedSource(pending):
    """Sends what arrives in a step as one graded spike, -32767 to 32767: feed it graded spike trains of weight 1."""
    return dict(spike=where(pending < 0.0, -graded(-pending), graded(pending)))
