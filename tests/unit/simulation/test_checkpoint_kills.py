"""A run that is killed at any moment goes on from its last checkpoint, and gives the same spikes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def kills(*arguments: object) -> dict[str, Any]:
    """What `kills.py` says, which has compared all recordings."""
    done = subprocess.run(
        [sys.executable, HERE / "kills.py", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_killed_at_random_times(tmp_path: Path) -> None:
    """At least 30 times, at many steps, while it computes, writes recordings and writes checkpoints."""
    found = kills("times", tmp_path, 1)
    steps = [(kill["run"], kill["step"]) for kill in found["kills"]]
    assert len(steps) >= 30
    reached = [step for step in steps if step[1] is not None]
    assert reached == sorted(reached)
    assert found["spikes"] > 100


def test_killed_at_every_call_that_changes_a_file(tmp_path: Path) -> None:
    """Before each write, sync, rename and removal, and in the middle of each write of a recording."""
    found = kills("calls", tmp_path)
    assert len(found["kills"]) > 40  # a checkpoint takes 4 calls, and before the last two 18 go to recordings
    assert {kill["step"] for kill in found["kills"]} == {None, 0, 3, 6}
    assert any(kill["unfinished"] for kill in found["kills"])
    assert any(kill["journal"] for kill in found["kills"])
    assert found["spikes"] > 0
