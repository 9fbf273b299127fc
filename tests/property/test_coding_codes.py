import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from treplica.coding import latency, latency_decode, resize

UNIT = st.floats(0.0, 1.0)
FRAMES = hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 6)), elements=UNIT)


@given(FRAMES, st.integers(2, 200), st.integers(0, 5), st.sampled_from([0.1, 1.0]), st.floats(0.0, 0.9))
def test_linear_decoding_errs_by_half_a_step_at_most(
    frames: np.ndarray, window: int, gap: int, dt: float, cut: float
) -> None:
    timing = {"window": window * dt, "gap": gap * dt, "cut": cut}
    decoded = latency_decode(latency(frames, dt=dt, **timing), **timing)
    heard = frames > cut
    assert (decoded[~heard] == 0.0).all()
    assert (np.abs(decoded - frames)[heard] <= 0.5 / (window - 1) + 1e-9).all()


@given(FRAMES, st.integers(2, 200), st.floats(0.01, 0.9), st.one_of(st.none(), st.floats(1.0, 100.0)))
def test_logarithmic_decoding_errs_by_half_a_step_in_time_at_most(
    frames: np.ndarray, window: int, cut: float, tau: float | None
) -> None:
    trains = latency(frames, float(window), cut=cut, law="logarithmic", tau=tau)
    decoded = latency_decode(trains, float(window), cut=cut, law="logarithmic", tau=tau, silent=-1.0)

    def time(value: np.ndarray) -> np.ndarray:
        """Exact time in steps, from the module's formula."""
        law = np.log(value / (value - cut))
        if tau is not None:
            return np.maximum(law * tau, 1.0)
        low, high = np.log(1.0 / (1.0 - cut)), np.log((cut + (1.0 - cut) / 255.0) / ((1.0 - cut) / 255.0))
        return 1.0 + (window - 1.0) * (np.minimum(law, high) - low) / (high - low)

    heard = decoded >= 0.0
    assert (frames[heard] > cut).all()
    assert (np.abs(time(decoded[heard]) - time(frames[heard])) <= 0.5 + 1e-6).all()
    if tau is None:
        assert (heard == (frames > cut)).all()


@given(FRAMES, st.integers(2, 60), st.sampled_from(["linear", "logarithmic"]))
def test_larger_values_never_come_later(frames: np.ndarray, window: int, law: str) -> None:
    trains = latency(frames[0], float(window), cut=0.1, law=law)  # type: ignore[arg-type]
    order = np.argsort(trains.times, kind="stable")
    values, times = frames[0][trains.ids[order]], trains.times[order]
    later, earlier = np.meshgrid(np.arange(len(times)), np.arange(len(times)))
    assert (values[earlier] >= values[later])[times[earlier] < times[later]].all()


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)), elements=UNIT),
    st.integers(1, 12),
    st.integers(1, 12),
)
def test_resize_keeps_bounds_and_when_shrinking_means(images: np.ndarray, height: int, width: int) -> None:
    resized = resize(images, height, width)
    assert resized.shape == (len(images), height, width)
    assert resized.min() >= images.min() - 1e-12
    assert resized.max() <= images.max() + 1e-12
    if height <= images.shape[1] and width <= images.shape[2]:
        assert np.allclose(resized.mean((1, 2)), images.mean((1, 2)))
    assert np.allclose(resize(images, *images.shape[1:]), images, atol=1e-12)
