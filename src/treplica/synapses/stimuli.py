"""Currents from outside that are computed with the neuron: receptor models at which nothing arrives."""

from treplica.model import normal, param, receptor


@receptor(amplitude=param("1", 0.0, doc="the current, in the unit of the current that is fed"))
def DirectCurrent(amplitude):
    """A constant current."""
    return dict(current=amplitude)


@receptor(
    noise=normal(doc="one number for each step"),
    mean=param("1", 0.0, doc="mean of the current, in the unit of the current that is fed"),
    std=param("1", 1.0, low=0.0, doc="standard deviation of the current from step to step"),
)
def GaussianCurrent(noise, mean, std):
    """White noise: a normally distributed current, drawn anew in every step and constant during it.

    Its effect depends on dt: the current of a step adds to v in proportion to dt, and the steps add up in
    variance, so the variance of v is proportional to std^2 dt. For the same effect with another dt scale std
    by 1/sqrt(dt).
    """
    return dict(current=mean + std * noise)
