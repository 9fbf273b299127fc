import math

import numpy as np
import pytest

import treplica as tr
from treplica.errors import InvalidValue, UnknownName
from treplica.systems.vogels_abbott import KICK_START, KICK_STOP, MODELS, Kind, vogels_abbott

#: Published parameters in units that do not depend on the choice of a capacitance.
MEMBRANE_MS, LIFTED_MV = 20.0, 1.62


@pytest.mark.parametrize("neurons", [4000, 40_000])
def test_every_neuron_has_80_inputs_at_every_size(neurons: int) -> None:
    net = vogels_abbott("cuba", neurons)
    (cells,) = net.populations
    excitatory, inhibitory = net.projections
    assert cells.size == neurons
    assert (len(excitatory.source), len(inhibitory.source)) == (0.8 * neurons, 0.2 * neurons)
    assert (excitatory.rule, inhibitory.rule) == (tr.FixedInDegree(64), tr.FixedInDegree(16))
    assert len(excitatory.target) == len(inhibitory.target) == neurons
    with tr.Simulation(net, quiet=True) as sim:
        assert sim.summary().synapses == 80 * neurons


def test_parameters_of_the_paper() -> None:
    """Brette et al. 2007: tau 20 ms for both; an excitatory current of CUBA is 1.62 mV over the resistance."""
    neuron, excitation, inhibition = MODELS["cuba"]
    assert excitation * neuron.value("tau") / neuron.value("c_m") == pytest.approx(LIFTED_MV)
    assert inhibition < 0.0 < excitation
    neuron, excitation, inhibition = MODELS["coba"]
    assert neuron.value("c_m") / neuron.value("g_leak") == MEMBRANE_MS
    assert (excitation, inhibition) == (6.0, 67.0)
    assert neuron.value("e_inh") < neuron.value("v_rest") < neuron.value("v_th") < neuron.value("e_ex")


@pytest.mark.parametrize("kind", ["cuba", "coba"])
def test_the_kick(kind: Kind) -> None:
    net = vogels_abbott(kind)
    (stimulus,) = net.stimuli
    assert isinstance(stimulus.drive, tr.SpikeInput)
    kick = stimulus.drive.trains
    expected = 50 * 300.0 * 0.05
    assert abs(len(kick) - expected) < 4.0 * math.sqrt(expected)
    assert kick.size == len(stimulus.target) == 50
    assert KICK_START < kick.times.min() < kick.times.max() <= KICK_STOP
    assert stimulus.drive.weight == MODELS[kind][1]


def rates(net: tr.Network, parts: int) -> list[float]:
    """Mean rate in Hz in successive 100 ms after the kick."""
    with tr.Simulation(net, quiet=True) as sim:
        sim.run(100.0)
        before, found = sim.spikes.sum(), []
        for _ in range(parts):
            sim.run(100.0)
            found.append(float(sim.spikes.sum() - before) / sim.plan.neurons / 0.1)
            before = sim.spikes.sum()
    return found


def test_cuba_goes_on_at_some_hertz() -> None:
    assert all(2.0 < rate < 8.0 for rate in rates(vogels_abbott("cuba"), 5))


def test_coba_goes_on_and_only_after_its_kick() -> None:
    assert all(8.0 < rate < 20.0 for rate in rates(vogels_abbott("coba"), 5))
    kicked = vogels_abbott("coba")
    silent = tr.Network(seed=kicked.seed)
    silent.add(kicked.populations[0])
    for p in kicked.projections:
        silent.connect(p.source, p.target, p.rule, weight=p.weight, delay=p.delay, port=p.port)
    assert rates(silent, 1) == [0.0]


def test_coba_is_irregular() -> None:
    """The intervals of most neurons vary about as much as those of a Poisson process."""
    net = vogels_abbott("coba")
    probe = net.record(net.population("cells"), "spikes")
    with tr.Simulation(net, quiet=True) as sim:
        sim.run(1500.0)
        cv = tr.analysis.cv(sim[probe].between(100.0, 1500.0))
    assert len(cv.values) > 2000
    assert 0.7 < np.median(cv.values) < 2.0


def test_settings_that_make_no_network() -> None:
    with pytest.raises(UnknownName, match="kind of a Vogels-Abbott network 'koba' is not known"):
        vogels_abbott("koba")  # type: ignore[arg-type]
    with pytest.raises(
        InvalidValue, match="vogels_abbott: neurons must be a multiple of 5, at least 100, got 99"
    ):
        vogels_abbott("cuba", 99)
