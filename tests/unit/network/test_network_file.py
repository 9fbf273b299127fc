"""Descriptions in files: they read back equal, models travel along, and what is no description is refused."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from described import DRAWS, RULES, Homemade, changed, document, everything, signed

import treplica as tr
from treplica import connectivity
from treplica.connectivity import AllToAll, OneToOne
from treplica.errors import DescriptionError, OutputError
from treplica.model import neuron, param, state


def test_everything_is_everything() -> None:
    classes = {n: getattr(connectivity, n) for n in connectivity.__all__}
    kinds = {n for n, thing in classes.items() if isinstance(thing, type)}
    assert {*RULES, *DRAWS} == kinds - {"AbstractRule", "Rows"}
    assert all(type(piece) is classes[name] for name, piece in {**RULES, **DRAWS}.items())


def test_a_network_reads_back_equal(tmp_path: Path) -> None:
    net = everything()
    net.save(tmp_path / "net.json")
    again = tr.Network.load(str(tmp_path / "net.json"))
    assert again == net
    assert again.seed == net.seed
    for kind in ("populations", "projections", "stimuli", "probes"):
        assert getattr(again, kind) == getattr(net, kind)
        assert getattr(again, kind)
    again.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "net.json").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.json", "net.json"]


def test_an_empty_network_reads_back_equal(tmp_path: Path) -> None:
    tr.Network(seed=3).save(tmp_path / "net.json")
    assert tr.Network.load(tmp_path / "net.json") == tr.Network(seed=3)


def test_a_network_that_was_read_gives_the_same_spikes(tmp_path: Path) -> None:
    def spikes(network: tr.Network) -> tr.SpikeTrains:
        with tr.Simulation(network, dt=0.1, engine="plain", quiet=True) as sim:
            sim.run(5.0)
            return sim["heard"]

    net = tr.Network(seed=9)
    own = net.add(tr.Population("own", 5, Homemade(theta=-65.0)))
    net.stimulate(own, tr.PoissonInput(2000.0, weight=3.0))
    net.connect(own, own, connectivity.Bernoulli(p=0.5), weight=1.0, delay=0.2)
    net.record(own, name="heard")
    net.save(tmp_path / "net.json")
    first = spikes(net)
    assert len(first) > 5
    assert set(first.values) == {2}
    assert spikes(tr.Network.load(tmp_path / "net.json")) == first


IN_A_FRESH_PROCESS = """
import sys
import treplica as tr
assert "described" not in sys.modules
network = tr.Network.load(sys.argv[1])
model = network.population("own").neuron.model
print(model.name, model.fingerprint, model.doc, model.source, sep="|")
print(model.step(v=-39.0, i=0.0, kick=0.0, theta=-40.0, share=0.0))
assert model.sleepy().value("theta") == -40.0
network.save(sys.argv[2])
"""


def test_a_model_of_ones_own_travels_in_the_file(tmp_path: Path) -> None:
    """The process that reads it has never seen the module that defines it."""
    everything().save(tmp_path / "net.json")
    command = [sys.executable, "-c", IN_A_FRESH_PROCESS, "net.json", "again.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    about, result = done.stdout.splitlines()
    assert about.split("|") == [
        "Homemade",
        Homemade.fingerprint,
        "A neuron that nobody ships: its spikes have the value 2.",
        "a test",
    ]
    assert result == "{'v': -70.0, 'spike': 2.0}"
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "net.json").read_bytes()


def lookalike() -> Any:
    """A model that has the name of a shipped one."""

    @neuron(x=state("1"), slope=param("1", 1.0))
    def LIF(x, slope):
        return dict(x=x + slope, spike=0.0)

    return LIF


def test_two_models_of_one_name_are_not_confused(tmp_path: Path) -> None:
    net = tr.Network()
    net.add(tr.Population("other", 2, lookalike()()))
    net.save(tmp_path / "net.json")
    assert tr.Network.load(tmp_path / "net.json") == net
    net.add(tr.Population("shipped", 2, tr.LIF()))
    with pytest.raises(DescriptionError, match="LIF: two different models of the network have this name"):
        net.save(tmp_path / "net.json")
    assert len(tr.Network.load(tmp_path / "net.json").populations) == 1


def test_rules_of_ones_own_cannot_be_written(tmp_path: Path) -> None:
    class Mirror(OneToOne):
        pass

    net = tr.Network()
    cells = net.add(tr.Population("cells", 3, tr.LIF()))
    net.connect(cells, cells, Mirror(), weight=1.0, delay=1.0)
    with pytest.raises(DescriptionError, match="Mirror: an object of this class cannot be written"):
        net.save(tmp_path / "net.json")
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path, tmp_path / "absent" / "net.json", tmp_path / "file" / "net.json"):
        with pytest.raises(OutputError, match=re.escape(str(place))):
            tr.Network().save(place)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a network description, or is truncated. Network.save writes descriptions"),
        (b"\x89HDF\r\n\x1a\n\xff", "is not a network description (not text)"),
        (b"{}", "is not a network description (its format is not 'treplica.network')"),
        (b"[1, 2]", "is not a network description (its format is not 'treplica.network')"),
        (b'"text"', "is not a network description (its format is not 'treplica.network')"),
        (b"network = 3", "is not a network description, or is truncated"),
        (b"[" * 100_000, "is not a network description, or is truncated"),
        (b"[" * 990 + b"]" * 990, "is not a network description"),
        (b'{"network": ' + b"[" * 985 + b"]" * 985 + b"}", "is not a network description"),
        (b"9" * 5000, "is not a network description, or is truncated"),
        (
            b'{"format": "treplica.network"}',
            "has format version None. This version of Treplica reads version 1.",
        ),
        (
            b'{"format": "treplica.network", "version": 2}',
            "has format version 2. This version of Treplica reads",
        ),
        (b'{"format": "treplica.network", "version": 1}', "was changed or damaged after it was saved"),
    ],
)
def test_foreign_files_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "net.json"
    path.write_bytes(content)
    with pytest.raises(DescriptionError, match=re.escape(f"{path}: {message}")) as caught:
        tr.Network.load(path)
    assert caught.value.path == str(path)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match=r"cannot be read \(No such file or directory\)"):
        tr.Network.load(tmp_path / "absent.json")
    with pytest.raises(DescriptionError, match=r"cannot be read \(Is a directory\)"):
        tr.Network.load(tmp_path)


def test_a_change_by_hand_is_noticed(tmp_path: Path) -> None:
    data = document(everything(), tmp_path)
    data["network"]["projections"][0]["weight"] = 2.0
    (tmp_path / "net.json").write_text(json.dumps(data))
    with pytest.raises(DescriptionError, match="was changed or damaged after it was saved"):
        tr.Network.load(tmp_path / "net.json")
    (tmp_path / "net.json").write_text(signed(data))
    assert tr.Network.load(tmp_path / "net.json").projections[0].weight == 2.0


def test_trains_of_older_files_are_on_the_grid(tmp_path: Path) -> None:
    def older(body: Any) -> None:
        body["stimuli"] = body["stimuli"][:6]
        del body["stimuli"][5]["drive"]["trains"]["exact"]

    trains = tr.Network.load(changed(everything(), tmp_path / "net.json", older)).stimuli[5].drive.trains
    assert trains == everything().stimuli[5].drive.trains
    assert trains.exact is None


def put(*keys: Any, value: Any) -> Any:
    """A change of one value."""

    def change(body: Any) -> None:
        for key in keys[:-1]:
            body = body[key]
        body[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("seed", value=-1), "Network.seed must be a whole number from 0"),
        (put("populations", 0, "size", value=0), "lif.size must be a whole number from 1"),
        (put("populations", 0, "neuron", "model", value="LIV"), "names the model 'LIV', which it does not contain"),
        (put("populations", 0, "neuron", "fingerprint", value="0"), "was written with another version of the mo"),
        (put("populations", 1, "neuron", "values", "a", value={"number": "nan"}), "Izhikevich.a must be a finite"),
        (put("populations", 1, "name", value="lif"), "Population name must be unique in the network"),
        (put("populations", 0, "receptors", value=[]), "cannot be used (AttributeError"),
        (put("projections", 0, "source", "chosen", value={"range": [0, 9, 1]}), "izh id must be from 0 to 7, got 8"),
        (put("projections", 0, "source", "chosen", value={"tuple": [5, 3]}), "izh[...] must be ids in ascending ord"),
        (put("projections", 0, "source", "size", value=9), "view must be a part of this network's izh"),
        (put("projections", 0, "rule", "class", value="Path"), "cannot be used (KeyError('Path'))"),
        (put("projections", 0, "rule", "class", value="AbstractRule"), "cannot be used"),
        (put("projections", 0, "rule", value=3), "rule must be a connection rule, got 3"),
        (put("projections", 0, "delay", value=0.0), "delay must be a finite number > 0 ms"),
        (put("projections", 0, "port", value="amp"), "port of izh 'amp' is not known"),
        (put("projections", 9, "weight", "value", value=float("inf")), "Constant.value must be a finite number"),
        (put("stimuli", 2, "drive", "rate", "dtype", value="O"), "an array of 'O'"),
        (put("stimuli", 2, "drive", "rate", "dtype", value="<f4"), "cannot be used (ValueError"),
        (put("stimuli", 2, "drive", "rate", "array", value="!"), "cannot be used"),
        (put("stimuli", 2, "drive", "rate", "array", value="AAAA"), "cannot be used (error('Error -3"),
        (put("stimuli", 2, "drive", "rate", "shape", value=[2]), "cannot be used (ValueError"),
        (put("stimuli", 6, "drive", "trains", "exact", value=None), "A neuron spikes at most once in a step"),
        (put("stimuli", 6, "drive", "trains", "dt", value=1.0), "exact[0] must be in the span of its step 2"),
        (put("probes", 1, "variable", value="ampa.x"), "variable of lif 'ampa.x' is not known"),
        (put("probes", 1, "interval", value=-1.0), "record interval must be > 0 ms"),
        (put("models", "Homemade", "graded", value=float("inf")), "cannot be used (OverflowError"),
        (put("models", "Homemade", "kind", value="soup"), "holds a model that cannot be read"),
        (put("models", "Homemade", "fields", "tau", "default", value=5.0), "the model Homemade was changed after"),
        (put("models", value=None), "cannot be used"),
        (put("probes", value={}), "{}"),
    ],
)  # fmt: skip
def test_what_a_file_says_is_checked_like_what_a_program_says(
    tmp_path: Path, change: Any, message: str
) -> None:
    path = changed(everything(), tmp_path / "net.json", change)
    if message == "{}":  # no probes: nothing wrong with that
        assert tr.Network.load(path).probes == ()
        return
    with pytest.raises(DescriptionError, match=re.escape(message)):
        tr.Network.load(path)


TRAP = "open({path!r}, 'w').close()"
SOURCES = {
    "a decorator": "@{trap}\ndef Homemade(v, i, kick, theta, share):\n    return dict(v=v, spike=0.0)\n",
    "a default": "def Homemade(v, i, kick, theta, share={trap}):\n    return dict(v=v, spike=0.0)\n",
    "an annotation": "def Homemade(v: {trap}, i, kick, theta, share) -> {trap}:\n    return dict(v=v, spike=0.0)\n",
    "an import": "import os\n{trap}\ndef Homemade(v, i, kick, theta, share):\n    return dict(v=v, spike=0.0)\n",
    "a statement after": "def Homemade(v, i, kick, theta, share):\n    return dict(v=v, spike=0.0)\n{trap}\n",
    "an import inside": "def Homemade(v, i, kick, theta, share):\n    import os\n    return dict(v=v, spike=0.0)\n",
    "a call inside": "def Homemade(v, i, kick, theta, share):\n    x = {trap}\n    return dict(v=v, spike=0.0)\n",
    "a class": "class Homemade:\n    {trap}\n",
    "a lambda": "Homemade = lambda v: {trap}\n",
    "nothing": "",
    "no Python": "def Homemade(v:\n",
    "a default of a nested function": (
        "def Homemade(v, i, kick, theta, share):\n"
        "    def inner(x={trap}):\n        return x\n"
        "    return dict(v=v, spike=0.0)\n"
    ),
}


@pytest.mark.parametrize("what", SOURCES)
@pytest.mark.parametrize("part", ["step", "derive"])
def test_reading_a_model_runs_nothing(tmp_path: Path, what: str, part: str) -> None:
    trap = tmp_path / "sprung"
    text = SOURCES[what].format(trap=TRAP.format(path=str(trap)))
    path = changed(everything(), tmp_path / "net.json", put("models", "Homemade", part, "text", value=text))
    with pytest.raises(DescriptionError):
        tr.Network.load(path)
    assert not trap.exists()


def test_the_trap_would_be_sprung(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    exec(SOURCES["a default"].format(trap=TRAP.format(path=str(trap))))
    assert trap.exists()


def test_arrays_of_every_kind_survive(tmp_path: Path) -> None:
    edges = np.array([0, 1], np.uint16)
    net = tr.Network()
    cells = net.add(tr.Population("cells", 2, tr.LIF(v=np.array([-65, -70], np.int8), tau=np.float32(9.5))))
    net.connect(cells, cells, connectivity.FromArrays(edges, edges), weight=1, delay=1)
    net.connect(cells, cells, AllToAll(), weight=connectivity.FromArray(np.arange(4)), delay=1.0)
    net.save(tmp_path / "net.json")
    assert tr.Network.load(tmp_path / "net.json") == net
