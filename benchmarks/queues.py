"""Which queue suits spikes on their way? A heap of two or four branches, or a calendar, at the lengths that occur.

    python benchmarks/queues.py [--repeats 5]

The queue holds one entry for each spike in flight. An entry is taken when its next arrival is due and put back for the
one after (it travels along its row), or dropped at the end of the row for a new spike. That is the "hold" model: take
the first, put one back a random time later. Times are exponential, or of rows with drawn delays, or all equal, as of
rows with one delay. Writes results/queues.json and the table of README.md.
"""

import argparse
import json
import statistics
import time
from datetime import date
from pathlib import Path

import numpy as np
from numba import njit
from tables import fill, lines, provenance

from treplica.benchmarks.report import busy_cores, machine, versions

HERE = Path(__file__).parent
LENGTHS = (100, 1_000, 10_000, 100_000, 1_000_000)
#: Waits in ms: along a row of 100 synapses within 3 ms; between spikes of one delay; of any kind.
WAITS = {
    "drawn delays": "exponential, 0.03 ms",
    "one delay": "all 1.5 ms",
    "mixed": "a tenth 3 ms, others 0.03 ms",
}
HOLDS = 2_000_000


def waits(kind: str, count: int) -> np.ndarray:
    """Times from taking an entry to its next arrival, ms."""
    random = np.random.default_rng(1)
    if kind == "one delay":
        return np.full(count, 1.5)
    short = random.exponential(0.03, count)
    return short if kind == "drawn delays" else np.where(random.random(count) < 0.1, 3.0, short)


@njit(error_model="numpy")
def heap(branches: int, keys, waits, holds: int) -> float:
    """Hold with an implicit heap; keys: sorted at the beginning."""
    count, total = keys.shape[0], 0.0
    slots = np.arange(count, dtype=np.int32)
    for n in range(holds):
        total += keys[0]
        key, slot, at = keys[0] + waits[n % waits.shape[0]], slots[0], 0
        while True:
            first = branches * at + 1
            if first >= count:
                break
            best = first
            for below in range(first + 1, min(first + branches, count)):
                if keys[below] < keys[best]:
                    best = below
            if key <= keys[best]:
                break
            keys[at], slots[at] = keys[best], slots[best]
            at = best
        keys[at], slots[at] = key, slot
    return total


@njit(error_model="numpy")
def calendar(width: float, days: int, keys, waits, holds: int) -> float:
    """Hold with a calendar of `days` (a power of two) of `width` ms: a list for each, in order."""
    count, total = keys.shape[0], 0.0
    heads, after = np.full(days, -1), np.full(count, -1)
    for e in range(count - 1, -1, -1):
        day = np.int64(keys[e] / width) & (days - 1)
        after[e], heads[day] = heads[day], e
    today = np.int64(keys[0] / width)
    for n in range(holds):
        empty = 0
        while True:
            e = heads[today & (days - 1)]
            if e >= 0 and np.int64(keys[e] / width) == today:
                break
            today, empty = today + 1, empty + 1
            if empty > days:  # a year without anything: look for the first of all
                today = np.int64(keys.min() / width)
                empty = 0
        heads[today & (days - 1)] = after[e]
        total += keys[e]
        keys[e] += waits[n % waits.shape[0]]
        day = np.int64(keys[e] / width) & (days - 1)
        before, next_ = -1, heads[day]
        while next_ >= 0 and keys[next_] < keys[e]:
            before, next_ = next_, after[next_]
        after[e] = next_
        if before < 0:
            heads[day] = e
        else:
            after[before] = e
    return total


def calendar_of(keys: np.ndarray, wait: np.ndarray) -> tuple[float, int]:
    """Width and number of days: about one entry a day, as Brown 1988 (doi:10.1145/63039.63045) advises."""
    width = max(float(wait.mean()) / keys.size, 1e-9)
    return width, 1 << max(4, int(np.ceil(np.log2(2.0 * float(wait.max()) / width))))


def one(kind: str, length: int, repeats: int) -> dict[str, float]:
    """Nanoseconds for taking and putting back one entry."""
    wait = waits(kind, 65536)
    start = np.sort(np.random.default_rng(2).uniform(0.0, wait.mean(), length))
    width, days = calendar_of(start, wait)
    ways = {
        "binary heap": lambda keys: heap(2, keys, wait, HOLDS),
        "heap of four": lambda keys: heap(4, keys, wait, HOLDS),
    }
    if days <= 1 << 26:
        ways["calendar"] = lambda keys: calendar(width, days, keys, wait, HOLDS)
    walls: dict[str, list[float]] = {way: [] for way in ways}
    sums = set()
    for turn in range(repeats + 1):
        for way, run in ways.items():
            keys = start.copy()
            begun = time.perf_counter()
            sums.add(run(keys))
            if turn:
                walls[way].append((time.perf_counter() - begun) / HOLDS * 1e9)
    assert len(sums) == 1, "the queues disagree"
    return {way: statistics.median(found) for way, found in walls.items()}


def table(report: dict) -> str:
    """Markdown."""
    ways = ["binary heap", "heap of four", "calendar"]
    head = ["waits", "entries", *(f"{way}, ns" for way in ways)]
    rows = [
        [r["waits"], f"{r['entries']:,}", *(f"{r['ns'][w]:.0f}" if w in r["ns"] else "" for w in ways)]
        for r in report["runs"]
    ]
    return f"{lines(head, rows)}\n\n{provenance([report])}"


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    about = {"machine": {**machine(), "busy_cores": busy_cores()}, "versions": versions()}
    runs = [
        {"waits": f"{kind} ({WAITS[kind]})", "entries": n, "ns": one(kind, n, options.repeats)}
        for kind in WAITS
        for n in LENGTHS
    ]
    report = {"date": date.today().isoformat(), **about, "runs": runs}
    (HERE / "results" / "queues.json").write_text(json.dumps(report, indent=1) + "\n")
    readme = HERE / "README.md"
    readme.write_text(fill(readme.read_text(), "queues", table(report)))
    print(table(report))


if __name__ == "__main__":
    main()
