"""Recurrent networks of leaky neurons with precise spike times: as plain arrays, in Treplica and in NEST.

NEST runs in a process of its own: it prints a banner, keeps global state and takes over signals.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import treplica as tr

#: NEST's resolution in ms. Delays and refractory time are multiples of it; as it is a power of two, sums of them are
#: exact: what arrives at the same time in NEST has the same time elsewhere.
GRID = 0.125
#: Weights are multiples of this, so that no simulator rounds them.
WEIGHT = 2.0**-14

SCRIPT = """
import json, sys
import numpy as np
task = json.loads(sys.argv[1])
import nest
nest.set_verbosity("M_ERROR")
nest.resolution = task["resolution"]
a = np.load(task["folder"] + "/arrays.npz")
cells = nest.Create(task["model"], len(a["v"]), params=task["params"])
cells.V_m, cells.I_e = a["v"], a["current"]
ids = np.array(cells.tolist())
static = {"synapse_model": "static_synapse", "weight": a["weights"], "delay": a["delays"]}
nest.Connect(ids[a["sources"]], ids[a["targets"]], conn_spec="one_to_one", syn_spec=static)
recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
nest.Connect(cells, recorder)
nest.Simulate(task["duration"])
e = recorder.events
np.savez(task["folder"] + "/spikes.npz", senders=e["senders"] - ids[0], steps=e["times"], offsets=e["offsets"])
"""


@dataclass
class Sparse:
    """A network. params: of all neurons, named as in NEST. v: mV at time 0. current: pA. Synapses: one each."""

    model: str
    params: dict[str, float]
    v: NDArray[np.float64]
    current: NDArray[np.float64]
    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.float64]
    delays: NDArray[np.float64]


def draw(
    model: str,
    params: dict[str, float],
    weight: tuple[float, float],
    drive: tuple[float, float],
    seed: int = 1,
) -> Sparse:
    """A thousand neurons, four fifths of which excite; each has 50 excitatory and 25 inhibitory sources.

    weight: mean of both kinds; single ones are up to half larger or smaller. drive: currents between these multiples
    of the smallest that reaches the threshold. Delays from 0.5 to 3 ms.
    """
    random, n, exc, inh = np.random.default_rng(seed), 1000, 50, 25
    key = random.random((n, n))
    np.fill_diagonal(key, 2.0)
    first, count = n * 4 // 5, n * (exc + inh)
    chosen = [
        np.argsort(key[:, :first], axis=1)[:, :exc],
        first + np.argsort(key[:, first:], axis=1)[:, :inh],
    ]
    sources = np.hstack(chosen).ravel()
    weights = np.where(sources < first, *weight) * (0.5 + random.random(count))
    delays = GRID * (4.0 + np.floor(random.random(count) * 21.0))
    rheobase = params["V_th"] * params["C_m"] / params["tau_m"]
    current = rheobase * (drive[0] + (drive[1] - drive[0]) * random.random(n))
    v = 0.999 * params["V_th"] * random.random(n)
    targets = np.repeat(np.arange(n), exc + inh)
    return Sparse(model, params, v, current, sources, targets, np.rint(weights / WEIGHT) * WEIGHT, delays)


def run_nest(network: Sparse, duration: float, resolution: float = GRID) -> tuple[Any, Any]:
    """Times (ms) and neurons of all spikes, in order; skips the test where NEST is not installed."""
    if importlib.util.find_spec("nest") is None:
        pytest.skip("NEST is not installed (pip install nest-simulator)")
    task = dict(model=network.model, params=network.params, duration=duration, resolution=resolution)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "arrays.npz", **{n: x for n, x in vars(network).items() if n not in task})
        command = [sys.executable, "-c", SCRIPT, json.dumps({**task, "folder": folder})]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        found = dict(np.load(Path(folder) / "spikes.npz"))
    times = (found["steps"] * np.longdouble(resolution) - found["offsets"]).astype(np.float64)
    order = np.lexsort((found["senders"], times))
    return times[order], found["senders"][order]


def run_treplica(network: Sparse, duration: float) -> tuple[Any, Any]:
    """The same on the event engine."""
    names = {"tau": "tau_m", "c_m": "C_m", "v_rest": "E_L", "v_th": "V_th", "v_reset": "V_reset"}
    values: dict[str, Any] = {ours: network.params[theirs] for ours, theirs in names.items()}
    values |= {"refractory": network.params["t_ref"], "v": network.v}
    exponential = "tau_syn_ex" in network.params
    neuron = (
        tr.LIFExpCurrent(tau_syn=network.params["tau_syn_ex"], **values) if exponential else tr.LIF(**values)
    )
    net = tr.Network()
    cells = net.add(tr.Population("cells", network.v.size, neuron))
    net.stimulate(cells, tr.DirectCurrent(amplitude=network.current))
    edges = tr.FromArrays(network.sources, network.targets)
    weight, delay = edges.in_row_order(network.weights), edges.in_row_order(network.delays)
    net.connect(cells, cells, edges, weight=weight, delay=delay)
    probe = net.record(cells)
    sim = tr.Simulation(net, dt=GRID, engine="event", quiet=True)
    sim.run(duration)
    assert sim.summary().weight_rounding == 0.0
    return sim[probe].times, sim[probe].ids
