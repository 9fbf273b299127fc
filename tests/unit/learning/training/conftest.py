"""Makes what lies beside the tests importable."""
