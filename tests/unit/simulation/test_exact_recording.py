"""Spikes at exact times on their way through recorders, files and checkpoints."""

import dataclasses
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treplica as tr
from treplica.coding import SpikeTrains
from treplica.coding.seal import seal
from treplica.engines.event.snapshots import empty
from treplica.engines.plan import Injection, Plan
from treplica.engines.resolve import resolve
from treplica.engines.snapshot import Snapshot, Spikes, copy_states, pending
from treplica.errors import DescriptionError
from treplica.network import View
from treplica.network.file import to_text
from treplica.simulation import checkpoint
from treplica.simulation.checkpoint import Counts, Course, units_of
from treplica.simulation.recorders import Recorders
from treplica.simulation.recording import Kept, SpikeRecorder
from treplica.simulation.settings import Schedule, Settings
from treplica.simulation.snapshot_file import from_arrays, to_arrays
from treplica.testing.strategies import spike_trains

SIZE, DT = 6, 0.5
CELLS = tr.Population("cells", SIZE, tr.SpikeSource())
VIEWS = {"all": CELLS.view(), "odd": CELLS[1::2], "last": CELLS[[5]]}


def pieces(trains: SpikeTrains, cuts: list[int]) -> list[tuple[Spikes, int]]:
    """The spikes as an engine hands them over, with the number of steps of each piece."""
    edges = [0, *sorted(cuts), trains.n_steps]
    parts = [trains.between(a * DT, b * DT) for a, b in pairwise(edges)]
    return [(Spikes(part.steps, part.ids, part.values, part.exact), part.n_steps) for part in parts]


def recorder(
    trains: SpikeTrains, view: View, path: Path | None, budget: int, kept: Kept | None = None
) -> SpikeRecorder:
    return SpikeRecorder(view, DT, trains.values is not None, path, budget, kept, exact=True)


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("budget", [1, 2**20])
def test_what_is_recorded_is_what_there_was(
    tmp_path_factory: pytest.TempPathFactory, name: str, graded: bool, budget: int
) -> None:
    """In memory and in files, in one go or in pieces, stopped and gone on with anywhere."""
    view, spikes = VIEWS[name], 0

    @given(
        spike_trains(size=SIZE, n_steps=20, dt=DT, graded=graded, exact=True),
        st.lists(st.integers(0, 20), max_size=4),
    )
    @settings(max_examples=25)
    def check(trains: SpikeTrains, cuts: list[int]) -> None:
        nonlocal spikes
        folder = tmp_path_factory.mktemp("out")
        memory, disk = (recorder(trains, view, path, budget) for path in (None, folder / "x.h5"))
        stopped: tuple[Kept, Kept] | None = None
        given_pieces = pieces(trains, cuts)
        for number, (piece, n_steps) in enumerate(given_pieces):
            if number == len(given_pieces) // 2:
                stopped = memory.kept(), disk.kept()
            for one in (memory, disk):
                one.take(piece, n_steps)
        expected = trains.select(view.ids())
        assert memory.result() == disk.result() == SpikeTrains.load(folder / "x.h5") == expected
        assert stopped is not None
        again = (
            recorder(trains, view, None, budget, stopped[0]),
            recorder(trains, view, folder / "x.h5", budget, stopped[1]),
        )
        for one in again:
            one.go_on()
            for piece, n_steps in given_pieces[len(given_pieces) // 2 :]:
                one.take(piece, n_steps)
            assert one.result() == expected
        spikes += len(expected)

    check()
    assert spikes > 100


def test_a_recording_in_memory_may_go_on_disk(tmp_path: Path) -> None:
    trains = SpikeTrains.from_exact_times([0.3, 0.31, 2.0, 2.2], [0, 0, 1, 0], SIZE, DT, 4.0)
    (early, n_early), (late, n_late) = pieces(trains, [2])
    memory = recorder(trains, VIEWS["all"], None, 1)
    memory.take(early, n_early)
    disk = recorder(trains, VIEWS["all"], tmp_path / "x.h5", 1, memory.kept())
    disk.go_on()
    disk.take(late, n_late)
    assert disk.result() == trains


def test_budgets_count_times(tmp_path: Path) -> None:
    trains = SpikeTrains.from_exact_times([0.3, 0.31], [0, 0], SIZE, DT, 1.0)
    one = recorder(trains, VIEWS["all"], tmp_path / "x.h5", 39)
    one.take(*pieces(trains, [])[0])
    assert (one.held, one.written) == (0, 2)  # 2 · (8 + 4 + 8) bytes are more than 39
    with h5py.File(tmp_path / "x.h5") as file:
        assert file.attrs["version"] == 2
    more = recorder(trains, VIEWS["all"], tmp_path / "y.h5", 40)
    more.take(*pieces(trains, [])[0])
    assert (more.held, more.written) == (40, 0)


# Snapshots and checkpoints


def network() -> tr.Network:
    net = tr.Network(seed=3)
    cells = net.add(tr.Population("cells", SIZE, tr.SpikeSource()))
    net.connect(cells, cells, tr.OneToOne(), weight=1.0, delay=1.5)
    net.record(cells, name="spikes")
    return net


def plan() -> Plan:
    return resolve(network(), DT, 3, "float64", continuous=True)


STEP = 10
TRAINS = SpikeTrains.from_exact_times([1.7, 4.01, 4.02, 4.02, 4.9], [1, 2, 2, 3, 0], SIZE, DT, STEP * DT)
FLYING = TRAINS.between(3.5, 5.0)
GIVEN = np.array([5.1, 5.1, 5.75, 80.0])


def snapshot() -> Snapshot:
    flying = [Spikes(FLYING.steps, FLYING.ids, exact=FLYING.exact)]
    ids, amounts = np.array([0, 3, 3, 5], np.int32), np.array([1, -1, 2, 3])
    given_later = Injection(0, 0, np.array([11, 11, 12, 160]), ids, amounts, GIVEN)
    kept = {name: np.zeros_like(array) for name, array in empty(plan()).items()}
    return Snapshot(STEP, *copy_states(plan()), flying, [given_later], 17, kept)


def test_snapshots_keep_times() -> None:
    arrays = to_arrays(snapshot())
    assert {"flying/0/exact", "injections/0/times"} < {*arrays}
    found = from_arrays(plan(), arrays.__getitem__)
    for mine, other in (
        (found.flying[0], snapshot().flying[0]),
        (found.injections[0], snapshot().injections[0]),
    ):
        for field in dataclasses.fields(mine):
            assert np.array_equal(getattr(mine, field.name), getattr(other, field.name)), field.name
    assert found.flying[0].values is None


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("flying/0/exact", lambda a: a + 10.0, r"flying/0/exact\[0\] must be in the span of its step 9"),
        ("flying/0/exact", lambda a: a * np.nan, r"flying/0/exact\[0\] must be in the span"),
        ("flying/0/exact", lambda a: a[[1, 0, 2, 3]], "flying/0/exact do not ascend"),
        ("flying/0/exact", lambda a: a[:-1], r"flying/0/exact is float64\[3\]"),
        ("flying/0/exact", lambda a: a.astype("f4"), r"flying/0/exact is float32\[4\]"),
        (
            "injections/0/times",
            lambda a: a - 0.2,
            r"injections/0/times\[0\] must be in the span of its step 11",
        ),
        ("injections/0/times", lambda a: a[[2, 1, 0, 3]], "injections/0/times"),
        ("injections/0/times", lambda a: a[:-1], r"injections/0/times is float64\[3\]"),
        (
            "asynchronous/cells",
            lambda a: a[:-1],
            r"asynchronous/cells is float64\[5, 8\], not float64\[6, 8\]",
        ),
        ("asynchronous/due", lambda a: a.astype("f4"), r"asynchronous/due is float32\[6\]"),
        ("asynchronous/drives", lambda a: np.zeros((1, 2), int), r"asynchronous/drives is int64\[1, 2\]"),
    ],
)
def test_times_that_do_not_fit_are_refused(name: str, change: Callable[[Any], Any], message: str) -> None:
    arrays = to_arrays(snapshot())
    arrays[name] = change(arrays[name])
    with pytest.raises(ValueError, match=message):
        from_arrays(plan(), arrays.__getitem__)


def test_a_snapshot_belongs_to_one_kind_of_plan() -> None:
    arrays = to_arrays(snapshot())
    del arrays["flying/0/exact"]
    with pytest.raises(KeyError, match="flying/0/exact"):
        from_arrays(plan(), arrays.__getitem__)


def test_what_is_pending_keeps_its_times() -> None:
    (injection,) = snapshot().injections
    later = pending(injection, 11)
    assert later.times.tolist() == [5.75, 80.0]
    assert later.steps.tolist() == [12, 160]
    assert later.times.base is None  # what was there before need not be kept


def written(path: Path, folder: Path | None, engine: str = "event") -> Kept:
    """A checkpoint with a recording in memory, or in the folder."""
    target = folder / "spikes.h5" if folder else None
    one = recorder(TRAINS, VIEWS["all"], target, 1)
    one.take(*pieces(TRAINS, [])[0])
    kept = one.kept()
    asked = Settings(DT, engine, None, "float64", "auto", "auto", "auto", 3, folder, 2**20)
    course = Course(asked, Schedule(), Counts(0.0, [5], 1), units_of(plan()), {}, {"spikes": kept})
    checkpoint.write(path, to_text(network()), course, snapshot())
    return kept


@pytest.mark.parametrize("disk", [False, True])
def test_checkpoints_keep_times(tmp_path: Path, disk: bool) -> None:
    folder = tmp_path / "out" if disk else None
    if folder:
        folder.mkdir()
    written(tmp_path / "c", folder)
    saved = checkpoint.read(tmp_path / "c")
    recordings = saved.course.recordings
    again = Recorders(saved.plan, saved.network, folder, 2**20, recordings)
    again.go_on()
    assert again.result("spikes") == TRAINS
    assert np.array_equal(saved.snapshot.flying[0].exact, FLYING.exact)
    assert np.array_equal(saved.snapshot.injections[0].times, GIVEN)
    if disk:
        assert {*recordings["spikes"].position.digests} == {"steps", "ids", "exact"}


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "recordings/spikes/exact",
            lambda a: a + 1.0,
            r"recordings/spikes/exact\[0\] must be in the span of its",
        ),
        ("recordings/spikes/exact", lambda a: a[[0, 3, 1, 2, 4]], "recordings/spikes/exact do not ascend"),
        (
            "snapshot/flying/0/exact",
            lambda a: a - 1.0,
            r"flying/0/exact\[0\] must be in the span of its step 9",
        ),
    ],
)
def test_sealed_nonsense_is_refused(
    tmp_path: Path, name: str, change: Callable[[Any], Any], message: str
) -> None:
    written(tmp_path / "c", None)
    with h5py.File(tmp_path / "c", "r+") as file:
        array = file[name][()]
        del file[name]
        file[name] = change(array)
    seal(tmp_path / "c")
    with pytest.raises(DescriptionError, match=message):
        checkpoint.read(tmp_path / "c")


def test_a_plan_in_steps_has_no_use_for_times(tmp_path: Path) -> None:
    """As a release would see it that does not know them."""
    written(tmp_path / "c", None, "cpu")
    with pytest.raises(DescriptionError, match="the recording spikes has the arrays steps, ids, exact"):
        checkpoint.read(tmp_path / "c")
