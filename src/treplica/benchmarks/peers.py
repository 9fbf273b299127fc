"""Running a peer's side of a benchmark, in the peer's own environment.

A peer's script under `peers/` imports nothing of Treplica: it takes its settings as one JSON argument and prints
one JSON object as its last line. NEST runs in this environment; Brian2 needs an older numpy and has one of its own,
and so have the libraries on PyTorch, whose requirements are many.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from treplica.errors import MissingExtra, SimulationError, UnknownName

_ON_TORCH = ("TREPLICA_TORCH_PEERS_PYTHON", Path("benchmarks/.envs/torch/bin/python"))
#: Peers with an environment of their own: made by `make peers`, or named by the variable.
OWN_ENVIRONMENT = {
    "brian2": ("TREPLICA_BRIAN2_PYTHON", Path("benchmarks/.envs/brian2/bin/python")),
    **dict.fromkeys(("reference", "snntorch", "spikingjelly", "norse"), _ON_TORCH),
}
PACKAGE = {"nest": "nest-simulator", "reference": "torch"}


def check_peer(benchmark: str, peer: str) -> tuple[str, Path]:
    """The Python that has the peer, and its script; raises where one of them is absent."""
    folder = Path(__file__).parent / "peers"
    known = sorted(p.stem.removeprefix(f"{benchmark}_") for p in folder.glob(f"{benchmark}_*.py"))
    if peer not in known:
        raise UnknownName(f"peer of the benchmark {benchmark}", peer, known)
    script = folder / f"{benchmark}_{peer}.py"
    if peer not in OWN_ENVIRONMENT:
        if find_spec(peer) is None:
            raise MissingExtra(PACKAGE.get(peer, peer), "dev", f"The comparison with {peer}")
        return sys.executable, script
    variable, default = OWN_ENVIRONMENT[peer]
    chosen = Path(os.environ.get(variable, default))
    if not chosen.exists():
        raise SimulationError(
            f"{peer} needs an environment of its own: {chosen} does not exist. "
            f"Make it with `make peers`, or set {variable} to a Python that has {PACKAGE.get(peer, peer)}."
        )
    return str(chosen), script


def run_peer(
    benchmark: str, peer: str, settings: dict[str, Any], limit_s: float | None = None
) -> dict[str, Any]:
    """What the peer measured: {"figures": {...}, "version": "..."}; limit_s: seconds after which it has failed."""
    python, script = check_peer(benchmark, peer)
    command = [python, str(script), json.dumps(settings)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit_s)
    except subprocess.TimeoutExpired:
        raise SimulationError(f"{peer} failed in the benchmark {benchmark}: over {limit_s:g} s") from None
    if done.returncode != 0:
        last = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise SimulationError(f"{peer} failed in the benchmark {benchmark}: {last}")
    last = done.stdout.strip().rpartition("\n")[2]
    try:
        result: dict[str, Any] = json.loads(last)
    except ValueError:
        said = f"it printed no figures but {last!r}"
        raise SimulationError(f"{peer} failed in the benchmark {benchmark}: {said}") from None
    return result
