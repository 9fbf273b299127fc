"""How far a download is: told to a function, or drawn in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[str, int, int | None], object]
"""Called with the name of a file, the bytes that are there, and the bytes of the whole file where they are known."""


@contextmanager
def showing(report: Report | None) -> Iterator[Report]:
    """The given report; without one a bar on standard error where that is a terminal, else silence."""
    if report is not None:
        yield report
        return
    if not sys.stderr.isatty():
        yield lambda file, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("downloading", total=None)
        yield lambda file, done, total: progress.update(
            task, description=f"downloading {file}", completed=done, total=total
        )
