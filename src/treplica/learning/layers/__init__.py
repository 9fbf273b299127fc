"""Connections between layers of neurons, over time-major tensors [T, B, ...]."""
