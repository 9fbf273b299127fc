"""Linear and leaky neurons, forward and backward, on the CPU: Treplica beside snnTorch, SpikingJelly and Norse.

    python benchmarks/learning_layers.py [--neurons 256 512 1024 4096] [--input noise spikes] [--repeats 5] [--rounds 3]
        [--block 10]
    python benchmarks/learning_layers.py --mnist

The benchmark of Open Neuromorphic (one Linear(n, n), one layer of leaky neurons, batch 16, 500 steps, the loss is the
sum of all spikes) with the same dynamics, reset, surrogate and weights for all: see with_torch.py among the peers'
scripts. Before anything is timed, the spikes and the weights' gradient of each side are compared with those of plain
PyTorch on a small input; a side that does not agree is not timed. Each side runs in a process of its own; with --block,
once more with that many steps at a time through torch.compile. Figures are medians over rounds. Writes
results/learning_layers.json, where other sizes and inputs keep what was measured before.

With --mnist, the network of the recipe `mnist` is trained in the same way on each side, as it is and, with --block,
compiled as a whole, with --seeds seeds, and the seconds until a test accuracy are shown; writes
results/learning_mnist.json.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
from learning_tables import LAYER_PEERS, OURS, layers_table, mnist_table

import treplica as tr
import treplica.benchmarks.peers as peers
from treplica.benchmarks.report import busy_cores, machine, versions
from treplica.errors import SimulationError
from treplica.learning.training.recipes import RECIPES

HERE = Path(__file__).parent
MNIST_PEERS = ("snntorch", "spikingjelly")
LAYER = dict(steps=500, batch=16, decay=0.9, alpha=2.0, probability=0.02, drive=0.5, seed=1, threads=2)
#: Test accuracy that is asked for.
TARGET = 0.982
#: Largest difference of a gradient over its largest entry: float32, in another order.
TOLERANCE = 1e-5
FAILURES = (SimulationError, subprocess.SubprocessError)


def ours():
    """Treplica's kind of layer and version: what a user writes."""
    import torch

    import treplica.learning as tl

    class Layer(torch.nn.Module):
        def __init__(self, s: dict, weights: torch.Tensor) -> None:
            super().__init__()
            neurons = tr.LIF(
                v=0.0, v_rest=0.0, v_th=1.0, v_reset=0.0, refractory=0.0, tau=-1.0 / math.log(s["decay"])
            )
            surrogate = tl.surrogates.Arctan(alpha=s["alpha"])
            connection = tl.Linear(weights.shape[1], weights.shape[0], bias=False)
            with torch.no_grad():
                connection.weight.copy_(weights)
            self.net = tl.Sequential(connection, tl.Neurons(neurons, surrogate=surrogate))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.net(x)

    return Layer, tr.__version__


def measure_ours(benchmark: str, settings: dict) -> None:
    """What a peer's script does, for Treplica."""
    sys.path.insert(0, str(Path(peers.__file__).parent / "peers"))
    if benchmark == "layer":
        import with_torch

        with_torch.measure(*ours(), settings)
        return
    import ours_on_mnist
    import with_mnist

    with_mnist.train(ours_on_mnist.Network, tr.__version__, settings)


def run(benchmark: str, peer: str, settings: dict, limit_s: float | None = None) -> dict:
    """The figures of one side, in a process of its own."""
    if peer != OURS:
        return peers.run_peer(benchmark, peer, settings, limit_s)
    command = [sys.executable, __file__, "--ours", json.dumps([benchmark, settings])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=limit_s)
    return json.loads(done.stdout.strip().rpartition("\n")[2])


def write_check(folder: Path, steps: int = 60, batch: int = 4, inputs: int = 64, outputs: int = 48) -> None:
    """A small input for `with_torch.fingerprint`, of which a few per cent of the neurons spike in a step."""
    random = np.random.default_rng(1)
    arrays = {
        "input": random.standard_normal((steps, batch, inputs)),
        "weights": random.standard_normal((outputs, inputs)) * LAYER["drive"] / inputs**0.5,
        "direction": random.standard_normal((steps, batch, outputs)),
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array.astype(np.float32))


def agreement(result: dict, reference: dict) -> dict[str, float]:
    """Spikes that differ from the reference's, and the gradient's largest difference over its largest entry."""
    spikes, gradient = (
        [np.load(r["fingerprint"][n]) for r in (result, reference)] for n in ("spikes", "gradient")
    )
    assert 0.01 < spikes[1].mean() < 0.2
    scale = float(np.abs(gradient[1]).max())
    return {
        "spikes": int(spikes[1].sum()),
        "spikes_that_differ": int((spikes[0] != spikes[1]).sum()),
        "gradient_difference": float(np.abs(gradient[0] - gradient[1]).max()) / scale,
    }


def checked(sides: list[tuple[str, int]], options: argparse.Namespace) -> dict[str, dict]:
    """For every side: its agreement with the reference, which is the first one, or why it has failed."""
    found, reference = {}, None
    with tempfile.TemporaryDirectory() as folder:
        write_check(Path(folder))
        for peer, block in sides:
            name = f"{peer}-{block}"
            say(f"{name}: check")
            try:
                result = run(
                    "layer", peer, {**LAYER, "name": name, "compile": block, "check": folder}, options.limit
                )
            except FAILURES as error:
                if not reference:
                    raise
                found[name] = {"failed": str(error)}
                continue
            reference = reference or result
            found[name] = agreement(result, reference)
            if found[name]["spikes_that_differ"] or found[name]["gradient_difference"] > TOLERANCE:
                found[name]["failed"] = "another result than the reference's"
    return found


def layers(options: argparse.Namespace) -> dict:
    """All sides at all sizes and inputs; a side that failed has "failed" instead of figures."""
    everyone = [(peer, block) for block in dict.fromkeys((0, options.block)) for peer in LAYER_PEERS]
    everyone += [(OURS, 0)]
    sides = [side for side in everyone if side[0] in ("reference", *(options.only or (OURS, *LAYER_PEERS)))]
    checks, runs = checked(sides, options), []
    for kind, neurons in product(options.input, options.neurons):
        rounds: dict[tuple[str, int], list[dict]] = {side: [] for side in sides}
        for turn, (peer, block) in product(range(options.rounds), sides):
            name = f"{peer}-{block}"
            more = {"compile": block, "neurons": neurons, "input": kind, "repeats": options.repeats}
            say(f"{name}: {neurons} neurons, {kind}, round {turn + 1}")
            try:
                if "failed" in checks[name]:
                    raise SimulationError(checks[name]["failed"])
                rounds[peer, block].append(run("layer", peer, {**LAYER, **more}, options.limit))
            except FAILURES as error:
                rounds[peer, block].append({"failed": str(error)})
        about = {
            "neurons": neurons,
            "input": kind,
            "rounds": options.rounds,
            "date": date.today().isoformat(),
        }
        runs += [
            {"peer": peer, "block": block, **about, **middle(rounds[peer, block])} for peer, block in sides
        ]
    return {"settings": {**LAYER, "repeats": options.repeats}, "checks": checks, "runs": runs}


def middle(rounds: list[dict]) -> dict:
    """What one side measured in all rounds, with the median of each figure; the first failure if there is one."""
    failed = [r for r in rounds if "failed" in r]
    if failed:
        return failed[0]
    every = [r["figures"] for r in rounds]
    return {
        **rounds[0],
        "figures": {k: statistics.median(f[k] for f in every) for k in every[0]},
        "each": every,
    }


def kept(report: dict) -> list[dict]:
    """What an earlier run of the benchmark of layers found for other sizes and inputs."""
    path, now = (
        HERE / "results" / "learning_layers.json",
        {(e["neurons"], e["input"]) for e in report["runs"]},
    )
    before = json.loads(path.read_text())["runs"] if path.exists() else []
    return [e for e in before if (e["neurons"], e["input"]) not in now]


def mnist(options: argparse.Namespace) -> dict:
    """All sides, as they are and, with a block, compiled as a whole."""
    sides = [
        (peer, compiled) for compiled in dict.fromkeys((False, bool(options.block))) for peer in MNIST_PEERS
    ]
    sides += [(OURS, False)]
    runs, settings = [], {**asdict(RECIPES["mnist"].settings), "target": TARGET}
    for seed in range(1, options.seeds + 1):
        for peer, compiled in sides:
            if options.only and peer not in options.only:
                continue
            say(f"{peer}{', compiled' if compiled else ''}: MNIST, seed {seed}")
            entry = {"peer": peer, "compiled": compiled, "seed": seed}
            try:
                more = {"seed": seed, "compile": compiled, "limit_s": options.limit}
                entry |= run("mnist", peer, {**settings, **more})
            except FAILURES as error:
                entry["failed"] = str(error)
            runs.append(entry)
    return {"settings": settings, "runs": runs}


def say(text: str) -> None:
    """What goes on, on standard error."""
    print(f"learning_layers: {text}", file=sys.stderr, flush=True)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--neurons", type=int, nargs="+", default=[256, 512, 1024, 4096])
    parser.add_argument("--input", nargs="+", choices=("noise", "spikes"), default=["noise", "spikes"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=1, help="in each of which all sides take their turn")
    parser.add_argument("--block", type=int, default=10, help="steps that are compiled together; 0: none are")
    parser.add_argument("--only", nargs="+", choices=(OURS, *LAYER_PEERS), help="these, and the reference")
    parser.add_argument(
        "--limit", type=float, default=1200.0, help="seconds for one process, or of its training"
    )
    parser.add_argument("--mnist", action="store_true")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each side, with --mnist")
    parser.add_argument("--ours", type=json.loads, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure, and write."""
    options = parsed()
    if options.ours:
        measure_ours(*options.ours)
        return
    about = {"machine": {**machine(), "busy_cores": busy_cores()}, "versions": versions()}
    name, measured, table = "learning_layers", layers, layers_table
    if options.mnist:
        name, measured, table = "learning_mnist", mnist, mnist_table
    report = {"date": date.today().isoformat(), **about, **measured(options)}
    if not options.mnist:
        report["runs"] = sorted(report["runs"] + kept(report), key=lambda e: (e["input"], e["neurons"]))
    report["versions"] |= {entry["peer"]: entry["version"] for entry in report["runs"] if "version" in entry}
    (HERE / "results" / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
    print(table(report))


if __name__ == "__main__":
    main()
