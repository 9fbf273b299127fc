"""Run the benchmarks beside their peers and write what they measured: results/*.json and the tables of README.md.

    make bench

Both cores should be quiet: the load before the run is written beside the figures.
"""

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
#: name -> arguments of `treplica bench`
RUNS = {
    "mesh": ["mesh", "--against", "nest,brian2"],
    "mesh-float32": ["mesh", "--precision", "float32"],
}
ROWS = {
    "build_s": "build, s",
    "wall_s_per_model_s": "wall per model second, s",
    "synaptic_events_per_s": "synaptic events per s",
    "mean_rate_hz": "mean rate, Hz",
    "bytes_per_neuron": "bytes per neuron",
    "bytes_per_synapse": "bytes per synapse",
    "peak_memory_bytes": "peak memory of the process, bytes",
    "import_s": "import, s",
    "first_start_s": "first start, compiling, s",
    "later_start_s": "later starts, s",
}


def measure(name: str) -> dict:
    command = [sys.executable, "-m", "treplica.cli.main", "bench", *RUNS[name], "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE.parent)
    report = {"date": date.today().isoformat(), **json.loads(done.stdout)}
    (HERE / "results" / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
    return report


def number(value: float | None) -> str:
    return "" if value is None else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def table(report: dict) -> str:
    peers = list(report["peers"])
    head = ["", "Treplica", *(cell for p in peers for cell in (p, "times better"))]
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    for key, label in ROWS.items():
        cells = [label, number(report["figures"].get(key))]
        for peer in peers:
            cells += [number(report["peers"][peer].get(key)), number(report["ratios"].get(f"{peer}.{key}"))]
        lines.append("| " + " | ".join(cells) + " |")
    machine, versions = report["machine"], report["versions"]
    kept = ("treplica", "python", "numba", "numpy", *peers)
    about = ", ".join(f"{n} {versions[n]}" for n in kept if n in versions)
    where = f"{machine['processor']}, {machine['cores']} cores, load {machine['load_1min']:.2f}"
    return "\n".join([*lines, "", f"{report['date']}; {where}; {about}."])


def main() -> None:
    (HERE / "results").mkdir(exist_ok=True)
    readme = HERE / "README.md"
    text = readme.read_text()
    for name in RUNS:
        block = f"<!-- {name} -->\n\n{table(measure(name))}\n\n<!-- end -->"
        text = re.sub(rf"<!-- {name} -->.*?<!-- end -->", lambda _, b=block: b, text, flags=re.DOTALL)
    readme.write_text(text)


if __name__ == "__main__":
    main()
