"""Settings of all tests; its presence makes `tests/support.py` importable as `support`."""

from hypothesis import settings

# Compilation and shared machines make single examples slow now and then; that is no fault of the code.
settings.register_profile("treplica", deadline=None)
settings.load_profile("treplica")
