"""Compiled kernels by address: made for a precision, given scratch and a table, run on the threads of PyTorch."""
