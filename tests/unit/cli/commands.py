"""Calling the command line inside the test's own process."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from treplica.cli.main import main

NETWORK = """
import treplica as tr

network = tr.Network(seed=3)
mesh = network.add(tr.Population("mesh", 30, tr.Izhikevich.regular_spiking()))
network.connect(mesh, mesh, tr.WattsStrogatz(k=4, p=0.1), weight=8.0, delay=1.0)
network.stimulate(mesh, tr.GaussianCurrent(std=20.0))
network.record(mesh, name="heard")
"""


@dataclass
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON object."""
        return json.loads(self.out)


class Terminal:
    """Runs commands and catches what they print."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: object) -> Done:
        self.capsys.readouterr()
        status = main([str(a) for a in arguments])
        return Done(status, *self.capsys.readouterr())


def written(folder: Path, text: str = NETWORK, name: str = "net.py") -> Path:
    """A file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
