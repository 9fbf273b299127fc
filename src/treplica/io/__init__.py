"""Files that other programs read and write: `nir` for the Neuromorphic Intermediate Representation."""

from treplica.io import nir

__all__ = ["nir"]
