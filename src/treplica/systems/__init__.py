"""Whole systems from the literature and from the founding blueprint, one file each."""
