"""Ready-made parts: a leaky layer with the super-Gaussian, a sparse autoencoder, and spikes of its code."""
