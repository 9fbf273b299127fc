"""A source that fires at regular intervals."""

from treplica.model import neuron, param, state, where
from treplica.model.formulas import whole_steps


def constants(interval, dt):
    """The interval in steps."""
    return dict(period=whole_steps(interval, dt))


@neuron(
    left=state("steps", 0.0, span=(0.0, 32767.0), whole=True, doc="steps until the next spike"),
    interval=param("ms", 10.0, low=0.0, low_open=True, doc="time between two spikes"),
    derive=constants,
    source="a clock",
)
def RegularSource(left, period):
    """A spike in the first step and then at regular intervals; nothing can arrive at it.

    With interval = dt it fires in every step: its projections are constant inputs.
    """
    due = left < 1.0
    return dict(left=where(due, period, left) - 1.0, spike=where(due, 1.0, 0.0))
