"""The one signature by which the driver calls kernels; the first argument is the address of the kernel's frame."""

from treplica.numerics.compiled_memory import SIGNATURE

__all__ = ["SIGNATURE"]
