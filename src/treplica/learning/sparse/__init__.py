"""Products with spikes: cost follows the spikes, not the neurons."""
