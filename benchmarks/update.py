"""Run the benchmarks beside their peers; write results/*.json, the tables of both README.md and the pictures.

    make bench                              everything: about an hour on two cores, most of it peers
    python benchmarks/update.py cuba brunel only the runs that are called so, or whose names begin so
    python benchmarks/update.py --tables    nothing is measured: tables and pictures of the results there are

The machine should be quiet: load and other work are measured before each run and written beside the figures.
"""

import argparse
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pictures
import tables

HERE = Path(__file__).parent
BOTH, NEST = ["--against", "nest", "brian2"], ["--against", "nest"]
LARGER = {
    "cuba-40000": ["cuba", "--neurons", "40000"],
    "coba-40000": ["coba", "--neurons", "40000", "--seconds", "0.5"],
    "brunel": ["brunel"],
    "hpc": ["hpc"],
    "microcircuit": ["microcircuit", "--repeats", "5"],
}
#: NEST keeps at most 2^27 synapses of a model in a thread.
TOO_MANY_SYNAPSES = ("microcircuit",)
WITHOUT_BRIAN2 = ("hpc", "microcircuit")
#: name -> arguments of `treplica bench`; results/NAME.json
RUNS = {
    "mesh": ["mesh", *BOTH],
    "mesh-float32": ["mesh", "--precision", "float32"],
    "mesh-spikes": ["mesh", "--drive", "spikes", *BOTH],
    "mesh-spikes-1000000": ["mesh", "--drive", "spikes", "--neurons", "1000000", *NEST],
    "mesh-42000000": ["mesh", "--neurons", "42000000"],
    "microcircuit-float32": ["microcircuit", "--repeats", "5", "--precision", "float32"],
    "izhikevich2003": ["izhikevich2003", *BOTH],
    "cuba-4000": ["cuba", *BOTH],
    "coba-4000": ["coba", *BOTH],
    "procedural": ["procedural"],
    **{name: [*run, *(NEST if name in WITHOUT_BRIAN2 else BOTH)] for name, run in LARGER.items()},
    **{
        f"{name}-1-thread": [*run, "--threads", "1", *([] if name in TOO_MANY_SYNAPSES else NEST)]
        for name, run in LARGER.items()
    },
}
#: Mean rates further apart than this are not the same network, or not the same state of it.
RATE_TOLERANCE = 0.1


def chosen(prefixes: list[str]) -> list[str]:
    """The runs of these names, or where there is none those whose names begin so; all if nothing is asked for."""
    asked = set() if prefixes else set(RUNS)
    for prefix in prefixes:
        found = {prefix} & set(RUNS) or {name for name in RUNS if name.startswith(prefix)}
        if not found:
            sys.exit(f"update.py: no run is called {prefix}: there are {', '.join(RUNS)}")
        asked |= found
    return [name for name in RUNS if name in asked]


def measure(name: str) -> dict:
    """One run, kept in results/."""
    command = [sys.executable, "-m", "treplica.cli.main", "bench", *RUNS[name], "--json"]
    print(f"{name}: treplica {' '.join(command[3:])}", file=sys.stderr, flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, cwd=HERE.parent)
    if done.returncode:
        sys.exit(f"update.py: {name} failed; what was measured before it is kept")
    report = {"date": date.today().isoformat(), **json.loads(done.stdout)}
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
    return report


def disagreements(reports: dict[str, dict]) -> list[str]:
    """Runs in which a peer's mean rate is another."""
    found = []
    for name, report in reports.items():
        ours = report["figures"]["mean_rate_hz"]
        for peer, figures in report["peers"].items():
            theirs = figures["mean_rate_hz"]
            if abs(theirs - ours) > RATE_TOLERANCE * ours:
                found.append(f"{name}: mean rate {ours:.3g} Hz, in {peer} {theirs:.3g} Hz")
    return found


def write() -> dict[str, dict]:
    """Tables and pictures of all results there are; returns them by run."""
    files = {name: HERE / "results" / f"{name}.json" for name in RUNS}
    reports = {name: json.loads(file.read_text()) for name, file in files.items() if file.exists()}
    for page in (HERE / "README.md", HERE.parent / "README.md"):
        page.write_text(tables.filled(page.read_text(), reports))
    pictures.draw(reports, HERE / "pictures")
    return reports


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument(
        "names", nargs="*", metavar="NAME", help=f"the beginning of one of {', '.join(RUNS)}"
    )
    options.add_argument("--tables", action="store_true", help="measure nothing")
    given = options.parse_args()
    for name in [] if given.tables else chosen(given.names):
        measure(name)
        write()
    found = disagreements(write())
    if found:
        sys.exit("update.py: these times are not of the same thing:\n" + "\n".join(found))


if __name__ == "__main__":
    main()
