"""Running a network: the schedule, recording, interruption."""

from treplica.simulation.events import Event, EventDispatcher
from treplica.simulation.simulation import Simulation
from treplica.simulation.summary import Summary

__all__ = ["Event", "EventDispatcher", "Simulation", "Summary"]
