"""Running a network: the schedule, recording, interruption."""

from treplica.simulation.events import EventDispatcher
from treplica.simulation.simulation import Simulation
from treplica.simulation.summary import Summary
from treplica.simulation.topics import Event

__all__ = ["Event", "EventDispatcher", "Simulation", "Summary"]
