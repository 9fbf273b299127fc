"""What the pictures show is read back from the figures; how they look is for the eye."""

import sys
from pathlib import Path

import numpy as np
import pytest

from treplica.analysis import (
    isi_histogram,
    isi_plot,
    population_rate,
    raster,
    rate_plot,
    spectrum_plot,
    trace_plot,
)
from treplica.analysis.style import round_bin
from treplica.coding import SpikeTrains, Traces, poisson
from treplica.errors import InvalidValue, MissingExtra, OutputError

SPIKES = poisson(np.linspace(0.1, 1.0, 40), 60.0, 1000.0, seed=1)
SAMPLES = np.sin(np.arange(300.0))[:, None] * np.arange(1.0, 11.0)
TRACES = Traces(SAMPLES, np.arange(10) * 7, np.arange(1, 301) * 0.5, "v", "mV")


def texts(figure: object) -> str:
    """All words in a figure."""
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in figure.findobj(Text))  # type: ignore[attr-defined]


def test_raster_marks_every_spike() -> None:
    figure = raster(SPIKES, title="A title")
    above, below = figure.axes
    (marks,) = above.collections
    assert np.array_equal(marks.get_offsets(), np.stack([SPIKES.times, SPIKES.ids], axis=1))
    (steps,) = below.patches
    assert np.array_equal(steps.get_data().values, population_rate(SPIKES, 5.0)[1])
    assert steps.get_data().edges[-1] == pytest.approx(1000.0)
    for part in (
        "A title",
        "40 neurons",
        f"{len(SPIKES):,} spikes",
        "bins of 5 ms",
        "time (ms)",
        "rate (Hz)",
    ):
        assert part in texts(figure)
    assert len(raster(SPIKES, rate=False).axes) == 1


def test_rasters_and_intervals_are_at_exact_times() -> None:
    times, ids = np.random.default_rng(1).uniform(0.0, 100.0, 300), np.arange(300) % 5
    trains = SpikeTrains.from_exact_times(times, ids, 5, 1.0, 100.0)
    (marks,) = raster(trains).axes[0].collections
    assert np.array_equal(np.sort(marks.get_offsets()[:, 0]), np.sort(times))
    (bars,) = isi_plot(trains, bin=2.0).axes[0].patches
    edges = bars.get_data().edges
    found = np.concatenate([np.diff(np.sort(times[ids == neuron])) for neuron in range(5)])
    assert np.array_equal(bars.get_data().values, np.histogram(found, edges)[0])


def test_raster_of_many_spikes_is_an_image_of_their_density() -> None:
    trains = poisson(np.linspace(0.0, 1.0, 1000), 100.0, 2000.0, seed=1)
    assert len(trains) > 90_000
    figure = raster(trains)
    assert not figure.axes[0].collections
    (image,) = figure.axes[0].images
    grey = np.asarray(image.get_array())
    assert image.get_extent() == [0.0, 2000.0, -0.5, 999.5]
    assert grey.min() == 0.0
    assert grey.max() == 1.0
    assert grey[-50:].mean() > 2 * grey[:50].mean() > 0  # rates grow with the id, upwards
    # each cell with a spike can be seen
    rows, columns = grey.shape
    row, column = trains.ids.astype(int) * rows // 1000, (trains.steps - 1) * columns // 2000
    filled = np.zeros(grey.shape, bool)
    filled[row, column] = True
    assert np.array_equal(grey >= 0.15, filled)


def test_raster_of_some_neurons_keeps_their_ids() -> None:
    figure = raster(SPIKES, max_neurons=4)
    heights = np.unique(np.asarray(figure.axes[0].collections[0].get_offsets())[:, 1])
    assert heights.tolist() == [0, 13, 26, 39]
    assert "4 of 40 neurons shown" in texts(figure)


def test_raster_of_silence_and_of_long_recordings() -> None:
    silent = SpikeTrains.from_times([], [], 5, 1.0, 20_000.0)
    figure = raster(silent)
    assert "time (s)" in texts(figure)
    assert figure.axes[0].get_xlim() == (0.0, 20.0)
    with pytest.raises(InvalidValue, match="duration"):
        raster(silent.between(5.0, 5.0))


def test_trace_plot_has_a_row_per_neuron() -> None:
    figure = trace_plot(TRACES, max_neurons=4, title="Potentials")
    assert len(figure.axes) == 4
    for ax, column in zip(figure.axes, (0, 3, 6, 9), strict=True):
        (line,) = ax.lines
        assert np.array_equal(line.get_ydata(), SAMPLES[:, column])
        assert np.array_equal(line.get_xdata(), TRACES.times)
    for part in ("neuron 63", "v (mV)", "Potentials"):
        assert part in texts(figure)
    assert figure.axes[0].get_xlim() == (0.0, 150.0)
    one = Traces(SAMPLES[:1], np.arange(10), np.array([3.0]), "v", "1")
    assert trace_plot(one).axes[0].get_xlim() == (2.0, 3.0)
    with pytest.raises(InvalidValue, match="at least one sample"):
        trace_plot(Traces(SAMPLES[:0], np.arange(10), np.zeros(0), "v", "mV"))


def test_isi_plot_shows_the_histogram() -> None:
    figure = isi_plot(SPIKES, bin=2.0)
    (steps,) = figure.axes[0].patches
    shown = steps.get_data()
    assert np.array_equal(shown.values, isi_histogram(SPIKES, 2.0, float(shown.edges[-1]))[1])
    assert "mean CV 0.9" in texts(figure)
    assert "% beyond" in texts(figure)
    pair = SpikeTrains.from_times([1.0, 2.0], [0, 0], 1, 1.0, 5.0)
    assert "1 intervals, mean 1 ms" in texts(isi_plot(pair))
    with pytest.raises(InvalidValue, match="spikes twice"):
        isi_plot(pair.between(0.0, 1.0))


def test_rate_plot_counts_every_neuron() -> None:
    for trains, bins in ((SPIKES, None), (SPIKES, 3), (SPIKES, 1000), (SPIKES.between(0.0, 1.0), None)):
        (steps,) = rate_plot(trains, bins=bins).axes[0].patches
        assert steps.get_data().values.sum() == 40
        assert bins is None or len(steps.get_data().values) <= bins
    assert "0.0% silent" in texts(rate_plot(SPIKES))


def test_spectrum_plot_marks_the_peak() -> None:
    times = np.arange(4000.0)
    figure = spectrum_plot(1 + np.sin(2 * np.pi * 25 * times / 1000), highest=100.0)
    line, peak = figure.axes[0].lines
    assert line.get_xdata().tolist() == list(range(1, 101))
    assert peak.get_xdata().tolist() == [25.0]
    assert "peak at 25 Hz, resolution 1 Hz" in texts(figure)
    assert "Hz² / Hz" in texts(spectrum_plot(SPIKES, segment=500.0))
    spectrum_plot(np.zeros(1000))
    with pytest.raises(InvalidValue, match="highest"):
        spectrum_plot(times, highest=0.5)


@pytest.mark.parametrize("suffix", ["png", "PDF", "svg"])
def test_files_are_written_by_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.{suffix}"
    raster(SPIKES, path)
    assert path.read_bytes()[:5] in (b"\x89PNG\r", b"%PDF-", b"<?xml")
    assert list(tmp_path.iterdir()) == [path]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        raster(SPIKES, tmp_path / "absent" / "x.png")
    for name in ("x", "x.doc"):
        with pytest.raises(InvalidValue, match=r"a file name that ends in one of .*pdf, .*png"):
            raster(SPIKES, tmp_path / name)


def test_pictures_leave_matplotlib_alone(tmp_path: Path) -> None:
    import matplotlib

    before = matplotlib.rcParams.copy()  # a plain dict() of them would choose a backend
    loaded = "matplotlib.pyplot" in sys.modules
    trace_plot(TRACES, tmp_path / "x.png")
    assert matplotlib.rcParams.copy() == before
    assert ("matplotlib.pyplot" in sys.modules) == loaded


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"treplica\[plot\]"):
        raster(SPIKES)


@pytest.mark.parametrize(
    ("span", "dt", "width"), [(1000.0, 1.0, 5.0), (1000.0, 0.1, 5.0), (100.0, 1.0, 1.0), (2e6, 0.3, 9999.9)]
)
def test_round_bins_are_whole_steps(span: float, dt: float, width: float) -> None:
    assert round_bin(span, 250 if span < 1e6 else 200, dt) == pytest.approx(width)
