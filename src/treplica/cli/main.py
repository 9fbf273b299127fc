"""`treplica`: the command line. Each command is a file of this folder; this one parses and reports errors."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import treplica
from treplica.benchmarks import BENCHMARKS
from treplica.benchmarks.drives import MOST_WITH_NOISE
from treplica.errors import TreplicaError
from treplica.numerics.formats import FORMATS


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="treplica", description="Spiking networks, described once, run everywhere."
    )
    top.add_argument("--version", action="version", version=f"treplica {treplica.__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="handwritten digits on a mesh of 100,000 neurons")
    demo.add_argument("--images", default="digits", help="digits (default), mnist, or a file of images")
    demo.add_argument("--neurons", type=int, default=100_000, help="neurons of the mesh (default 100000)")
    demo.add_argument(
        "--duration", type=float, default=2000.0, help="model time in ms after the warm-up (default 2000)"
    )
    demo.add_argument("--window", type=float, default=50.0, help="ms for each image (default 50)")
    demo.add_argument("--no-picture", action="store_true", help="do without the raster (it needs matplotlib)")
    _running(demo)
    run = commands.add_parser("run", help="run a Python file that defines `network`, or a saved description")
    run.add_argument(
        "file", type=Path, metavar="FILE", help="a .py file that defines `network`, or a description"
    )
    run.add_argument("--duration", type=float, default=1000.0, help="model time in ms (default 1000)")
    run.add_argument("--dt", type=float, default=0.1, help="length of a step in ms (default 0.1)")
    run.add_argument(
        "--record",
        action="append",
        default=[],
        metavar="POPULATION[.VARIABLE]",
        help="record spikes, or a state variable, in addition to the network's own probes; can be repeated",
    )
    run.add_argument(
        "--checkpoint-every",
        type=float,
        default=None,
        metavar="MS",
        help="write a checkpoint into the --out folder every so many ms of model time, for `treplica resume`",
    )
    _running(run)
    _resume(commands.add_parser("resume", help="go on with a run that was interrupted or killed, to its end"))
    info = commands.add_parser("info", help="versions, machine, models, rules; or what a description holds")
    info.add_argument("file", type=Path, nargs="?", metavar="FILE", help="a description or a .py file")
    info.add_argument("--json", action="store_true", help="print one JSON object")
    _train(commands.add_parser("train", help="train a network by a recipe, and test it"))
    _bench(commands.add_parser("bench", help="measure, beside peers in the same run"))
    return top


def _resume(resume: argparse.ArgumentParser) -> None:
    """Options of `treplica resume`."""
    resume.add_argument(
        "checkpoint", type=Path, metavar="FOLDER", help="the --out folder of the run, or a checkpoint"
    )
    resume.add_argument(
        "--checkpoint-every", type=float, default=None, metavar="MS", help="another interval than before"
    )
    resume.add_argument("--engine", default=None, help="auto, cpu, event or plain (default: as before)")
    resume.add_argument("--threads", type=int, default=None, help="threads (default: as before)")
    resume.add_argument(
        "--out",
        type=Path,
        default=None,
        metavar="FOLDER",
        help="where the recordings are now; an empty or new folder, if the checkpoint holds them itself",
    )
    resume.add_argument("--json", action="store_true", help="print one JSON object, and no progress")


def _train(train: argparse.ArgumentParser) -> None:
    """Options of `treplica train`."""
    train.add_argument(
        "recipe",
        nargs="?",
        metavar="RECIPE",
        help="such as digits or mnist; without it, all of them are listed",
    )
    train.add_argument("--seed", type=int, default=None, help="instead of the recipe's own seed")
    train.add_argument("--epochs", type=int, default=None, help="instead of the recipe's own number")
    several = "train so many times, with this and the following seeds (default 1)"
    train.add_argument("--seeds", type=int, default=None, metavar="COUNT", help=several)
    setting = "another value of a setting of the recipe; can be repeated"
    train.add_argument(
        "--set", action="append", default=[], dest="values", metavar="NAME=VALUE", help=setting
    )
    results = "an empty or new folder for checkpoints, logs, pictures and the summary"
    train.add_argument("--out", type=Path, default=None, metavar="FOLDER", help=results)
    train.add_argument(
        "--resume", action="store_true", help="go on with what was begun in the --out folder, to its end"
    )
    seconds = "s between checkpoints within an epoch (default 60); there is one after each epoch, too"
    train.add_argument("--checkpoint-every", type=float, default=60.0, metavar="S", help=seconds)
    train.add_argument("--tensorboard", action="store_true", help="write TensorBoard's files, too")
    train.add_argument(
        "--no-pictures", action="store_true", help="do without pictures (they need matplotlib)"
    )
    train.add_argument("--json", action="store_true", help="print one JSON object, and no progress")


def _bench(bench: argparse.ArgumentParser) -> None:
    """Options of `treplica bench`."""
    bench.add_argument("name", metavar="NAME", help=f"the benchmark: {', '.join(BENCHMARKS)}")
    bench.add_argument("--against", nargs="+", default=[], metavar="PEER", help="peers: nest, brian2")
    sizes = "another size: mesh, cuba, coba, brunel, procedural"
    bench.add_argument("--neurons", type=int, default=None, help=sizes)
    bench.add_argument(
        "--scale", type=float, default=None, help="another size: hpc, microcircuit (default 1)"
    )
    rates = "spikes from outside for each neuron of the mesh, in Hz (default 0.16); implies --drive spikes"
    bench.add_argument("--rate", type=float, default=None, help=rates)
    drives = (
        f"of the mesh: noise, spikes (from outside, rare) or auto (default: noise up to {MOST_WITH_NOISE:,} neurons); "
        "of the microcircuit: poisson (default) or dc, a current"
    )
    bench.add_argument("--drive", default=None, help=drives)
    bench.add_argument("--seconds", type=float, default=None, help="model seconds of each run")
    repeats = "runs, of which the median counts (default 5; 1 for the microcircuit)"
    bench.add_argument("--repeats", type=int, default=None, help=repeats)
    bench.add_argument("--threads", type=int, default=None, help="threads (default: every core)")
    bench.add_argument("--precision", choices=tuple(FORMATS), default=None)
    bench.add_argument("--json", action="store_true", help="print one JSON object")


def _running(command: argparse.ArgumentParser) -> None:
    """Options of the commands that simulate."""
    command.add_argument("--seed", type=int, default=None, help="instead of the network's own seed")
    command.add_argument("--engine", default="auto", help="auto (default), cpu, event or plain")
    command.add_argument("--threads", type=int, default=None, help="threads (default: a choice)")
    command.add_argument("--precision", choices=tuple(FORMATS), default="float64")
    command.add_argument(
        "--out", type=Path, default=None, metavar="FOLDER", help="an empty or new folder for results"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object, and no progress")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status: 0, 1 for an interrupted run, 2 for an error that was explained."""
    chosen = parser().parse_args(arguments)
    try:
        return _command(chosen)
    except TreplicaError as error:
        return _report(chosen, type(error).__name__, " ".join(str(error).split("\n")), 2)
    except KeyboardInterrupt as stopped:
        kept = chosen.command == "demo" or getattr(chosen, "out", None)
        message = "interrupted; what was recorded until then is kept" if kept else "interrupted"
        return _report(chosen, "KeyboardInterrupt", str(stopped) or message, 1)


def _report(chosen: argparse.Namespace, error: str, message: str, status: int) -> int:
    """One line on standard error and, where JSON is wanted, an object on standard output."""
    if chosen.json:
        from treplica.cli.terminal import print_json

        print_json({"error": error, "message": message})
    print(f"treplica: {message}", file=sys.stderr)
    return status


def _command(chosen: argparse.Namespace) -> int:
    """Import the command only now: `treplica --help` stays quick."""
    return int(import_module(f"treplica.cli.{chosen.command}").main(chosen))


if __name__ == "__main__":
    sys.exit(main())
