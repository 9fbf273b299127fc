"""The tables of `learning_layers`."""

import statistics

from tables import lines, number

OURS = "treplica"
LAYER_PEERS = ("reference", "snntorch", "spikingjelly", "norse")
LABELS = {
    OURS: "Treplica",
    "reference": "plain PyTorch",
    "snntorch": "snnTorch",
    "spikingjelly": "SpikingJelly",
    "norse": "Norse",
}


def layers_table(report: dict) -> str:
    """Markdown: milliseconds forward and back, then peaks of memory; a row for each input and size."""
    return "\n\n".join([times_table(report["runs"]), memory_table(report["runs"])])


def times_table(runs: list[dict]) -> str:
    """Milliseconds of a side, as it is and compiled, forward + backward; how many times ours the best peer takes."""
    head = ["input, neurons", *(LABELS[p] for p in LAYER_PEERS), LABELS[OURS], "the best peer takes"]
    rows = []
    for kind, neurons in dict.fromkeys((e["input"], e["neurons"]) for e in runs):
        sides = of_size(runs, kind, neurons)
        peers_ = [total(e) for e in sides if e["peer"] not in (OURS, "reference") and "figures" in e]
        cells = [" / ".join(parts_of(e) for e in sides if e["peer"] == p) for p in (*LAYER_PEERS, OURS)]
        own = [total(e) for e in sides if e["peer"] == OURS and "figures" in e]
        factor = f"{min(peers_) / own[0]:.2f} times as long" if own and peers_ else ""
        rows.append([f"{kind}, {neurons:,}", *cells, factor])
    return lines(head, rows)


def memory_table(runs: list[dict]) -> str:
    """Megabytes: the peak above what there was before, and what the forward pass keeps for the backward pass."""
    head = ["input, neurons: peak (kept), MB", *(LABELS[p] for p in LAYER_PEERS), LABELS[OURS]]
    rows = []
    for kind, neurons in dict.fromkeys((e["input"], e["neurons"]) for e in runs):
        sides = of_size(runs, kind, neurons)
        cells = [" / ".join(memory_of(e) for e in sides if e["peer"] == p) for p in (*LAYER_PEERS, OURS)]
        rows.append([f"{kind}, {neurons:,}", *cells])
    return lines(head, rows)


def of_size(runs: list[dict], kind: str, neurons: int) -> list[dict]:
    return [e for e in runs if (e["input"], e["neurons"]) == (kind, neurons)]


def total(entry: dict) -> float:
    return entry["figures"]["forward_s"] + entry["figures"]["backward_s"]


def parts_of(entry: dict) -> str:
    """Such as 30.5 + 32."""
    if "figures" not in entry:
        return entry["failed"]
    return " + ".join(number(1e3 * entry["figures"][f"{part}_s"]) for part in ("forward", "backward"))


def memory_of(entry: dict) -> str:
    """Such as 60.9 (33.4)."""
    if "figures" not in entry:
        return entry["failed"]
    peak, kept_ = (number(entry["figures"][f"{part}_bytes"] / 1e6) for part in ("peak_memory", "kept"))
    return f"{peak} ({kept_})"


def mnist_table(report: dict) -> str:
    """Markdown: a row for each side, with means over seeds."""
    target = f"to {100 * report['settings']['target']:g} %, s"
    head = ["", "seeds", "test accuracy, %", "training, s", target, "after epoch", "first losses"]
    rows = []
    for peer, compiled in dict.fromkeys((e["peer"], e["compiled"]) for e in report["runs"]):
        entries = [e for e in report["runs"] if (e["peer"], e["compiled"]) == (peer, compiled)]
        row = [LABELS[peer] + (", compiled" if compiled else ""), str(len(entries))]
        failed = [e["failed"] for e in entries if "failed" in e]
        rows.append([*row, failed[0], *[""] * 4] if failed else row + mnist_row(entries))
    return lines(head, rows)


def mnist_row(entries: list[dict]) -> list[str]:
    """Accuracy, seconds and epochs of the trainings of one side."""
    figures = [e["figures"] for e in entries]
    accuracy = [100 * f["accuracy"] for f in figures]
    spread = f" ± {statistics.stdev(accuracy):.2f}" if len(accuracy) > 1 else ""
    reached = [f["reached_s"] for f in figures]
    row = [
        f"{statistics.mean(accuracy):.2f}{spread}",
        number(statistics.mean(f["elapsed_s"] for f in figures)),
    ]
    row.append("not reached" if None in reached else number(statistics.mean(reached)))
    ends = [[epoch["elapsed_s"] for epoch in e["epochs"]] for e in entries]
    row.append(", ".join(str(e.index(r) + 1) if r else "–" for e, r in zip(ends, reached, strict=True)))
    return [*row, ", ".join(f"{f['first_loss']:.6f}" for f in figures)]
