"""Training for those who want no loop of their own: losses, batches, the trainer, checkpoints, recipes."""
