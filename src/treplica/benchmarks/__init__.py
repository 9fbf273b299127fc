"""Benchmarks by name; each measures Treplica and, if asked, its peers in the same run."""

from treplica.benchmarks.measure import run
from treplica.benchmarks.report import Report
from treplica.benchmarks.table import BENCHMARKS, Benchmark

__all__ = ["BENCHMARKS", "Benchmark", "Report", "run"]
