"""Networks that use everything a description can hold, and files that are changed on purpose."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import treplica as tr
from treplica import connectivity as c
from treplica.model import (
    arrival,
    current,
    exp,
    formula,
    neuron,
    param,
    receptor,
    spike,
    state,
    where,
)

SLOWNESS = 3.0


@formula
def towards(x: float, goal: float, share: float) -> float:
    return x + share * (goal - x)


def share_of_step(tau: float, dt: float) -> dict[str, float]:
    return dict(share=1.0 - exp(-dt / (SLOWNESS * tau)))


@neuron(
    v=state("mV", -70.0, doc="membrane potential"),
    i=current("mV"),
    kick=arrival("mV"),
    tau=param("ms", 10.0, low=0.0, low_open=True),
    theta=param("mV", -50.0, high=0.0),
    derive=share_of_step,
    presets={"sleepy": {"theta": -40.0}},
    graded=3,
    source="a test",
)
def Homemade(v, i, kick, theta, share):
    """A neuron that nobody ships: its spikes have the value 2."""
    moved = towards(v, -70.0 + i, share) + kick
    s = spike(moved - theta)
    return dict(v=where(s > 0.0, -70.0, moved), spike=2.0 * s)


@receptor(x=state("1"), arrived=arrival("1"), reach=param("1", 1.0))
def Staircase(x, arrived, reach):
    """A current that counts."""
    return dict(x=x + arrived, current=reach * x)


RULES: dict[str, c.AbstractRule] = {
    "AllToAll": c.AllToAll(self_connections=False),
    "Bernoulli": c.Bernoulli(p=0.3),
    "DistanceDependent": c.DistanceDependent(shape=(2, 4), kernel="gaussian", scale=1.5, max_distance=3.0),
    "FixedInDegree": c.FixedInDegree(k=2),
    "FixedOutDegree": c.FixedOutDegree(k=3),
    "FixedTotalNumber": c.FixedTotalNumber(n=20),
    "FromArrays": c.FromArrays([0, 1, 1], [3, 2, 2]),
    "OneToOne": c.OneToOne(),
    "WattsStrogatz": c.WattsStrogatz(k=4, p=0.1, directed=True),
}
DRAWS: dict[str, Any] = {
    "Constant": c.Constant(2.0),
    "FromArray": c.FromArray(np.arange(10.0, 18.0) / 10.0),
    "LogNormal": c.LogNormal(1.0, 0.5, high=8.0),
    "Normal": c.Normal(2.0, 0.5, low=1.0),
    "Uniform": c.Uniform(1.0, 3.0),
}


def everything() -> tr.Network:
    """Every rule, draw, drive, kind of view, array, receptor, preset, and two models of our own."""
    net = tr.Network(seed=2**64 - 1)
    receptors = {"ampa": tr.Exponential(tau=np.linspace(1.0, 2.0, 8)), "gaba": tr.Conductance(reversal=-80.0)}
    lif = net.add(tr.Population("lif", 8, tr.LIF(tau=c.Normal(20.0, 1.0, low=10.0), v=-65.5), receptors))
    izh = net.add(tr.Population("izh", 8, tr.Izhikevich.regular_spiking(refractory=3.0)))
    own = net.add(
        tr.Population("own", 8, Homemade.sleepy(tau=4.0), {"stairs": Staircase(reach=0.1).into("i")})
    )
    for name, rule in RULES.items():
        net.connect(izh, izh, rule, weight=1.0, delay=0.5, name=name)
    for name, draw in DRAWS.items():
        net.connect(izh, lif, c.OneToOne(), weight=draw, delay=draw, port="gaba", name=name)
    net.connect(own[:3], lif[[0, 1, 7]], c.AllToAll(), weight=-1.5, delay=0.1, port="ampa")
    net.connect(lif[1::2], own[4:], c.AllToAll(), weight=0.1, delay=1.0, port="stairs")
    net.stimulate(lif, tr.GaussianCurrent(mean=1.0, std=2.0))
    net.stimulate(lif[:2], tr.DirectCurrent(amplitude=[float(j) for j in range(8)]), current="i", name="push")
    net.stimulate(lif[:3], tr.PoissonInput([1.0, 2.0, 3.0], weight=0.5), port="ampa")
    net.stimulate(lif, tr.PoissonInput(10.0, weight=-0.5), port="ampa")
    net.stimulate(own, tr.StepCurrent([0.0, 5.0], np.arange(16.0).reshape(2, 8)))
    graded = tr.SpikeTrains.from_steps([3, 1], [0, 1], 2, 0.1, 9, values=[2, -1])
    net.stimulate(izh[[2, 5]], tr.SpikeInput(graded, weight=3.0))
    exact = tr.SpikeTrains.from_exact_times([0.2, 0.11, 0.19], [0, 1, 1], 2, 0.1, 0.4)
    net.stimulate(izh[[0, 1]], tr.SpikeInput(exact))
    net.record(lif)
    net.record(lif[[0, 1, 3]], "ampa.g", interval=0.5)
    net.record(own[2], "stairs.x", name="stairs")
    return net


def document(network: tr.Network, folder: Path) -> dict[str, Any]:
    """The description as JSON data."""
    network.save(folder / "described.json")
    data: dict[str, Any] = json.loads((folder / "described.json").read_text("utf-8"))
    return data


def signed(data: dict[str, Any]) -> str:
    """The text of a file whose checksum fits, as one who means harm would write it."""
    body = json.dumps(data["network"], sort_keys=True)
    return json.dumps({**data, "sha256": hashlib.sha256(body.encode()).hexdigest()})


def changed(network: tr.Network, path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Write a description that was changed and signed again."""
    data = document(network, path.parent)
    change(data["network"])
    path.write_text(signed(data), encoding="utf-8")
    return path
