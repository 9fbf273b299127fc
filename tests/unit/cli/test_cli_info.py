"""`treplica info`, `--help`, and what an absent extra says."""

import importlib.util
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from commands import NETWORK, Terminal, written

import treplica
from treplica import connectivity, neurons, synapses
from treplica.cli.main import main

COMMANDS = ("demo", "run", "info", "bench")


@pytest.mark.parametrize("arguments", [["--help"], *([c, "--help"] for c in COMMANDS)])
def test_help(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    out = capsys.readouterr().out
    assert caught.value.code == 0
    assert out.startswith(f"usage: {' '.join(['treplica', *arguments[:-1]])}")
    assert max(map(len, out.splitlines())) <= 80
    wanted = COMMANDS if len(arguments) == 1 else ["--json"]
    assert all(word in out for word in wanted)


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"treplica {treplica.__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["frobnicate"], ["run"], ["run", "x.py", "--threads", "many"]])
def test_what_cannot_be_parsed(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "error: " in capsys.readouterr().err.splitlines()[-1]


def test_help_loads_nothing_heavy() -> None:
    code = """
import sys
from treplica.cli.main import main
try:
    main(["--help"])
finally:
    print(*sorted({"numba", "rich", "h5py", "scipy", "matplotlib", "torch"} & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "usage: treplica" in done.stdout
    assert done.stderr.strip() == ""


def test_the_installation_as_json(treplica: Terminal) -> None:
    done = treplica("info", "--json")
    assert (done.status, done.err) == (0, "")
    assert list(done.json) == ["versions", "machine", "extras", "neurons", "receptors", "rules", "draws"]
    assert {"python", "treplica", "numpy", "numba", "scipy"} <= set(done.json["versions"])
    assert done.json["machine"]["usable_cores"] >= 1
    assert list(done.json["neurons"]) == neurons.__all__
    assert list(done.json["receptors"]) == synapses.__all__
    assert all(
        len(text) > 10
        for kind in ("neurons", "receptors", "rules", "draws")
        for text in done.json[kind].values()
    )
    classes = {n for n in connectivity.__all__ if isinstance(getattr(connectivity, n), type)}
    assert {*done.json["rules"], *done.json["draws"]} == classes - {"AbstractRule", "Rows"}
    assert {"WattsStrogatz", "OneToOne"} <= set(done.json["rules"])
    assert {"Normal", "FromArray"} <= set(done.json["draws"])


def without(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that a package is not installed."""
    found = importlib.util.find_spec

    def find_spec(name: str, package_: str | None = None) -> ModuleSpec | None:
        return None if name.partition(".")[0] == package else found(name, package_)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    for module in ("treplica.cli.info", "treplica.cli.demo", "treplica.benchmarks.peers"):
        monkeypatch.setattr(f"{module}.find_spec", find_spec)


def test_absent_extras_name_the_command(treplica: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert treplica("info", "--json").json["extras"]["plot"] == "installed"
    without("matplotlib", monkeypatch)
    assert treplica("info", "--json").json["extras"]["plot"] == "absent: pip install 'treplica[plot]'"
    assert "absent: pip install 'treplica[plot]'" in treplica("info").out


def test_the_demo_refuses_before_a_long_run_what_would_fail_after_it(
    treplica: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without("matplotlib", monkeypatch)
    done = treplica("demo", "--json", "--out", tmp_path / "out")
    assert (done.status, done.json["error"]) == (2, "MissingExtra")
    assert "matplotlib, which is not installed. Install it with: pip install 'treplica[plot]'" in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


DESCRIBED = """
b = network.add(tr.Population("bulk", 5000, tr.LIF(tau=[20.0] * 5000), {"ampa": tr.Exponential(tau=2.0)}))
network.connect(mesh[:10], b[::500], tr.connectivity.OneToOne(), weight=tr.connectivity.Normal(1.0, 0.2),
                delay=2.5, port="ampa")
network.stimulate(b, tr.PoissonInput([1.0] * 5000, weight=0.5), port="ampa")
"""


def test_what_a_description_holds(treplica: Terminal, tmp_path: Path) -> None:
    path = written(tmp_path, NETWORK + DESCRIBED)
    data = treplica("info", path, "--json").json
    assert data["network"] == {"seed": 3, "neurons": 5030}
    assert data["populations"]["mesh"].startswith("30 x Izhikevich(a=0.02, b=0.2, c=-65.0, d=8.0)")
    assert data["populations"]["bulk"].startswith("5,000 x LIF(tau=array([20., 20.,")
    assert data["populations"]["bulk"].endswith(" with ampa")
    assert data["projections"] == {
        "mesh_mesh": "mesh to mesh: WattsStrogatz(k=4, p=0.1, directed=False), weight 8.0, delay 1.0 ms, port arrived",
        "mesh_bulk": "mesh[0:10] to bulk[0:4501:500]: OneToOne(), "
        "weight Normal(mean=1.0, std=0.2, low=-inf, high=inf), delay 2.5 ms, port ampa",
    }
    assert data["stimuli"]["mesh_drive"] == "GaussianCurrent(std=20.0) onto i of mesh"
    assert data["stimuli"]["bulk_drive"].endswith(" onto ampa of bulk")
    assert data["probes"] == {"heard": "spikes of mesh"}
    assert max(len(text) for text in data["populations"].values()) < 140


def test_descriptions_and_files_of_python_read_alike(treplica: Terminal, tmp_path: Path) -> None:
    from treplica.cli.run import load_network

    path = written(tmp_path)
    load_network(path).save(tmp_path / "net.json")
    assert treplica("info", path, "--json").json == treplica("info", tmp_path / "net.json", "--json").json
    assert treplica("info", tmp_path / "none.json").err.count("\n") == 1


@pytest.mark.parametrize("what", ["installation", "file"])
def test_tables_fit_80_columns_and_keep_their_first_column(
    treplica: Terminal, tmp_path: Path, what: str
) -> None:
    files = [] if what == "installation" else [written(tmp_path, NETWORK + DESCRIBED)]
    lines = treplica("info", *files).out.splitlines()
    assert len(lines) > 10
    assert max(map(len, lines)) <= 80
    starts = {line.split()[0] for line in lines if line[:1].strip()}
    wanted = {"ConductanceDoubleExponential", "extras"} if what == "installation" else {"mesh_mesh", "probes"}
    assert wanted <= starts
