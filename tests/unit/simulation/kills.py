"""A run that is killed again and again; prints what happened as JSON. For a process of its own: it forks.

python kills.py times FOLDER SEED    killed after random times, resumed after each; again until there are many kills
python kills.py calls FOLDER         killed at each of its calls that change a file, and resumed once after each

Nothing waits for the disk: what a killed process has given to the system is not lost.
"""

import itertools
import json
import os
import random
import shutil
import sys
from pathlib import Path
from typing import Any

from crashes import killed_after, killed_at

import treplica as tr
from treplica.simulation.checkpoint import read

DURATION, EVERY = 90.0, 1.5
#: Kills at least; of them, in runs that were resumed; places where they happened.
ENOUGH, RESUMED, PLACES = 30, 12, 12
CHECKPOINT, UNFINISHED = "run.checkpoint", ".run.unfinished.checkpoint"


def network() -> tr.Network:
    """Noise, recurrence with long delays, spikes and states recorded."""
    net = tr.Network(seed=21)
    cells = net.add(tr.Population("cells", 25, tr.LIF(tau=15.0, v=tr.Uniform(-70.0, -50.0))))
    net.stimulate(cells, tr.PoissonInput(rate=2500.0, weight=1.1))
    net.stimulate(cells[:5], tr.StepCurrent([40.0, 90.0], [150.0, 0.0]))
    net.connect(cells, cells, tr.FixedInDegree(4), weight=tr.Normal(0.8, 0.3), delay=tr.Uniform(0.5, 12.0))
    net.record(cells, name="spikes")
    net.record(cells[:4], "v", interval=1.0, name="v")
    return net


def go(folder: Path, duration: float) -> None:
    """Begin, or go on where the last checkpoint is, up to the end."""
    out = folder / "out"
    if (out / CHECKPOINT).exists():
        sim = tr.Simulation.load(out / CHECKPOINT, quiet=True)
        (folder / "resumed").touch()
        sim.run(sim.remaining, checkpoint_every=sim.checkpoint_every)
    else:
        shutil.rmtree(out, ignore_errors=True)
        sim = tr.Simulation(network(), dt=0.5, engine="plain", quiet=True, record_to=out, memory_budget=4000)
        sim.run(duration, checkpoint_every=EVERY)


def recorded(folder: Path) -> tuple[tr.SpikeTrains, tr.Traces]:
    return tr.SpikeTrains.load(folder / "out" / "spikes.h5"), tr.Traces.load(folder / "out" / "v.h5")


def look(folder: Path, whole: tr.Simulation) -> dict[str, Any]:
    """What a killed run left: its checkpoint, and recordings that hold at least what the checkpoint says, all true."""
    out = folder / "out"
    left = {"unfinished": (out / UNFINISHED).exists(), "journal": any(out.glob("*.journal"))}
    (out / UNFINISHED).unlink(missing_ok=True)
    if not (out / CHECKPOINT).exists():
        return {**left, "step": None}
    step = read(out / CHECKPOINT).snapshot.step
    spikes, traces = recorded(folder)
    assert spikes.n_steps >= step
    assert spikes == whole["spikes"].between(0.0, spikes.stop)
    assert len(traces) >= step // 2
    assert traces.values.tolist() == whole["v"].values[: len(traces)].tolist()
    return {**left, "step": step}


def uninterrupted(duration: float) -> tr.Simulation:
    sim = tr.Simulation(network(), dt=0.5, engine="plain", quiet=True)
    sim.run(duration)
    return sim


def check_end(folder: Path, whole: tr.Simulation) -> None:
    """AssertionError unless everything is as in the run that was never interrupted."""
    spikes, traces = recorded(folder)
    assert spikes == whole["spikes"]
    assert traces == whole["v"]
    end = tr.Simulation.load(folder / "out" / CHECKPOINT, quiet=True)
    assert end.remaining == 0.0
    assert (end.spikes == whole.spikes).all()
    assert end.engine.synaptic_events == whole.engine.synaptic_events
    assert end.state("cells", "v").tolist() == whole.state("cells", "v").tolist()


def times(folder: Path, seed: int) -> dict[str, Any]:
    """Whole runs until there are enough kills. Without progress there is more time to the next kill, else less."""
    whole, kills = uninterrupted(DURATION), []
    delays, longest = random.Random(seed), 0.1
    runs = 0
    while not enough(kills):
        own = folder / str(runs)
        own.mkdir()
        runs, before = runs + 1, None
        while killed_after(delays.uniform(0.0, longest), lambda: go(own, DURATION)):  # noqa: B023
            kill = {"run": runs, **look(own, whole), "resumed": (own / "resumed").exists()}
            (own / "resumed").unlink(missing_ok=True)
            longest *= 1.5 if kill["step"] == before else 0.9
            before = kill["step"]
            kills.append(kill)
        longest *= 0.9
        check_end(own, whole)
    return {"kills": kills, "spikes": len(whole["spikes"])}


def enough(kills: list[dict[str, Any]]) -> bool:
    """Whether there was all that is to be seen; how fast the machine is decides how many kills that takes."""
    places = {(kill["run"], kill["step"]) for kill in kills}
    resumed = sum(kill["resumed"] for kill in kills)
    unfinished = any(kill["unfinished"] for kill in kills)
    return len(kills) >= ENOUGH and len(places) >= PLACES and resumed >= RESUMED and unfinished


def calls(folder: Path) -> dict[str, Any]:
    """Runs with a checkpoint at the beginning, in the middle and at the end, from the beginning to their only kill."""
    duration = 2 * EVERY
    whole, kills = uninterrupted(duration), []
    for number in itertools.count():
        own = folder / str(number)
        own.mkdir()
        if not killed_at(number, lambda: go(own, duration)):  # noqa: B023
            check_end(own, whole)
            return {"kills": kills, "spikes": len(whole["spikes"])}
        kills.append(look(own, whole))
        go(own, duration)
        check_end(own, whole)
    raise AssertionError


if __name__ == "__main__":
    os.fsync = lambda _: None
    given = sys.argv[1:]
    print(json.dumps(times(Path(given[1]), int(given[2])) if given[0] == "times" else calls(Path(given[1]))))
