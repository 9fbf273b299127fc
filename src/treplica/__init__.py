"""Treplica: spiking networks described once, run everywhere."""
