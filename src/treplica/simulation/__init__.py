"""Running a network: the schedule, recording, interruption."""

from treplica.simulation.simulation import Simulation
from treplica.simulation.summary import Summary

__all__ = ["Simulation", "Summary"]
