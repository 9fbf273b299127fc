"""Engines: ways to run the same plan."""
