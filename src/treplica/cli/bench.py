"""`treplica bench`."""

from __future__ import annotations

import argparse

from treplica.benchmarks import Report, benchmark
from treplica.cli.terminal import print_json, print_table


def main(chosen: argparse.Namespace) -> int:
    """Measure and print."""
    peers = tuple(p for p in chosen.against.split(",") if p)
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
        row = [key, f"{value:,.4g}"]
        for peer in peers:
            theirs = report.peers[peer].get(key)
            ratio = about["ratios"].get(f"{peer}.{key}")
            row += [
                f"{theirs:,.4g}" if theirs is not None else "",
                f"{ratio:,.1f}" if ratio is not None else "",
            ]
        rows.append(tuple(row))
    head = ["figure", "treplica", *(h for peer in peers for h in (peer, "times better"))]
    machine = about["machine"]
    print_table(f"{report.name} on {machine['processor']}, {machine['cores']} cores", rows, tuple(head))
