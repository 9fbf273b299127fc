"""Whatever is in the file: a checkpoint is loaded, or refused with an error that names it; nothing else happens.

`test_checkpoint_files.py` changes bytes and lengths at random; here are all of the places that are few, files that were
never checkpoints, and texts that were altered and sealed again.
"""

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tallies import relays, trains

import treplica as tr
from treplica.coding.seal import _MARK, _SIGNATURE, BLOCK, seal
from treplica.errors import DescriptionError


def network() -> tuple[tr.Network, tr.Population]:
    """Two relays, the second behind the first, and a cell whose voltage is recorded."""
    net, relay = relays(2)
    net.connect(relay[:1], relay[1:], tr.AllToAll(), weight=1.0, delay=4.0)
    net.record(net.add(tr.Population("cell", 1, tr.LIF())), "v", name="state")
    return net, relay


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small checkpoint, with spikes on their way, some of them fed, and recordings in memory."""
    path = tmp_path_factory.mktemp("saved") / "c"
    net, relay = network()
    sim = tr.Simulation(net, dt=1.0, engine="plain", quiet=True)
    sim.feed(relay, trains([2.0, 9.0], [12.0]))
    sim.run(4.0)
    sim.save(path)
    return path


def problem(path: Path) -> str:
    """What is said about a file; it must be named first."""
    with pytest.raises(DescriptionError, match=re.escape(f"{path}: ")) as caught:
        tr.Simulation.load(path, quiet=True)
    assert caught.value.path == str(path)
    return caught.value.problem


def test_every_byte_of_the_seal_counts(saved: Path, tmp_path: Path) -> None:
    """And of the beginning of HDF5 behind it; all others are below the same checksum."""
    whole, path = saved.read_bytes(), tmp_path / "c"
    seen: Counter[str] = Counter()
    for at in range(BLOCK + 128):
        changed = bytearray(whole)
        changed[at] ^= 1 << at % 8
        path.write_bytes(changed)
        seen[re.sub("[0-9a-f]{8}…", "…", problem(path))] += 1
    assert seen["is not an HDF5 file of Treplica, or is damaged at its beginning"] == len(_MARK)
    assert seen["is damaged: its checksum is …, its seal says …"] >= 64 + 128
    assert all("damaged" in said for said in seen)


def test_lengths(saved: Path, tmp_path: Path) -> None:
    """Cut within the seal, just behind it, and in 300 places of the rest; and longer than it was."""
    whole, path = saved.read_bytes(), tmp_path / "c"
    for length in [*range(BLOCK + 16), *range(BLOCK + 16, len(whole), len(whole) // 300)]:
        path.write_bytes(whole[:length])
        said = problem(path)
        assert said.startswith(
            ("is cut off or", "is damaged: ", "is not an HDF5 file of Treplica, or is damaged")
        )
    for more in (b"\0", b"\n", bytes(4096), whole):
        path.write_bytes(whole + more)
        assert problem(path).startswith(f"is cut off or damaged: it has {len(whole + more)} bytes")


@given(
    content=st.one_of(
        st.binary(max_size=2000),
        st.text(max_size=500).map(str.encode),
        st.binary(max_size=600).map(lambda tail: _MARK + tail),
        st.binary(max_size=600).map(lambda tail: _MARK.ljust(BLOCK, b"\0") + tail),
        st.binary(max_size=600).map(lambda tail: bytes(BLOCK) + _SIGNATURE + tail),
        st.binary(max_size=600).map(lambda tail: _SIGNATURE + tail),
    )
)
@settings(max_examples=300)
def test_any_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    assert problem(path)


def test_other_files_of_treplica_are_refused(saved: Path, tmp_path: Path) -> None:
    """Sealed or growing recordings, and a sealed HDF5 file of nobody."""
    net, _ = network()
    sim = tr.Simulation(net, dt=1.0, engine="plain", record_to=tmp_path / "out", quiet=True)
    sim.run(5.0)
    for _ in range(2):
        for file in ("spikes.h5", "state.h5"):
            assert re.match("is not a(n HDF5| treplica-checkpoint) file", problem(tmp_path / "out" / file))
        sim.close()
    with h5py.File(tmp_path / "h", "w", userblock_size=BLOCK) as file:
        file["x"] = np.arange(3)
    assert problem(tmp_path / "h").startswith("is not an HDF5 file of Treplica")
    seal(tmp_path / "h")
    assert problem(tmp_path / "h") == "is not a treplica-checkpoint file (its format attribute is None)"


@pytest.mark.parametrize("version", [0, 2, 10**6, "1.5"])
def test_other_versions_are_named(saved: Path, tmp_path: Path, version: Any) -> None:
    path = tmp_path / "c"
    path.write_bytes(saved.read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = version
    seal(path)
    assert problem(path) == f"is a treplica-checkpoint file of version {version}, not 1"


# Texts that were altered and sealed again

#: What may stand where something else is expected.
ODD = [
    None,
    True,
    -1,
    0,
    1,
    2**40,
    2**80,
    0.5,
    -1e308,
    float("nan"),
    float("inf"),
    "",
    "x",
    [],
    [0],
    {},
    {"a": 1},
]


def places(tree: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a tree of dictionaries and lists."""
    branches = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, branch in branches:
        yield (*at, key)
        yield from places(branch, (*at, key))


def altered(about: Any, place: tuple[Any, ...], odd: Any) -> Any:
    """The tree with something else at a place; with nothing there, where that is `KeyError`."""
    changed = copy.deepcopy(about)
    branch = changed
    for key in place[:-1]:
        branch = branch[key]
    if odd is KeyError:
        del branch[place[-1]]
    else:
        branch[place[-1]] = odd
    return changed


#: Places where something else may be right as well: a number in a range, or a list with fewer.
FREE = ("settings/record_to", "settings/threads", "settings/seed", "settings/memory_budget", "settings/dt",
        "schedule/", "counts/wall_s", "counts/spikes/", "counts/busiest", "fed")  # fmt: skip


def test_texts_that_were_altered_are_refused_or_can_be_run(saved: Path, tmp_path: Path) -> None:
    """Every entry of settings, counts and positions, without it and with everything that it might be instead."""
    path = tmp_path / "c"
    with h5py.File(saved) as file:
        about = json.loads(file["about"][()].tobytes())
    seen: Counter[str] = Counter()
    for place in places(about):
        name = "/".join(map(str, place))
        for odd in (KeyError, *ODD):
            retold = altered(about, place, odd)
            path.write_bytes(saved.read_bytes())
            with h5py.File(path, "r+") as file:
                del file["about"]
                file["about"] = np.frombuffer(json.dumps(retold).encode(), np.uint8)
            seal(path)
            if name.startswith(FREE):
                seen[name] += runs(path)
            elif retold != about:
                assert not runs(path), (name, odd)
                seen["refused"] += 1
    assert seen["refused"] > 400
    assert 20 < seen.total() - seen["refused"] < 150


def runs(path: Path) -> bool:
    """Whether a file is loaded; then it can be run and looked at."""
    try:
        sim = tr.Simulation.load(path, quiet=True)
    except DescriptionError as error:
        named = error.path
    else:
        sim.run(1.0)
        return sim.summary().model_s > 0.0 and all(str(sim[probe]) for probe in sim.network.probes)
    assert named == str(path)
    return False
