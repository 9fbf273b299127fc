"""What a person sees: tables, a progress bar, errors. With --json none of it, only one object."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column, Table
from rich.text import Text

from treplica import Simulation
from treplica.simulation.autosave import NAME

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

#: Columns for the label and the counts of a long run.
BESIDE_THE_BAR = 66


def print_json(data: Any) -> None:
    """One JSON object on standard output."""
    json.dump(data, sys.stdout, indent=1, default=str)
    sys.stdout.write("\n")


def print_table(title: str, rows: Iterable[tuple[str, ...]], head: tuple[str, ...] = ()) -> None:
    """A table; the first column names, the others are right-aligned if there is a head."""
    heading = Text(title, style="bold") if title else None
    table = Table(title=heading, title_justify="left", show_header=bool(head), box=None, pad_edge=False)
    rows = list(rows)
    width = len(head) or (len(rows[0]) if rows else 1)
    for column in range(width):
        justify: Any = "right" if head and column else "left"
        named = column == 0 and width > 1
        table.add_column(head[column] if head else "", justify=justify, no_wrap=named, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


class _Counts(ProgressColumn):
    """Model time, wall time and spikes."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True))

    def render(self, task: Task) -> Text:
        wall = task.elapsed or 0.0
        done = f"{task.completed:,.0f} of {task.total or 0:,.0f} ms"
        return Text(f"{done}   wall {wall:.1f} s   {task.fields['spikes']:,} spikes")


@contextmanager
def progress_bar(label: str, show: bool) -> Iterator[Any]:
    """A `report` function for Simulation.run that draws a bar, or None."""
    if not show:
        yield None
        return
    bar = BarColumn(bar_width=max(5, min(30, errors.width - BESIDE_THE_BAR)))
    columns = (TextColumn("{task.description}"), bar, _Counts())
    with Progress(*columns, console=errors, transient=False) as progress:
        task = progress.add_task(label, total=None, spikes=0)

        def report(done: float, total: float, spikes: int) -> None:
            progress.update(task, completed=done, total=total, spikes=spikes)

        yield report


def run_with_bar(
    sim: Simulation,
    duration: float,
    label: str,
    show: bool,
    checkpoint_every: float | None = None,
    checkpoint: Path | None = None,
) -> None:
    """Run with a progress bar, and with checkpoints where they are asked for.

    KeyboardInterrupt, where there is a checkpoint to go on from, says with which command.
    """
    try:
        with progress_bar(label, show) as report:
            sim.run(duration, report, checkpoint_every=checkpoint_every, checkpoint=checkpoint)
    except KeyboardInterrupt:
        if checkpoint is None:
            raise
        done = f"{sim.time:g} of {sim.time + sim.remaining:g} ms"
        raise KeyboardInterrupt(f"interrupted at {done}; {go_on_with(checkpoint)}") from None


def go_on_with(checkpoint: Path) -> str:
    """The command that goes on from a checkpoint; the folder is enough where the checkpoint has its usual name."""
    named = checkpoint.parent if checkpoint.name == NAME else checkpoint
    return f"go on with: treplica resume {shlex.quote(str(named))}"
