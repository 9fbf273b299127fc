"""Products with spikes beside dense products: at which share of non-zero entries both take the same time.

    python benchmarks/products.py [--inputs 256 1024] [--rows 8000]

What decides `DENSEST` in `treplica.learning.sparse.op`: the entries are found, then multiplied (forward), or found and
multiplied transposed (the gradient of the weights). Milliseconds, medians of nine.
"""

import argparse
import statistics
import time

import torch
from tables import lines, number

from treplica.learning.sparse.product import entries_of, times, transposed_times


def median_ms(call) -> float:
    """Milliseconds of a call, the median of nine after one that is not counted."""
    call()
    found = []
    for _ in range(9):
        started = time.perf_counter()
        call()
        found.append(1e3 * (time.perf_counter() - started))
    return statistics.median(found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--rows", type=int, default=8000)
    options = parser.parse_args()
    random, rows = torch.Generator().manual_seed(1), []
    for n in options.inputs:
        weights, gradient = (
            torch.randn(n, n, generator=random),
            torch.randn(options.rows, n, generator=random),
        )
        for share in (0.02, 0.05, 0.125, 0.25):
            x = torch.empty(options.rows, n).bernoulli_(share, generator=random)
            entries = entries_of(x)
            found = median_ms(lambda x=x: entries_of(x))
            forward = median_ms(lambda e=entries, w=weights: times(e, w, None))
            back = median_ms(lambda e=entries, g=gradient, n=n: transposed_times(e, g, n))
            dense = median_ms(lambda x=x, w=weights: x @ w), median_ms(lambda x=x, g=gradient: x.t() @ g)
            figures = (found + forward, dense[0], found + back, dense[1])
            rows.append([f"{n:,}", f"{100 * share:g}", *map(number, figures)])
    head = ["inputs, outputs", "not zero, %", "forward, ms", "dense", "gradient of the weights, ms", "dense"]
    print(lines(head, rows))


if __name__ == "__main__":
    main()
