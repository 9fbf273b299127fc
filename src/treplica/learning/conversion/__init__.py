"""A trained network of ReLUs as a network of spiking neurons."""
