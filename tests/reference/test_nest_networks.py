"""Whole networks against NEST, by the scripts with which they are measured: the same mean rate.

The connections are drawn by other generators, so spikes differ and rates agree as far as a short run allows.
"""

import importlib.util
from typing import Any

import pytest

from treplica.benchmarks import measure, run

pytestmark = pytest.mark.nest

#: benchmark, size and drive, seconds of each of three runs, tolerance of the rate
CASES = [
    ("cuba", {}, 0.2, 0.1),
    ("coba", {}, 0.2, 0.15),
    ("brunel", {"neurons": 1000}, 0.2, 0.02),
    ("izhikevich2003", {}, 2.0, 0.06),
    ("hpc", {"scale": 0.05}, 0.1, 0.1),
    ("mesh", {"neurons": 10_000, "drive": "noise"}, 0.5, 0.04),
    ("mesh", {"neurons": 10_000, "drive": "spikes", "rate": 3.0}, 0.5, 0.04),
]


@pytest.mark.parametrize(("name", "choices", "seconds", "tolerance"), CASES)
def test_same_mean_rate(
    name: str, choices: dict[str, Any], seconds: float, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec("nest") is None:
        pytest.skip("NEST is not installed (pip install nest-simulator)")
    monkeypatch.setattr(measure, "starting", lambda *_: {})
    # one thread: where others want the cores, NEST's threads wait for each other in every step
    report = run(name, choices=choices, seconds=seconds, repeats=3, threads=1, against=("nest",))
    ours, theirs = report.figures, report.peers["nest"]
    assert (ours["neurons"], ours["synapses"]) == (theirs["neurons"], theirs["synapses"])
    assert ours["mean_rate_hz"] > 1.0
    assert ours["mean_rate_hz"] == pytest.approx(theirs["mean_rate_hz"], rel=tolerance)
