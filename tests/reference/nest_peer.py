"""The same neurons, currents and spikes in NEST, run in a process of its own.

NEST prints a banner, keeps global state and takes over signals; none of that belongs into the tests' process.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

#: In NEST a connection has a delay of at least one step; here it is this long, in ms.
DELAY = 1.0

SCRIPT = """
import json, sys
task = json.load(sys.stdin)
import nest
nest.set_verbosity("M_ERROR")
nest.ResetKernel()
nest.resolution = task["dt"]
static = {"delay": task["delay"]}
spikes, traces = [], []
for neuron in task["neurons"]:
    cell = nest.Create(task["model"], params=task["params"])
    source = nest.Create("step_current_generator")
    source.set(amplitude_times=neuron["times"], amplitude_values=neuron["amplitudes"])
    nest.Connect(source, cell, syn_spec=static)
    for port, signed_weight in task["weights"].items():
        train = nest.Create("spike_generator", params={"spike_times": neuron["trains"][port]})
        nest.Connect(train, cell, syn_spec={"weight": signed_weight, **static})
    recorder = nest.Create("spike_recorder")
    nest.Connect(cell, recorder)
    meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": task["dt"]})
    nest.Connect(meter, cell)
    spikes.append(recorder)
    traces.append(meter)
nest.Simulate(task["duration"])
result = {
    "spikes": [r.events["times"].tolist() for r in spikes],
    "times": traces[0].events["times"].tolist(),
    "v": [m.events["V_m"].tolist() for m in traces],
}
print("RESULT" + json.dumps(result))
"""


@dataclass
class Recorded:
    """spikes: steps, one array a neuron. v: [steps, neurons], row k after step k + 1."""

    spikes: list[NDArray[np.int64]]
    v: NDArray[np.float64]


def run_nest(
    model: str,
    params: dict[str, float],
    currents: tuple[NDArray[np.float64], NDArray[np.float64]],
    trains: dict[str, list[NDArray[np.float64]]],
    weights: dict[str, float],
    dt: float,
    duration: float,
) -> Recorded:
    """Simulate unconnected neurons; skips the test where NEST is not installed.

    currents: (times [k], amplitudes [k, n]) and trains (port -> n arrays of times), as the neuron is to feel them.
    weights: port -> weight as NEST wants it. NEST delivers spikes and currents DELAY after they are sent.
    """
    if importlib.util.find_spec("nest") is None:
        pytest.skip("NEST is not installed (pip install nest-simulator)")
    times, amplitudes = currents
    neurons = [
        {
            "times": on_grid(times - DELAY, dt),
            "amplitudes": amplitudes[:, j].tolist(),
            "trains": {port: on_grid(all_trains[j] - DELAY, dt) for port, all_trains in trains.items()},
        }
        for j in range(amplitudes.shape[1])
    ]
    task: dict[str, Any] = dict(model=model, params=params, neurons=neurons, weights=weights)
    task |= dict(dt=dt, duration=duration, delay=DELAY)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], input=json.dumps(task), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout.rpartition("RESULT")[2])
    spikes = [np.rint(np.sort(np.array(s)) / dt).astype(np.int64) for s in result["spikes"]]
    assert np.rint(result["times"][0] / dt) == 1
    return Recorded(spikes, np.array(result["v"]).T)


def on_grid(times: NDArray[np.float64], dt: float) -> list[float]:
    """Times as NEST accepts them: multiples of dt to the last digit."""
    return [round(round(t / dt) * dt, 6) for t in times.tolist()]
