"""What is written about a training while it runs: lines of JSON and, where it is asked for, TensorBoard's files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from treplica.coding.files import replacing
from treplica.errors import DescriptionError, MissingExtra, OutputError

NAME = "log.jsonl"
"""The log of a folder of results."""

Record = dict[str, Any]


class Log:
    """The log of a folder: a line that begins, one for each epoch, and one that ends.

    tensorboard: whether the numbers of each epoch go into TensorBoard's event files too; raises `MissingExtra` where
    the package is absent.
    """

    def __init__(self, folder: Path, tensorboard: bool = False) -> None:
        self.path = folder / NAME
        self._board = tensorboard_writer() if tensorboard else None
        self._writer: Any = None

    def begin(self, header: Record, records: Sequence[Record]) -> None:
        """Write what was logged until now, in the place of what a killed process may have left."""
        lines = [_line({"event": "begin", **header}), *(_line(_epoch(r)) for r in records)]
        with replacing(self.path, alone=True) as beside:
            beside.write_text("".join(lines), encoding="utf-8")
        if self._board is not None:
            self._writer = self._board(str(self.path.parent), purge_step=len(records) + 1)

    def add(self, record: Record) -> None:
        """Append an epoch."""
        self._append(_epoch(record))
        if self._writer is not None:
            for name, value in record.items():
                if name != "epoch":
                    self._writer.add_scalar(name, value, record["epoch"])
            self._writer.flush()

    def end(self, record: Record) -> None:
        """Append how it ended."""
        self._append({"event": "end", **record})
        if self._writer is not None:
            self._writer.close()

    def _append(self, record: Record) -> None:
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(_line(record))
        except OSError as problem:
            raise OutputError(
                self.path, f"cannot be written ({problem})", "Check space and permissions."
            ) from None


def read_log(path: Path) -> list[Record]:
    """The records of a log, the beginning first."""
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except FileNotFoundError:
        raise DescriptionError(path, "there is no such file") from None
    except ValueError:
        raise DescriptionError(path, "is not a log of a training, or its last line is cut off") from None


def curves(records: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    """One number of each epoch, NaN where an epoch lacks it."""
    return [float(record.get(name, math.nan)) for record in records]


def _epoch(record: Record) -> Record:
    return {"event": "epoch", **record}


def _line(record: Record) -> str:
    return json.dumps(record) + "\n"


def tensorboard_writer() -> Any:
    """The class that writes TensorBoard's files. Raises `MissingExtra` where the package is absent."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingExtra("tensorboard", "tensorboard", "Writing TensorBoard's files") from None
    return SummaryWriter
