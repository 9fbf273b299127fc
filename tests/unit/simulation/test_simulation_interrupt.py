"""Ctrl-C ends a run cleanly: what was recorded until then is on disk and true."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tallies import relays, simulate

import treplica as tr
from treplica.simulation.interrupt import deferred_interrupt


def network() -> tr.Network:
    """Something to record that never ends."""
    net = tr.Network(seed=11)
    noise = net.add(tr.Population("noise", 200, tr.PoissonSource(rate=40.0)))
    cells = net.add(tr.Population("cells", 3, tr.LIF(tau=20.0)))
    net.connect(noise[:3], cells, tr.connectivity.AllToAll(), weight=2.0, delay=1.0)
    net.record(noise, name="spikes")
    net.record(cells, "v", interval=2.0, name="v")
    return net


ENDLESS = """
import sys
import treplica as tr
from test_simulation_interrupt import network
sim = tr.Simulation(network(), dt=1.0, engine=sys.argv[1], quiet=True, record_to="out", memory_budget=200_000)
report = lambda done, total, spikes: print(done, flush=True)
try:
    sim.run(1e9, report)
except KeyboardInterrupt:
    print("interrupted at", sim.time, flush=True)
    raise
"""


@pytest.mark.parametrize("engine", ["plain", "cpu"])
def test_an_interrupted_run_leaves_its_first_part(tmp_path: Path, engine: str) -> None:
    """Neither the context manager nor `close` is needed, and the exception is raised again."""
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, engine],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    seen = [process.stdout.readline() for _ in range(3)]
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=30)
    assert all(seen), errors
    assert "KeyboardInterrupt" in errors
    assert process.returncode in (1, 130, -signal.SIGINT)
    stopped = float(rest.splitlines()[-1].removeprefix("interrupted at "))
    spikes = tr.SpikeTrains.load(tmp_path / "out" / "spikes.h5")
    traces = tr.Traces.load(tmp_path / "out" / "v.h5")
    assert spikes.stop == stopped >= float(seen[-1])
    part = min(stopped, 200.0)
    uninterrupted = simulate(network(), part, engine="cpu")
    assert spikes.between(0.0, part) == uninterrupted["spikes"]
    assert len(uninterrupted["spikes"]) > 0
    assert len(traces) == stopped // 2
    assert traces.values[: int(part) // 2].tolist() == uninterrupted["v"].values.tolist()


def test_signals_wait_for_the_end_of_a_piece() -> None:
    """Raised while a report is being made, it is felt before the next piece; afterwards signals are as before."""
    before = signal.getsignal(signal.SIGINT)
    sim = tr.Simulation(relays()[0], dt=1.0, engine="plain", quiet=True)
    times: list[float] = []

    def report(done: float, total: float, spikes: int) -> None:
        times.append(done)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        sim.run(1000.0, report)
    assert len(times) == 1
    assert sim.time == times[0] < 1000.0
    assert signal.getsignal(signal.SIGINT) is before
    sim.run(5.0)
    assert sim["spikes"].n_steps == times[0] + 5


def test_an_interruption_at_the_very_end_is_not_lost() -> None:
    sim = tr.Simulation(relays()[0], dt=1.0, engine="plain", quiet=True)
    with pytest.raises(KeyboardInterrupt):
        sim.run(1.0, lambda *_: signal.raise_signal(signal.SIGINT))
    assert sim.time == 1.0


def test_simulations_run_in_other_threads() -> None:
    """Signals arrive in the main thread only; nothing is installed elsewhere."""
    before = signal.getsignal(signal.SIGINT)
    sims = [tr.Simulation(relays()[0], dt=1.0, engine="cpu", quiet=True) for _ in range(2)]
    threads = [threading.Thread(target=sim.run, args=(500.0,)) for sim in sims]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sim.time for sim in sims] == [500.0, 500.0]
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_goes_before_an_interruption() -> None:
    def block() -> None:
        with deferred_interrupt() as interrupted:
            signal.raise_signal(signal.SIGINT)
            deadline = time.monotonic() + 5.0
            while not interrupted() and time.monotonic() < deadline:
                pass
            raise ZeroDivisionError

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError):
        block()
    assert signal.getsignal(signal.SIGINT) is before
