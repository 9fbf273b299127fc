"""`treplica bench`."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable
from typing import Any

from treplica.benchmarks import Report, benchmark
from treplica.cli.terminal import print_json, print_table
from treplica.errors import InvalidValue

#: Options that are passed on where they are given; each benchmark has some of them, with defaults of its own.
SETTINGS = ("neurons", "scale", "drive", "seconds", "repeats", "threads", "precision")


def main(chosen: argparse.Namespace) -> int:
    """Measure and print."""
    peers = tuple(p.strip() for p in chosen.against.split(",") if p.strip())
    run = benchmark(chosen.name)
    report = run(**_settings(chosen, run), against=peers)
    if chosen.json:
        print_json(report.as_dict())
    else:
        _show(report)
    return 0


def _settings(chosen: argparse.Namespace, run: Callable[..., Report]) -> dict[str, Any]:
    """The options that were given; InvalidValue for one that this benchmark does not have."""
    given = {name: getattr(chosen, name) for name in SETTINGS if getattr(chosen, name) is not None}
    known = [name for name in SETTINGS if name in inspect.signature(run).parameters]
    for name, value in given.items():
        if name not in known:
            allowed, advice = f"left out of the benchmark {chosen.name}", f"It has --{', --'.join(known)}."
            raise InvalidValue(f"--{name}", value, allowed, advice)
    return given


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
