"""Networks and modules: the same network described for the simulator and for PyTorch."""
