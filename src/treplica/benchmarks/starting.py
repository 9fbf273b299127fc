"""What starting costs, in fresh processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from treplica.benchmarks.report import Figures, medians

FIRST_RUN = """
import json, sys, time
started = time.perf_counter()
import treplica
imported = time.perf_counter() - started
from treplica.benchmarks.table import BENCHMARKS
entry = BENCHMARKS[sys.argv[1]].driven_by(*sys.argv[3:])
how = dict(precision=sys.argv[2], storage=entry.storage, quiet=True)
sim = treplica.Simulation(entry.small_network(), dt=entry.dt, **how)
sim.run(1.0)
print(json.dumps({"import_s": imported, "start_s": time.perf_counter() - started}))
"""


def starting(name: str, precision: str, drive: str = "") -> Figures:
    """Time to import, and from nothing to the end of a first millisecond, without and with compiled kernels.

    drive: of a benchmark that has an entry for each.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "TREPLICA_CACHE": folder, "NUMBA_CACHE_DIR": folder}
        command = [sys.executable, "-c", FIRST_RUN, name, precision, drive]

        def first_run() -> Figures:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            result: Figures = json.loads(done.stdout)
            return result

        cold = first_run()
        warm = medians(first_run, 3)
    return {"import_s": warm["import_s"], "first_start_s": cold["start_s"], "later_start_s": warm["start_s"]}
