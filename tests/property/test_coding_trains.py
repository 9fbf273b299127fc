import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from treplica.coding import SpikeTrains, Traces
from treplica.errors import DescriptionError

STEP = st.sampled_from([0.1, 0.25, 1.0, 1 / 3])
DENSE = hnp.arrays(
    st.sampled_from([np.bool_, np.int32]),
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12),
)


@st.composite
def spike_trains(draw: st.DrawFn) -> SpikeTrains:
    return SpikeTrains.from_dense(draw(DENSE), draw(STEP), draw(st.integers(0, 10**9)))


@given(DENSE, STEP)
def test_dense_and_back(dense: np.ndarray, dt: float) -> None:
    trains = SpikeTrains.from_dense(dense, dt)
    assert np.array_equal(trains.to_dense(), dense.astype(trains.to_dense().dtype))
    assert SpikeTrains.from_dense(trains.to_dense(), dt) == trains


@given(spike_trains())
def test_times_and_back(trains: SpikeTrains) -> None:
    back = SpikeTrains.from_times(
        trains.times[::-1], trains.ids[::-1], trains.size, trains.dt, trains.duration, trains.start
    )
    assert np.array_equal(back.steps, trains.steps)
    assert np.array_equal(back.ids, trains.ids)
    assert (back.first_step, back.n_steps) == (trains.first_step, trains.n_steps)


@given(spike_trains(), st.data())
def test_parts_join_to_the_whole(trains: SpikeTrains, data: st.DataObject) -> None:
    cut = (trains.first_step + data.draw(st.integers(0, trains.n_steps))) * trains.dt
    parts = [trains.between(trains.start, cut), trains.between(cut, trains.stop)]
    assert SpikeTrains.concatenate(parts) == trains


@given(spike_trains(), st.randoms(use_true_random=False))
def test_select_is_column_choice(trains: SpikeTrains, random: object) -> None:
    chosen = random.sample(range(trains.size), (trains.size + 1) // 2)  # type: ignore[attr-defined]
    assert np.array_equal(trains.select(chosen).to_dense(), trains.to_dense()[:, chosen])
    assert np.array_equal(trains.counts(), (trains.to_dense() != 0).sum(0))


@given(spike_trains())
def test_files_keep_everything(trains: SpikeTrains) -> None:
    with tempfile.TemporaryDirectory() as folder:
        trains.save(Path(folder) / "x.h5")
        assert SpikeTrains.load(Path(folder) / "x.h5") == trains


def saved(thing: SpikeTrains | Traces) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        thing.save(Path(folder) / "x")
        return (Path(folder) / "x").read_bytes()


SPIKES = SpikeTrains.from_dense(np.arange(400).reshape(20, 20) % 7, 0.1)
TRACES = Traces(np.linspace(0, 1, 40).reshape(20, 2), np.arange(2), np.arange(20.0), "v", "mV")
FILES = {SpikeTrains: saved(SPIKES), Traces: saved(TRACES)}


def load_bytes(kind: type[SpikeTrains] | type[Traces], content: bytes) -> SpikeTrains | Traces | None:
    """Read a file of these bytes; None where it is refused. Any other exception fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(content)
        try:
            return kind.load(path)
        except DescriptionError:
            return None


@given(st.sampled_from(list(FILES)), st.integers(0, 10**6))
def test_truncated_files_are_refused(kind: type[SpikeTrains] | type[Traces], length: int) -> None:
    content = FILES[kind]
    assert load_bytes(kind, content[: length % len(content)]) is None


@given(st.sampled_from(list(FILES)), st.binary(max_size=600))
def test_random_bytes_are_refused(kind: type[SpikeTrains] | type[Traces], content: bytes) -> None:
    assert load_bytes(kind, content) is None
    assert load_bytes(kind, FILES[kind][:8] + content) is None


@given(st.sampled_from(list(FILES)), st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_is_refused(kind: type[SpikeTrains] | type[Traces], place: int, mask: int) -> None:
    content = bytearray(FILES[kind])
    content[place % len(content)] ^= mask
    assert load_bytes(kind, bytes(content)) is None
