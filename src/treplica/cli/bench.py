"""`treplica bench`."""

from __future__ import annotations

import argparse

from treplica.benchmarks import Report, benchmark
from treplica.cli.terminal import print_json, print_table


def main(chosen: argparse.Namespace) -> int:
    """Measure and print."""
    peers = tuple(p.strip() for p in chosen.against.split(",") if p.strip())
    report = benchmark(chosen.name)(
        neurons=chosen.neurons,
        seconds=chosen.seconds,
        threads=chosen.threads,
        precision=chosen.precision,
        repeats=chosen.repeats,
        against=peers,
    )
    if chosen.json:
        print_json(report.as_dict())
    else:
        _show(report)
    return 0


def _show(report: Report) -> None:
    about = report.as_dict()
    peers = list(report.peers)
    rows = []
    for key, value in report.figures.items():
        row = [key, _number(value)]
        for peer in peers:
            theirs = report.peers[peer].get(key)
            ratio = about["ratios"].get(f"{peer}.{key}")
            row += [
                _number(theirs) if theirs is not None else "",
                f"{ratio:,.1f}" if ratio is not None else "",
            ]
        rows.append(tuple(row))
    head = ["figure", "treplica", *(h for peer in peers for h in (peer, "times better"))]
    machine = about["machine"]
    print_table(f"{report.name} on {machine['processor']}, {machine['cores']} cores", rows, tuple(head))


def _number(value: float) -> str:
    """Four digits that count, with M and G for millions and thousands of millions; whole numbers in full."""
    for limit, letter in ((1e9, " G"), (1e6, " M")):
        if abs(value) >= limit:
            return f"{value / limit:,.4g}{letter}"
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1e4 else f"{value:,.4g}"
