"""The asynchronous engine: no global clock, every neuron is computed when something happens to it."""
