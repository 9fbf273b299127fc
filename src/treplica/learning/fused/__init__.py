"""The loop of a layer over time as one compiled kernel, forward and backward."""
