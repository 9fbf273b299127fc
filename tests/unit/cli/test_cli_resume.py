"""`treplica run --checkpoint-every` and `treplica resume`: what was stopped ends like a run that never was."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from commands import NETWORK, Terminal, written

import treplica as tr

FAST = ("--dt", "1.0", "--engine", "plain")
RECORD = ("--record", "mesh.v", "--record", "mesh")
#: Figures of a summary that are measured, or say how a run was computed.
MEASURED = ("engine", "build_s", "compile_s", "wall_s", "wall_s_per_model_s", "peak_memory_bytes", "bytes_per_neuron",
            "bytes_per_synapse", "synaptic_events_per_s", "storage")  # fmt: skip
CHECKPOINT = "run.checkpoint"


def contents(folder: Path) -> dict[str, Any]:
    """What each file of a folder of results holds."""
    summary = json.loads((folder / "summary.json").read_text())
    found: dict[str, Any] = {"summary.json": {k: v for k, v in summary.items() if k not in MEASURED}}
    found["network.json"] = tr.Network.load(folder / "network.json")
    for file in folder.glob("*.h5"):
        found[file.name] = (tr.Traces if file.stem == "mesh_v" else tr.SpikeTrains).load(file)
    end = tr.Simulation.load(folder / CHECKPOINT, quiet=True)
    found[CHECKPOINT] = end.time, end.remaining, end.state("mesh", "v").tolist(), end.spikes.tolist()
    assert {*found} == {file.name for file in folder.iterdir()}
    return found


def interrupting(monkeypatch: pytest.MonkeyPatch, after: float) -> None:
    """Have Ctrl-C arrive at the first look up after so many ms of a run."""

    @contextmanager
    def bar(*_: object) -> Iterator[Any]:
        yield lambda done, total, spikes: os.kill(os.getpid(), signal.SIGINT) if done > after else None

    monkeypatch.setattr("treplica.cli.terminal.progress_bar", bar)


def test_an_interrupted_run_says_how_to_go_on_and_does(
    treplica: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted, resumed, interrupted again, moved, and resumed to the end, with another engine."""
    monkeypatch.chdir(tmp_path)
    run = ("run", written(tmp_path), "--duration", "900", *FAST, *RECORD, "--seed", "5")
    assert treplica(*run, "--out", "whole", "--json", "--checkpoint-every", "300").status == 0
    with monkeypatch.context() as patch:
        interrupting(patch, 50.0)
        done = treplica(*run, "--out", "my run", "--checkpoint-every", "700")
        at = tr.Simulation.load(f"my run/{CHECKPOINT}", quiet=True).time
        assert 50.0 < at < 900.0
        message = f"interrupted at {at:g} of 900 ms; go on with: treplica resume 'my run'"
        assert (done.status, done.err.splitlines()[-1]) == (1, f"treplica: {message}")
        assert json.loads(Path("my run/summary.json").read_text())["model_s"] == pytest.approx(at / 1000.0)
        done = treplica("resume", "my run", "--json", "--checkpoint-every", "500")
        at = tr.Simulation.load(f"my run/{CHECKPOINT}", quiet=True).time
        message = f"interrupted at {at:g} of 900 ms; go on with: treplica resume 'my run'"
        assert (done.status, done.json) == (1, {"error": "KeyboardInterrupt", "message": message})
    Path("my run").rename("moved")
    done = treplica("resume", "moved", "--engine", "cpu", "--threads", "2")
    assert done.status == 0
    assert done.out.endswith("results in moved\n")
    assert "cpu, 2 threads" in done.out
    assert contents(Path("moved")) == contents(Path("whole"))
    assert len(contents(Path("whole"))["mesh_spikes.h5"]) > 50
    assert tr.Simulation.load(f"moved/{CHECKPOINT}", quiet=True).checkpoint_every == 500.0


def test_a_run_that_is_complete_can_be_resumed(treplica: Terminal, tmp_path: Path) -> None:
    """It may have been killed after its last checkpoint, before its files were sealed."""
    out = tmp_path / "out"
    run = ("run", written(tmp_path), "--duration", "100", *FAST, "--record", "mesh.v")
    first = treplica(*run, "--out", out, "--checkpoint-every", "40", "--json")
    before = contents(out)
    (out / "summary.json").unlink()
    (out / "network.json").unlink()
    again = treplica("resume", out / CHECKPOINT, "--json")
    assert (first.status, again.status) == (0, 0)
    assert list(again.json) == ["summary", "recorded", "folder"]
    assert (again.json["recorded"], again.json["folder"]) == (first.json["recorded"], str(out))
    assert contents(out) == before


def test_recordings_in_memory_go_on(treplica: Terminal, tmp_path: Path) -> None:
    """A checkpoint that a script saved goes on in memory, or into a folder that is named."""
    net = tr.Network(seed=3)
    cells = net.add(tr.Population("mesh", 20, tr.LIF(v=tr.Uniform(-70.0, -50.0))))
    net.stimulate(cells, tr.PoissonInput(rate=2500.0, weight=1.1))
    net.record(cells, name="spikes")
    whole, sim = (tr.Simulation(net, dt=0.5, engine="plain", quiet=True) for _ in range(2))
    whole.run(100.0)

    def stop(done: float, *_: object) -> None:
        if done > 30.0:
            raise RuntimeError

    path = tmp_path / "c"
    with pytest.raises(RuntimeError):
        sim.run(100.0, stop, checkpoint_every=10.0, checkpoint=path)
    shutil.copy(path, tmp_path / "d")
    done = treplica("resume", path, "--json")
    assert done.json["recorded"] == {"spikes": f"{len(whole['spikes'])} spikes of 20 neurons"}
    assert done.json["folder"] is None
    assert len(whole["spikes"]) > 10
    end = tr.Simulation.load(path, quiet=True)
    assert (end.remaining, end["spikes"]) == (0.0, whole["spikes"])
    done = treplica("resume", tmp_path / "d", "--out", tmp_path / "out", "--json")
    assert done.json["folder"] == str(tmp_path / "out")
    assert tr.SpikeTrains.load(tmp_path / "out" / "spikes.h5") == whole["spikes"]


REFUSALS = {
    ("run", "net.py", "--checkpoint-every", "5"): "--checkpoint-every must be given together with --out FOLDER, "
    "where the checkpoint and the recordings go, got 5.0.",
    ("run", "net.py", "--out", "o", "--checkpoint-every", "0"): "--checkpoint-every must be a finite number > 0 ms",
    ("run", "net.py", "--out", "o", "--checkpoint-every", "nan"): "--checkpoint-every must be a finite number > 0 ms",
    ("run", "net.py", "--out", "o", "--checkpoint-every", "5.05"): "--checkpoint-every must be a multiple of dt = 0.1",
    ("resume", "absent"): "absent: there is no such file.",
    ("resume", "."): ".: there is no run.checkpoint in this folder. Name a checkpoint, or a folder of a run with",
    ("resume", "net.py"): "net.py: is not an HDF5 file of Treplica, or is damaged at its beginning.",
    ("resume", "damaged"): "damaged: is damaged: its checksum is ",
    ("resume", "short"): "short: is cut off or damaged: it has 3000 bytes, its seal says ",
    ("resume", "done", "--threads", "0"): "threads must be a whole number from 1 to 1024, got 0.",
    ("resume", "done", "--engine", "cppu"): "engine 'cppu' is not known. Did you mean 'cpu'?",
    ("resume", "done", "--checkpoint-every", "0.5"): "--checkpoint-every must be a multiple of dt = 1 ms, got 0.5.",
    ("resume", "done", "--out", "elsewhere"): "elsewhere/heard.h5: there is no such file.",
}  # fmt: skip


@pytest.mark.parametrize("arguments", REFUSALS)
def test_what_does_not_fit_is_refused(
    treplica: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    run = ("run", written(tmp_path), "--duration", "20", *FAST, "--checkpoint-every", "10", "--out", "done")
    assert treplica(*run, "--json").status == 0
    whole = bytearray(Path("done", CHECKPOINT).read_bytes())
    Path("short").write_bytes(whole[:3000])
    whole[3000] ^= 1
    Path("damaged").write_bytes(whole)
    before = contents(Path("done"))
    plain, asked = treplica(*arguments), treplica(*arguments, "--json")
    assert (plain.status, plain.out) == (2, "")
    assert (
        plain.err.replace(f"{tmp_path}/", "").splitlines()[-1].startswith(f"treplica: {REFUSALS[arguments]}")
    )
    assert (asked.status, f"treplica: {asked.json['message']}\n") == (2, asked.err)
    assert plain.err.endswith(asked.err)
    assert contents(Path("done")) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["damaged", "done", "net.py", "short"]


# Killed

#: A neuron's noise, recurrence with delays, and a quarter of a thousand checkpoints: more than is waited for.
DURATION, EVERY = 5000.0, 20.0
NOISY = NETWORK.replace("delay=1.0", "delay=tr.Uniform(1.0, 12.0)")


def begin(folder: Path, *command: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "treplica.cli.main", *map(str, command)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def killed(folder: Path, after: int, delay: float, *command: object) -> bool:
    """Kill a command with SIGKILL some time after its n-th checkpoint; whether it was, before its end."""
    process, path = begin(folder, *command), folder / "out" / CHECKPOINT
    seen = {path.stat().st_mtime_ns} if path.exists() else set()
    enough = len(seen) + after
    while len(seen) < enough and process.poll() is None:
        if path.exists():
            seen.add(path.stat().st_mtime_ns)
        time.sleep(0.001)
    time.sleep(delay)
    process.kill()
    _, err = process.communicate()
    assert process.returncode in (-signal.SIGKILL, 0), err
    return process.returncode != 0


def test_a_command_that_is_killed_goes_on(treplica: Terminal, tmp_path: Path) -> None:
    """With SIGKILL, four times in one run: every file ends as that of the run that was left alone."""
    file = written(tmp_path, NOISY)
    run = ("run", file, "--duration", DURATION, "--dt", "0.5", *RECORD, "--checkpoint-every")
    assert treplica(*run, DURATION, "--out", tmp_path / "whole", "--json").status == 0
    moments, kills = random.Random(7), 0
    while kills < 4:
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        kills, times, command = 0, set(), (*run, EVERY, "--out", "out")
        while kills < 4 and killed(tmp_path, moments.randint(2, 5), moments.uniform(0.0, 0.03), *command):
            kills += 1
            times.add(tr.Simulation.load(tmp_path / "out" / CHECKPOINT, quiet=True).time)
            command = ("resume", "out", "--json")
    assert len(times) == 4
    assert treplica("resume", tmp_path / "out", "--checkpoint-every", DURATION, "--json").status == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert len(contents(tmp_path / "out")["mesh_spikes.h5"]) > 500


def test_the_event_engine_writes_and_goes_on_too(
    treplica: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neurons in closed form, exact times on the disk."""
    monkeypatch.chdir(tmp_path)
    net = tr.Network(seed=3)
    mesh = net.add(tr.Population("mesh", 30, tr.LIFExpCurrent()))
    net.connect(mesh, mesh, tr.FixedInDegree(3), weight=-80.0, delay=tr.Uniform(0.3, 4.0))
    net.stimulate(mesh, tr.PoissonInput(3000.0, 60.0))
    net.save(tmp_path / "net.json")
    run = ("run", "net.json", "--duration", "900", "--dt", "0.5", "--engine", "event", *RECORD)
    assert treplica(*run, "--out", "whole", "--json", "--checkpoint-every", "300").status == 0
    with monkeypatch.context() as patch:
        interrupting(patch, 50.0)
        assert treplica(*run, "--out", "stopped", "--checkpoint-every", "300").status == 1
    stopped = tr.Simulation.load(tmp_path / "stopped" / CHECKPOINT, quiet=True)
    assert 0.0 < stopped.time < 900.0
    stopped.close()
    assert treplica("resume", f"stopped/{CHECKPOINT}", "--json").status == 0
    whole, gone_on = contents(tmp_path / "whole"), contents(tmp_path / "stopped")
    assert gone_on == whole
    (spikes,) = (found for found in whole.values() if isinstance(found, tr.SpikeTrains))
    assert len(spikes) > 100
    assert (spikes.exact % 0.5 != 0.0).all()
