"""The tables of README.md, between markers."""

import re

from runs import NETWORKS, PEERS, whole_machine

#: figure -> label in the table of one run
ROWS = {
    "build_s": "build, s",
    "wall_s_per_model_s": "wall per model second, s",
    "synaptic_events_per_s": "synaptic events per s",
    "mean_rate_hz": "mean rate, Hz",
    "skipped_updates": "share of updates skipped",
    "bytes_per_neuron": "bytes per neuron",
    "bytes_per_synapse": "bytes per synapse",
    "peak_memory_bytes": "peak memory of the process, bytes",
    "import_s": "import, s",
    "first_start_s": "first start, compiling, s",
    "later_start_s": "later starts, s",
}


def number(value: float | None) -> str:
    return "" if value is None else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def lines(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; all columns but the first are right-aligned."""
    ruler = "| --- |" + " ---: |" * (len(head) - 1)
    return "\n".join(
        ["| " + " | ".join(head) + " |", ruler, *("| " + " | ".join(row) + " |" for row in rows)]
    )


def filled(text: str, reports: dict[str, dict]) -> str:
    """The page with every table for which there are results."""
    blocks = {
        name: recomputed(report) if "beside" in report else one_run(report)
        for name, report in reports.items()
    }
    networks = whole_machine(reports)
    if networks:
        blocks |= {
            "yardsticks": yardsticks(networks),
            "building": building(networks),
            "figures": figures(networks),
        }
    for name, block in blocks.items():
        text = fill(text, name, block)
    return text


def fill(text: str, name: str, block: str) -> str:
    """The page with a block between the marks of that name."""
    marked = f"<!-- {name} -->\n\n{block}\n\n<!-- end -->"
    return re.sub(rf"<!-- {name} -->.*?<!-- end -->", lambda _: marked, text, flags=re.DOTALL)


def one_run(report: dict) -> str:
    """Every figure of a run."""
    peers = list(report["peers"])
    head = ["", "Treplica", *(cell for p in peers for cell in (PEERS[p], "times better"))]
    rows = []
    for key, label in ROWS.items():
        cells = [label, number(report["figures"].get(key))]
        for peer in peers:
            cells += [number(report["peers"][peer].get(key)), number(report["ratios"].get(f"{peer}.{key}"))]
        rows.append(cells)
    return f"{lines(head, rows)}\n\n{provenance([report])}"


def recomputed(report: dict) -> str:
    """Kept and recomputed synapses at several sizes, a row each; the last is the one that would not fit."""
    head = ["neurons", "synapses", "they are", "build, s", "wall per model second, s", "million events per s"]
    head += ["ns per event", "network, MB", "peak of the process, MB", "rate, Hz"]
    rows = []
    last = f"{report['figures']['neurons']} recomputed"
    for name, figures in [*report["beside"].items(), (last, report["figures"])]:
        held = figures["neurons"] * figures["bytes_per_neuron"]
        held += figures["synapses"] * figures["bytes_per_synapse"]
        rate = figures["synaptic_events_per_s"]
        row = [f"{figures['neurons']:,}", f"{figures['synapses']:,}", name.partition(" ")[2]]
        row += [number(figures["build_s"]), number(figures["wall_s_per_model_s"]), number(rate / 1e6)]
        rows.append(
            [*row, number(1e9 / rate), number(held / 1e6), number(figures["peak_memory_bytes"] / 1e6)]
        )
        rows[-1].append(number(figures["mean_rate_hz"]))
    kept = f"{report['figures']['if_kept_bytes'] / 1e9:.1f} GB"
    memory = f"{report['machine']['memory_bytes'] / 1e9:.1f} GB"
    said = f"Kept, the synapses of the last row would take {kept} (estimated); the machine has {memory}."
    return f"{lines(head, rows)}\n\n{said}\n\n{provenance([report])}"


def yardsticks(reports: dict[str, dict]) -> str:
    """One row for each network: sizes, wall time for a model second, ratios, rates."""
    head = ["network", "neurons", "synapses", "Treplica, s"]
    head += [cell for peer in PEERS.values() for cell in (f"{peer}, s", "times")]
    head += ["rate, Hz", *(f"{peer}'s" for peer in PEERS.values())]
    rows = []
    for name, report in reports.items():
        figures, key = report["figures"], "wall_s_per_model_s"
        row = [NETWORKS[name], f"{figures['neurons']:,}", f"{figures['synapses']:,}", number(figures[key])]
        for peer in PEERS:
            row += [
                number(report["peers"].get(peer, {}).get(key)),
                number(report["ratios"].get(f"{peer}.{key}")),
            ]
        rates = [figures, *(report["peers"].get(peer, {}) for peer in PEERS)]
        rows.append([*row, *(number(of.get("mean_rate_hz")) for of in rates)])
    return f"{lines(head, rows)}\n\n{provenance(list(reports.values()))}"


def figures(reports: dict[str, dict]) -> str:
    """The page that everybody sees first: wall times and ratios."""
    key = "wall_s_per_model_s"
    rows = []
    for name, report in reports.items():
        ours = report["figures"]
        cells = [NETWORKS[name], f"{ours['neurons']:,}", f"{ours['synapses']:,}", f"{number(ours[key])} s"]
        for peer in PEERS:
            theirs, ratio = report["peers"].get(peer, {}).get(key), report["ratios"].get(f"{peer}.{key}")
            cells.append("" if theirs is None else f"{number(theirs)} s ({number(ratio)} ×)")
        rows.append(cells)
    head = ["", "neurons", "synapses", "Treplica", *PEERS.values()]
    return f"{lines(head, rows)}\n\n{provenance(list(reports.values()))}"


def building(reports: dict[str, dict]) -> str:
    """One row for each network: build, memory, work, start."""
    everyone = {"": "Treplica", **PEERS}
    head = ["network", *(f"build, s: {who}" for who in everyone.values())]
    head += [f"peak, MB: {who}" for who in everyone.values()]
    head += ["bytes per synapse", "synaptic events", "million events per s", "first start, s"]
    rows = []
    for name, report in reports.items():
        ours = report["figures"]
        sides = [ours if not who else report["peers"].get(who, {}) for who in everyone]
        row = [NETWORKS[name], *(number(side.get("build_s")) for side in sides)]
        row += [number(memory / 1e6) if (memory := side.get("peak_memory_bytes")) else "" for side in sides]
        events = ours.get("synaptic_events")
        row += [number(ours["bytes_per_synapse"]), "" if events is None else f"{events:,}"]
        row += [number(ours["synaptic_events_per_s"] / 1e6), number(ours.get("first_start_s"))]
        rows.append(row)
    return lines(head, rows)


def provenance(reports: list[dict]) -> str:
    """When, where, what, and how quiet it was."""

    def joined(values: list[str]) -> str:
        return " and ".join(dict.fromkeys(values))

    dates = sorted({report["date"] for report in reports})
    machines = [f"{r['machine']['processor']}, {r['machine']['cores']} cores" for r in reports]
    kept = ("treplica", "python", "numba", "numpy", *PEERS)
    known = {n: joined([r["versions"][n] for r in reports if n in r["versions"]]) for n in kept}
    about = ", ".join(f"{PEERS.get(n, n)} {version}" for n, version in known.items() if version)
    quiet = f"load before {span([r['machine']['load_1min'] for r in reports])}"
    busy = [b for r in reports if (b := r["machine"].get("busy_cores")) is not None]
    if busy:
        quiet += f", cores busy with other work {span(busy)}"
    return f"{' to '.join(dict.fromkeys((dates[0], dates[-1])))}; {joined(machines)}, {quiet}; {about}."


def span(values: list[float]) -> str:
    ends = dict.fromkeys(f"{value:.2f}" for value in (min(values), max(values)))
    return " to ".join(ends)
