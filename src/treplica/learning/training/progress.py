"""What a person sees of a training: a bar with accuracy, loss and spikes, and a line for each epoch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from treplica.learning.training.logs import Record


class Silent:
    """Shows nothing."""

    def batch(self, done: int, figures: Record) -> None:
        """Nothing."""

    def epoch(self, record: Record) -> None:
        """Nothing."""


class Bar:
    """A bar of rich on standard error."""

    def __init__(self, progress: Any, task: Any) -> None:
        self._progress, self._task = progress, task

    def batch(self, done: int, figures: Record) -> None:
        """So many batches of all epochs are done."""
        shown = f"loss {figures['loss']:.3f}  accuracy {figures['accuracy']:.1%}"
        shown += f"  {figures['spikes_per_sample']:,.0f} spikes a sample"
        self._progress.update(self._task, completed=done, figures=shown)

    def epoch(self, record: Record) -> None:
        """Print a line above the bar."""
        self._progress.console.print(sentence(record), markup=False)


@contextmanager
def showing(label: str, batches: int, done: int, show: bool | None) -> Iterator[Silent | Bar]:
    """A bar over the batches of all epochs; show: None where standard output is a terminal."""
    if not (sys.stdout.isatty() if show is None else show):
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Rich

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    console = Console(stderr=True, highlight=False)
    with Rich(*columns, console=console, transient=True) as progress:
        task = progress.add_task(label, total=batches, completed=done, figures="")
        yield Bar(progress, task)


def sentence(record: Record) -> str:
    """An epoch in a line."""
    parts = [f"loss {record['loss']:.4f}", f"accuracy {record['accuracy']:.2%}"]
    if "validation_accuracy" in record:
        parts.append(f"validation {record['validation_accuracy']:.2%}")
    parts += [f"{record['spikes_per_sample']:,.1f} spikes a sample", f"{record['train_s']:.1f} s of training"]
    return f"epoch {record['epoch']}: {', '.join(parts)}"
