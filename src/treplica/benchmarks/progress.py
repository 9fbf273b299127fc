"""What goes on in a benchmark that takes minutes, on standard error."""

from __future__ import annotations

import sys
import time

#: Seconds between two lines about a run.
QUIET_S = 10.0


class Progress:
    """Lines that begin with the name of the benchmark; none where nobody has to wait for long."""

    def __init__(self, name: str, wanted: bool) -> None:
        self.name, self.wanted = name, wanted

    def say(self, text: str) -> None:
        """One line."""
        if self.wanted:
            print(f"{self.name}: {text}", file=sys.stderr, flush=True)

    def of(self, label: str) -> _Run:
        """What `Simulation.run` calls as it goes."""
        return _Run(self, label)


class _Run:
    """A line every ten seconds."""

    def __init__(self, progress: Progress, label: str) -> None:
        self.progress, self.label, self.last = progress, label, time.perf_counter()

    def __call__(self, done: float, total: float, spikes: int) -> None:
        """What Simulation.run reports: ms done, ms of this run, spikes so far."""
        now = time.perf_counter()
        if now - self.last >= QUIET_S:
            self.last = now
            self.progress.say(f"{self.label}, {done:,.0f} of {total:,.0f} ms of model time")
