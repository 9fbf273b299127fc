"""A training that is killed again and again; prints what happened as JSON. For a process of its own: it forks.

python training_kills.py times FOLDER SEED   killed after random times, resumed after each, until there are many kills
python training_kills.py calls FOLDER        killed at each of its calls that change a file, and resumed after each

Everything on one thread: a child has none of the threads of its parent. Nothing waits for the disk.
"""

import itertools
import json
import os
import random
import shutil
import sys
from pathlib import Path
from typing import Any

from crashes import killed_after, killed_at
from small_trainings import SETTINGS, inputs, trainer, unmeasured, weights

from treplica.learning.training.checkpoints import NAME, load_checkpoint, unfinished
from treplica.learning.training.logs import read_log

TRAIN, VALIDATION = inputs(), inputs(30, seed=2)
#: Kills at least, and places where they happened.
ENOUGH, PLACES = 25, 8


def go(out: Path, epochs: int) -> None:
    """Begin, or go on where the last checkpoint is, up to the end."""
    begun = (out / NAME).exists()
    settings = SETTINGS.but(epochs=epochs, choose="best")
    found = trainer(settings, folder=out, checkpoint_every=0.0)
    found.fit(TRAIN, VALIDATION, resume=begun)
    (out / "weights.json").write_text(json.dumps(weights(found.module)))


def outcome(out: Path) -> Any:
    """The weights that training gave, and the log without what is measured."""
    return json.loads((out / "weights.json").read_text()), [
        unmeasured(r) for r in read_log(out / "log.jsonl")
    ]


def look(out: Path) -> dict[str, Any]:
    """What a killed training left: a checkpoint that can be read, or none yet."""
    left = {"unfinished": unfinished(out / NAME).exists(), "place": None}
    if (out / NAME).exists():
        left["place"] = load_checkpoint(out / NAME)["position"]
    return left


def times(folder: Path, seed: int) -> dict[str, Any]:
    """Whole trainings until there are enough kills. Without progress there is more time to the next kill, else less."""
    go(folder / "whole", 6)
    expected, kills = outcome(folder / "whole"), []
    delays, longest, runs = random.Random(seed), 0.2, 0
    while len(kills) < ENOUGH or len({str(k["place"]) for k in kills}) < PLACES:
        out, before = folder / str(runs), None
        runs += 1
        while killed_after(delays.uniform(0.0, longest), lambda: go(out, 6)):  # noqa: B023
            kills.append(look(out))
            longest *= 1.4 if kills[-1]["place"] == before else 0.9
            before = kills[-1]["place"]
        longest *= 0.9
        assert outcome(out) == expected
        shutil.rmtree(out)
    return {"kills": kills, "epochs": len(expected[1]) - 2}


def calls(folder: Path) -> dict[str, Any]:
    """Short trainings, each killed once, at the n-th call."""
    go(folder / "whole", 1)
    expected, kills = outcome(folder / "whole"), []
    for number in itertools.count():
        out = folder / str(number)
        if not killed_at(number, lambda: go(out, 1)):  # noqa: B023
            assert outcome(out) == expected
            return {"kills": kills, "epochs": len(expected[1]) - 2}
        kills.append(look(out))
        go(out, 1)
        assert outcome(out) == expected
    raise AssertionError


if __name__ == "__main__":
    os.fsync = lambda _: None
    given = sys.argv[1:]
    print(json.dumps(times(Path(given[1]), int(given[2])) if given[0] == "times" else calls(Path(given[1]))))
