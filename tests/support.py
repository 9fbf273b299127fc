"""Where tests find data that is too large for the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def shared_data(*parts: str) -> Path:
    """Path of shared reference data, such as ("mnist",); skips the test with the reason where it is absent.

    The folder is `$TREPLICA_SHARED` or `shared` beside the checkout; its data lie under `data/`.
    """
    root = Path(os.environ.get("TREPLICA_SHARED") or REPOSITORY.parent / "shared")
    path = root.joinpath("data", *parts)
    if not path.exists():
        pytest.skip(f"needs the reference data {path} (set TREPLICA_SHARED to the folder that holds data/)")
    return path
