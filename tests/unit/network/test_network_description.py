"""A network takes pieces that fit each other, says what does not, and is equal to its equals."""

import dataclasses
import math
import re
from typing import Any

import numpy as np
import pytest

import treplica as tr
from treplica.connectivity import AllToAll, Bernoulli, OneToOne
from treplica.errors import InvalidValue, UnknownName


def refuses(message: str) -> Any:
    return pytest.raises(InvalidValue, match=re.escape(message))


def suggests(name: str, nearest: str | None) -> Any:
    """Expect an UnknownName with this suggestion."""
    hint = f"Did you mean '{nearest}'?" if nearest else "is not known. Known:"
    return pytest.raises(UnknownName, match=f"{name!r} is not known.*" + re.escape(hint) if nearest else hint)


def small() -> tuple[tr.Network, tr.Population, tr.Population]:
    """Two populations: cells with two receptors, sources that nothing reaches."""
    net = tr.Network(seed=5)
    receptors = {"ampa": tr.Exponential(), "gaba": tr.Conductance(reversal=-80.0)}
    cells = net.add(tr.Population("cells", 6, tr.LIF(), receptors))
    return net, cells, net.add(tr.Population("noise", 6, tr.PoissonSource()))


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "7", None, True])
def test_seeds_have_64_bits(seed: Any) -> None:
    with refuses("Network.seed must be a whole number from 0 to 18446744073709551615"):
        tr.Network(seed=seed)
    assert tr.Network(seed=2**64 - 1).seed == 2**64 - 1


def test_names_are_unique_among_their_kind() -> None:
    net, cells, noise = small()
    with refuses("Population name must be unique in the network, got 'cells'. Choose another name."):
        net.add(tr.Population("cells", 2, tr.LIF()))
    with refuses("add(...) must be a Population, got 'cells'."):
        net.add("cells")  # type: ignore[arg-type]
    net.connect(noise, cells, OneToOne(), weight=1.0, delay=1.0, name="in_")
    with refuses("name must be a name that is not taken, got 'in_'. Taken: in_."):
        net.connect(noise, cells, OneToOne(), weight=1.0, delay=1.0, name="in_")
    with refuses("name must be a letter followed by letters, digits or _, got 'a b'."):
        net.connect(noise, cells, OneToOne(), weight=1.0, delay=1.0, name="a b")
    net.stimulate(cells, tr.GaussianCurrent(), name="in_")
    with refuses("name must be a name that is not taken, got 'gaba'. Taken: ampa, gaba, in_."):
        net.stimulate(cells, tr.GaussianCurrent(), name="gaba")
    net.record(cells, name="in_")
    with refuses("Taken: in_."):
        net.record(noise, name="in_")


def test_names_that_nobody_chose_are_numbered() -> None:
    net, cells, noise = small()
    made = [net.connect(noise, cells, AllToAll(), weight=1.0, delay=1.0).name for _ in range(3)]
    assert made == ["noise_cells", "noise_cells_2", "noise_cells_3"]
    assert [net.stimulate(cells, tr.DirectCurrent()).name for _ in range(2)] == [
        "cells_drive",
        "cells_drive_2",
    ]
    assert [net.record(cells, "ampa.g").name, net.record(cells).name] == ["cells_ampa_g", "cells_spikes"]
    assert [p.name for p in net.populations] == ["cells", "noise"]
    assert (len(net.projections), len(net.stimuli), len(net.probes)) == (3, 2, 2)


def test_a_drive_without_a_name_makes_way_for_a_receptor() -> None:
    net = tr.Network()
    cells = net.add(tr.Population("cells", 2, tr.LIF(), {"cells_drive": tr.Exponential()}))
    assert net.stimulate(cells, tr.GaussianCurrent()).name == "cells_drive_2"


def test_unknown_names_suggest_the_nearest() -> None:
    net, cells, noise = small()
    with suggests("cels", "cells"):
        net.population("cels")
    with suggests("apma", "ampa"):
        net.connect(noise, cells, OneToOne(), weight=1.0, delay=1.0, port="apma")
    with suggests("ampa.gg", "ampa.g"):
        net.record(cells, "ampa.gg")
    with suggests("spike", "spikes"):
        net.record(cells, "spike")
    with pytest.raises(UnknownName, match=r"LIF current \(for cells_drive\) 'ii' is not known.*Known: i\."):
        net.stimulate(cells, tr.StepCurrent(0.0, 1.0), current="ii")
    with pytest.raises(UnknownName, match=r"LIF current \(for cells_drive\) 'ii' is not known.*Known: i\."):
        net.stimulate(cells, tr.GaussianCurrent(), current="ii")
    with suggests("refactory", "refractory"):
        tr.LIF(refactory=2.0)
    assert net == small()[0]  # nothing that was refused left a trace


@pytest.mark.parametrize("name", [None, 3, ["cells"], b"cells"])
def test_names_are_text(name: Any) -> None:
    net, cells, noise = small()
    with refuses("population must be a name: cells, noise, got"):
        net.population(name)
    with refuses("variable of cells must be a name: spikes, v, wait, ampa.g, gaba.g, got"):
        net.record(cells, name)
    if name is not None:
        with refuses("port of cells must be a name: arrived, ampa, gaba, got"):
            net.connect(noise, cells, OneToOne(), weight=1.0, delay=1.0, port=name)


def test_what_spikes_cannot_reach() -> None:
    net, cells, noise = small()
    advice = "Give it a receptor: Population(..., receptors={'ampa': tr.Exponential()})."
    with refuses(f"target noise must be a population that spikes can reach, got 'no port'. {advice}"):
        net.connect(cells, noise, OneToOne(), weight=1.0, delay=1.0)
    with refuses("target noise must be a population that spikes can reach"):
        net.connect(cells, noise, OneToOne(), weight=1.0, delay=1.0, port="ampa")
    with refuses("target noise must be a population that spikes can reach"):
        net.stimulate(noise, tr.PoissonInput(1.0, 1.0))
    with refuses("noise_drive must be on a neuron that has a current input, got 'PoissonSource'."):
        net.stimulate(noise, tr.StepCurrent(0.0, 1.0))


def test_targets_belong_to_this_network() -> None:
    net, cells, _ = small()
    twin = tr.Population("cells", 6, tr.LIF(tau=5.0))
    with refuses(
        "population must be one that was added to this network, got Population(name='cells', size=6"
    ):
        net.record(twin)
    with refuses("view must be a part of this network's cells, which has 6 neurons, got cells[0:2]."):
        net.record(tr.Population("cells", 7, tr.LIF())[:2])
    with suggests("others", None):
        net.record(tr.Population("others", 6, tr.LIF()))
    with refuses("population or view must be a Population of this network or a part of one, got 'cells'."):
        net.record("cells")  # type: ignore[arg-type]
    equal = tr.Population(
        "cells", 6, tr.LIF(), {"ampa": tr.Exponential(), "gaba": tr.Conductance(reversal=-80.0)}
    )
    assert net.record(equal) == tr.Probe("cells_spikes", cells.view(), "spikes")


def test_drives_fit_the_neurons_that_they_drive() -> None:
    net, cells, _ = small()
    two = tr.SpikeTrains.from_lists([[1.0], []], dt=1.0, duration=1.0)
    with refuses("cells_drive: neurons of SpikeInput.trains must be 6, those of cells, got 2."):
        net.stimulate(cells, tr.SpikeInput(two))
    with refuses("cells_drive: shape of PoissonInput.rate must be () or (2,), got (6,)."):
        net.stimulate(cells[:2], tr.PoissonInput(np.ones(6), 1.0))
    with refuses(
        "cells_drive: columns of StepCurrent.amplitudes must be 2, one for each neuron of cells[0:2]"
    ):
        net.stimulate(cells[:2], tr.StepCurrent([0.0], np.ones((1, 6))))
    with refuses("cells_drive: amplitude (an array) must be of shape (6,), got (2,)."):
        net.stimulate(cells[:2], tr.DirectCurrent(amplitude=[1.0, 2.0]))
    for odd in (tr.Exponential(), tr.LIF(), tr.GaussianCurrent, "noise", None):
        with refuses(
            "stimulate(drive=...) must be PoissonInput, SpikeInput, StepCurrent or an instance of a rec"
        ):
            net.stimulate(cells, odd)  # type: ignore[arg-type]
    with refuses("cells_drive: port must be given for drives with spikes, got 'ampa'."):
        net.stimulate(cells, tr.GaussianCurrent(), port="ampa")
    with refuses("cells_drive: current must be given for drives that supply a current, got 'i'."):
        net.stimulate(cells, tr.PoissonInput(1.0, 1.0), current="i")
    assert net.stimuli == ()


def test_drives_say_where_they_go() -> None:
    net, cells, _ = small()
    spikes = net.stimulate(cells, tr.PoissonInput(1.0, 1.0), port="gaba")
    given = net.stimulate(
        cells[:2], tr.SpikeInput(tr.SpikeTrains.from_lists([[1.0], []], dt=1.0, duration=1.0))
    )
    current = net.stimulate(cells, tr.GaussianCurrent())
    assert [(s.port, s.current) for s in (spikes, given, current)] == [
        ("gaba", ""),
        ("arrived", ""),
        ("", "i"),
    ]


@pytest.mark.parametrize("interval", [0.0, -1.0, math.nan, math.inf, "1", True])
def test_intervals_of_recordings(interval: Any) -> None:
    net, cells, _ = small()
    with refuses("record interval must be"):
        net.record(cells, "v", interval=interval)
    with refuses("record interval must be > 0 ms, and given for state variables only, got 1.0."):
        net.record(cells, "spikes", interval=1.0)


def test_pieces_are_frozen() -> None:
    net, cells, noise = small()
    pieces: list[Any] = [
        cells,
        net.connect(noise, cells, OneToOne(), weight=1.0, delay=1.0),
        net.stimulate(cells, tr.GaussianCurrent()),
        net.record(cells),
        cells[:2],
    ]
    for piece in pieces:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(piece, dataclasses.fields(piece)[0].name, "other")
    with pytest.raises(TypeError, match="mappingproxy"):
        cells.receptors["nmda"] = tr.Exponential()  # type: ignore[index]


def test_networks_are_equal_by_what_they_hold() -> None:
    def build(**changes: Any) -> tr.Network:
        net, cells, noise = small()
        given = {
            "weight": 1.0,
            "delay": 1.0,
            "rate": 5.0,
            "interval": 1.0,
            "rule": Bernoulli(p=0.5),
            **changes,
        }
        net.connect(noise, cells, given["rule"], weight=given["weight"], delay=given["delay"])
        net.stimulate(cells[::2], tr.PoissonInput(given["rate"], 1.0))
        net.record(cells, "v", interval=given["interval"])
        return net

    assert build() == build()
    changes = {"weight": 2.0, "delay": 2.0, "rate": 6.0, "interval": 2.0, "rule": Bernoulli(p=0.25)}
    for name, value in changes.items():
        assert build(**{name: value}) != build()
        assert build(**{name: value}) == build(**{name: value})
    assert tr.Network(seed=1) != tr.Network(seed=2)
    assert tr.Network() != "a network"
    assert repr(build()) == "<Network: 2 populations, 12 neurons, 1 projections>"
