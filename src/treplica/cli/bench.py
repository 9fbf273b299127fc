"""`treplica bench`."""

from __future__ import annotations

import argparse
from typing import Any

from treplica.benchmarks import Report, run
from treplica.benchmarks.table import CHOICES, TIMING
from treplica.cli.terminal import console, print_json, print_table


def main(chosen: argparse.Namespace) -> int:
    """Measure and print."""
    peers = tuple(p.strip() for given in chosen.against for p in given.split(",") if p.strip())
    choices = _given(chosen, CHOICES)
    report = run(chosen.name, choices=choices, against=peers, **_given(chosen, TIMING))
    if chosen.json:
        print_json(report.as_dict())
    else:
        _show(report)
    return 0


def _given(chosen: argparse.Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    """The options of these names that were given; each benchmark has its own defaults."""
    return {name: getattr(chosen, name) for name in names if getattr(chosen, name) is not None}


def _show(report: Report) -> None:
    about = report.as_dict()
    peers = list(report.peers)
    rows = []
    for key, value in report.figures.items():
        row = [key, _shown(key, value)]
        for peer in peers:
            theirs = report.peers[peer].get(key)
            ratio = about["ratios"].get(f"{peer}.{key}")
            row += [
                _shown(key, theirs) if theirs is not None else "",
                f"{ratio:,.1f}" if ratio is not None else "",
            ]
        rows.append(tuple(row))
    head = ["figure", "treplica", *(h for peer in peers for h in (peer, "times better"))]
    machine = about["machine"]
    print_table(f"{report.name} on {machine['processor']}, {machine['cores']} cores", rows, tuple(head))
    if report.beside:
        _show_beside(report)
    busy = machine.get("busy_cores")
    others = "" if busy is None else f"; other work kept {busy:.2f} cores busy"
    console.print(f"load before: {machine['load_1min']:.2f}{others}")


def _show_beside(report: Report) -> None:
    """Kept and recomputed synapses, a row for each size."""
    rows = []
    everyone = {**report.beside, f"{report.figures['neurons']} recomputed": report.figures}
    for name, figures in everyone.items():
        neurons, _, way = name.partition(" ")
        held = figures["neurons"] * figures["bytes_per_neuron"]
        held += figures["synapses"] * figures["bytes_per_synapse"]
        numbers = (
            figures["wall_s_per_model_s"], 1e9 / figures["synaptic_events_per_s"], held, figures["peak_memory_bytes"],
        )  # fmt: skip
        rows.append((way, f"{int(neurons):,}", _number(figures["synapses"]), *map(_number, numbers)))
    head = ("synapses are", "neurons", "synapses", "s/model s", "ns/event", "bytes", "peak")
    print_table("kept and recomputed synapses", rows, head)
    estimate = _number(report.figures["if_kept_bytes"])
    console.print(
        f"kept, those of {report.figures['neurons']:,} neurons would take {estimate} bytes (estimated)"
    )


def _shown(key: str, value: float) -> str:
    """A figure: counts in full, everything else in a few digits."""
    return f"{value:,}" if isinstance(value, int) and not key.endswith("_bytes") else _number(value)


def _number(value: float) -> str:
    """Four digits that count, with M and G for millions and thousands of millions; whole numbers in full."""
    for limit, letter in ((1e9, " G"), (1e6, " M")):
        if abs(value) >= limit:
            return f"{value / limit:,.4g}{letter}"
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1e4 else f"{value:,.4g}"
