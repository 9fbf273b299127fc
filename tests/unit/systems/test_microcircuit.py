"""The microcircuit as a network: what is described, and a small one that runs."""

import math
from pathlib import Path

import numpy as np
import pytest

import treplica as tr
from treplica.errors import InvalidValue
from treplica.systems.microcircuit import POPULATIONS, ThalamicPulse, microcircuit
from treplica.systems.microcircuit_picture import microcircuit_picture


def projection(net: tr.Network, name: str) -> tr.Projection:
    (found,) = [p for p in net.projections if p.name == name]
    return found


def test_the_whole_network_is_described() -> None:
    net = microcircuit()
    assert tuple(p.name for p in net.populations) == POPULATIONS
    assert sum(p.size for p in net.populations) == 77_169
    assert sum(p.rule.n for p in net.projections) == 298_880_968  # type: ignore[attr-defined]
    assert len(net.projections) == 55  # nine pairs have none
    assert [s.name for s in net.stimuli] == [f"{name}_poisson" for name in POPULATIONS]
    neuron = net.population("L5I").neuron
    wanted = dict(v_rest=-65.0, v_reset=-65.0, v_th=-50.0, c_m=250.0, tau=10.0, tau_syn=0.5, refractory=2.0)
    assert {name: neuron.value(name) for name in wanted} == wanted
    assert neuron.values["v"] == tr.Normal(-61.66, 4.55)


def test_weights_have_one_sign_and_delays_at_least_a_step() -> None:
    net = microcircuit()
    excitatory, inhibitory = projection(net, "L4E_L23E"), projection(net, "L23I_L23E")
    assert (excitatory.weight.low, excitatory.weight.high) == (0.0, math.inf)  # type: ignore[union-attr]
    assert (inhibitory.weight.low, inhibitory.weight.high) == (-math.inf, 0.0)  # type: ignore[union-attr]
    assert excitatory.weight.mean == pytest.approx(175.617, abs=1e-3)  # type: ignore[union-attr]
    assert excitatory.weight.std == pytest.approx(17.5617, abs=1e-4)  # type: ignore[union-attr]
    assert inhibitory.weight.std == pytest.approx(35.1234, abs=1e-4)  # type: ignore[union-attr]
    delays = [(p.delay.mean, p.delay.std) for p in (excitatory, inhibitory)]  # type: ignore[union-attr]
    assert delays == [(1.5, 0.75), (0.75, 0.375)]
    drawn = inhibitory.delay.values(0, 1, np.array([0, 50_000]), 1, 2)  # type: ignore[union-attr]
    assert np.rint(drawn / 0.1).min() == 1.0


def test_direct_current_instead_of_spikes() -> None:
    net = microcircuit(drive="dc")
    assert [s.name for s in net.stimuli] == [f"{name}_dc" for name in POPULATIONS]
    assert net.stimuli[0].drive.value("amplitude") == pytest.approx(561.974, abs=1e-3)  # type: ignore[union-attr]


def test_scaled_down_it_has_both() -> None:
    net = microcircuit(0.1)
    assert [s.name for s in net.stimuli][:3] == ["L23E_poisson", "L23E_dc", "L23I_poisson"]
    assert net.population("L6E").size == 1440
    assert net == microcircuit(0.1)
    assert net != microcircuit(0.1, seed=2)


def test_original_voltages() -> None:
    net = microcircuit(voltages="original")
    assert {p.neuron.values["v"] for p in net.populations} == {tr.Normal(-58.0, 10.0)}
    with pytest.raises(InvalidValue, match="voltages of the microcircuit must be 'optimized' or 'original'"):
        microcircuit(voltages="new")  # type: ignore[arg-type]


def test_the_thalamus() -> None:
    net = microcircuit(thalamus=ThalamicPulse(start=50.0, duration=40.0, rate=100.0))
    assert net.population("thalamus").size == 902
    onto = {p.name: p.rule.n for p in net.projections if p.source.population == "thalamus"}  # type: ignore[attr-defined]
    assert onto == {
        "thalamus_L4E": 2045393,
        "thalamus_L4I": 315791,
        "thalamus_L6E": 682419,
        "thalamus_L6I": 52636,
    }
    trains = net.stimuli[-1].drive.trains  # type: ignore[union-attr]
    assert (trains.size, trains.n_steps) == (902, 900)
    assert 500 < trains.steps.min() <= trains.steps.max() <= 900
    assert len(trains) == pytest.approx(902 * 4.0, abs=5 * math.sqrt(902 * 4.0))
    other = ThalamicPulse(start=50.0, duration=40.0, rate=100.0).trains(2)
    assert not np.array_equal(other.ids, trains.ids)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(start=-1.0), r"start must be a multiple of 0.1 ms, at least 0 ms, got -1.0"),
        (dict(start=0.05), "start must be a multiple of 0.1 ms"),
        (dict(duration=0.0), r"duration must be a multiple of 0.1 ms, at least 0.1 ms, got 0.0"),
        (dict(duration=math.nan), "duration must be"),
        (dict(start="1"), "start must be"),
        (dict(rate=0.0), r"rate must be a number > 0 Hz, at most one spike per step of 0.1 ms, got 0.0"),
        (dict(rate=10_001.0), "rate must be"),
    ],
)
def test_pulses_that_are_none(given: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidValue, match=f"ThalamicPulse.{message}"):
        ThalamicPulse(**given)


def test_a_small_one_is_alive_in_every_population_and_answers_the_thalamus() -> None:
    net = microcircuit(0.05, thalamus=ThalamicPulse(start=500.0, duration=10.0))
    with tr.Simulation(net, dt=0.1, quiet=True) as sim:
        sim.run(100.0)
        before = sim.spikes.copy()
        sim.run(400.0)
        sizes = np.array([p.size for p in net.populations])
        rates = (sim.spikes - before)[:8] / sizes[:8] / 0.4
        before = sim.spikes.copy()
        sim.run(20.0)
        answer = (sim.spikes - before) / sizes / 0.02
    assert sim.spikes[8] > 500
    assert 1.0 < sim.spikes[:8].sum() / sizes[:8].sum() / 0.52 < 6.0
    # excitatory neurons of layers 2/3 and 6 are nearly silent, those of layer 5 the most active ones
    assert (rates > [0.02, 0.5, 1.0, 1.0, 2.0, 2.0, 0.05, 2.0]).all()
    assert (rates < [2.0, 6.0, 8.0, 10.0, 15.0, 15.0, 3.0, 14.0]).all()
    assert answer[2] > 2.0 * rates[2]


def test_the_picture_has_every_population(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    spikes = {
        name: tr.SpikeTrains.from_steps([5, 9], [0, k], k + 1, 0.1, 100) for k, name in enumerate(POPULATIONS)
    }
    figure = microcircuit_picture(spikes, tmp_path / "picture.png")
    raster, rates = figure.axes
    assert [text.get_text() for text in raster.get_yticklabels()] == list(POPULATIONS)
    assert raster.get_ylim() == (36.0, 0.0)  # 1 + 2 + ... + 8 neurons, the first on top
    assert [bar.get_width() for bar in rates.patches] == pytest.approx([2 / (k + 1) / 0.01 for k in range(8)])
    assert (tmp_path / "picture.png").stat().st_size > 5000
    del spikes["L5I"]
    with pytest.raises(InvalidValue, match="all eight, with L5I"):
        microcircuit_picture(spikes)
