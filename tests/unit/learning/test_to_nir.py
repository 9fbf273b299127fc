"""Modules as graphs of NIR: what they compute, what comes back, what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import treplica as tr
from treplica.errors import InvalidValue, UnknownName
from treplica.io import nir

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")
Delay = learning.Delay
DelayedLinear = learning.DelayedLinear
nn = torch.nn
Linear, Neurons, Recurrent, Residual = (
    learning.Linear,
    learning.Neurons,
    learning.Recurrent,
    learning.Residual,
)

UNIT = dict(v_rest=0.0, v_th=1.0, v=0.0)
HARD = tr.LIF(tau=8.0, v_reset=-0.25, refractory=0.0, **UNIT)
CURRENT = tr.LIFExpCurrent(tau=9.0, tau_syn=3.0, c_m=2.0, v_reset=0.0, refractory=0.0, **UNIT)


def hard(**more: Any) -> Any:
    return Neurons(HARD, **more)


def soft(**more: Any) -> Any:
    return Neurons(tr.SoftResetLIF(tau=np.array([3.0, 5.1, 7.7, 20.0]), **UNIT), 4, **more)


def read() -> Any:
    return Neurons(tr.LeakyIntegrator(tau=30.0, v=0.0, v_rest=0.1), output="v")


def current() -> Any:
    return Neurons(CURRENT)


def pulsed(**more: Any) -> Any:
    return Neurons(tr.LIF(tau=8.0, c_m=3.0, v_reset=0.0, refractory=0.0, **UNIT), port="i", **more)


def scaled(module: Any, by: float = 4.0) -> Any:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(by)
    return module


class Branches(nn.Module):
    """A custom forward, with sums and what is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.hidden, self.last, self.out = (
            scaled(Linear(3, 4)),
            hard(),
            scaled(Linear(4, 4)),
            hard(),
        )

    def forward(self, x: Any) -> Any:
        h = self.hidden(self.first(x))
        return self.out(self.last(h) + h + h)


def image() -> Any:
    return nn.Sequential(
        scaled(learning.Conv2d(1, 2, 3, padding=1, groups=1)), hard(), learning.SumPool2d(2),
        learning.AvgPool2d((2, 1)), Delay(torch.arange(2)), learning.Conv2d(2, 2, (1, 2), stride=2, bias=False),
        learning.Dropout(0.5), learning.Flatten(), nn.Identity(), scaled(nn.Linear(4, 4)), pulsed(),
    )  # fmt: skip


def recurrent(neurons: Any, delay: int = 1) -> Any:
    layer = Recurrent(neurons, 4, delay, bias=True)
    scaled(layer.recurrent)
    return nn.Sequential(scaled(Linear(3, 4)), layer, learning.Scale(torch.linspace(0.5, 2.0, 4)))


CASES: dict[str, Any] = {
    "hard": lambda: nn.Sequential(scaled(Linear(3, 4)), hard(), scaled(Linear(4, 2, bias=False)), hard()),
    "soft": lambda: learning.Sequential(scaled(Linear(3, 4)), soft(), Linear(4, 2), read()),
    "learned": lambda: nn.Sequential(scaled(Linear(3, 4)), hard(size=4, learn={"tau": "neuron", "v_th": "layer"})),
    "as a current": lambda: nn.Sequential(scaled(Linear(3, 4), 6.0), pulsed(dt=0.3)),
    "exponential": lambda: nn.Sequential(scaled(Linear(3, 4), 8.0), current(), scaled(Linear(4, 4)), hard()),
    "residual": lambda: nn.Sequential(
        scaled(Linear(3, 4)), hard(), Residual(nn.Sequential(scaled(Linear(4, 4)), hard()), delay=2),
        Linear(4, 1), read(),
    ),
    "skipped": lambda: nn.Sequential(scaled(Linear(3, 4)), Residual(Linear(4, 4), Linear(4, 4), soft())),
    "branches": Branches,
    "image": image,
    "recurrent": lambda: recurrent(hard()),
    "recurrent after 3": lambda: recurrent(soft(), 3),
    "recurrent and exponential": lambda: recurrent(current()),
    "recurrent and exponential after 2": lambda: recurrent(current(), 2),
}  # fmt: skip


def made(case: str) -> tuple[Any, Any, tuple[int, ...]]:
    torch.manual_seed(3)
    module = CASES[case]().double().eval()
    for part in module.modules():
        if isinstance(part, Neurons) and part.constants.learned:
            with torch.no_grad():
                part.constants.tau.mul_(torch.rand(4) + 0.5)
    shape = (1, 8, 8) if case == "image" else (3,)
    x = (torch.rand(50, 4, *shape, generator=torch.Generator().manual_seed(1)) < 0.4).double()
    return module, x, shape


@pytest.mark.parametrize("case", CASES)
def test_the_graph_computes_what_the_module_does(case: str) -> None:
    module, x, shape = made(case)
    graph = learning.to_nir(module, shape)
    with torch.no_grad():
        wanted = module(x).numpy()
    found = nir.run(graph, x.numpy()).output
    assert wanted.std() > 0.01
    assert np.abs(found - wanted).max() < 1e-12 * max(1.0, np.abs(wanted).max())


@pytest.mark.parametrize("case", CASES)
def test_a_module_comes_back_from_a_file_with_every_bit(case: str, tmp_path: Path) -> None:
    module, x, shape = made(case)
    nir.write(tmp_path / "a.nir", learning.to_nir(module, shape))
    again = learning.from_nir(tmp_path / "a.nir")
    with torch.no_grad():
        assert torch.equal(again(x), module(x)) or float((again(x) - module(x)).abs().max()) < 1e-13
    layers = [[m for m in each.modules() if isinstance(m, Neurons)] for each in (module, again)]
    assert len(layers[0]) == len(layers[1]) > 0
    by_model = [sorted(each, key=lambda m: (m.neuron.model.name, _first(m))) for each in layers]
    for old, new in zip(*by_model, strict=True):
        assert (old.neuron.model, old.dt, old.port, old.output) == (
            new.neuron.model,
            new.dt,
            new.port,
            new.output,
        )
        for name in old.neuron.model.of_kind("param"):
            a, b = (layer.constants.parameter(name).detach() for layer in (old, new))
            assert bool((a == b).all()), name
    matrices = [
        {p.detach().numpy().tobytes() for p in each.parameters() if p.ndim > 1} for each in (module, again)
    ]
    assert matrices[0] == matrices[1]
    assert learning.to_nir(again) == nir.read(tmp_path / "a.nir")
    kinds = [sum(isinstance(m, Recurrent) for m in each.modules()) for each in (module, again)]
    assert kinds[0] == kinds[1]


def _first(layer: Any) -> float:
    return float(layer.constants.parameter("tau").detach().flatten()[0])


@pytest.mark.parametrize("dt", [0.1, 0.03, 1.0, 0.07, 1.96, 0.125, 2.5e-3])
def test_the_step_comes_back(dt: float) -> None:
    graph = learning.to_nir(nn.Sequential(Linear(2, 3), hard(dt=dt)), 2)
    assert graph.metadata["dt"] == dt / 1000.0
    layer = learning.from_nir(graph).part("1")
    assert layer.dt == dt
    assert layer.neuron.model is tr.LIF


def test_what_the_fields_are() -> None:
    """Weights stay in mV: the gain of the node is 1. A spike at the threshold stays one."""
    graph = learning.to_nir(nn.Sequential(Linear(2, 3), hard()), 2)
    node = graph.nodes["1"]
    assert isinstance(node, nir.LIF)
    assert graph.metadata == {"dt": 1e-3, "reset": "zero", "integration": "exact"}
    assert np.allclose(node.r * -np.expm1(-1e-3 / node.tau), 1.0, rtol=1e-15)
    assert (node.tau == 8e-3).all()
    assert (node.v_threshold < 1.0).all()
    assert (np.nextafter(node.v_threshold, 2.0) == 1.0).all()
    assert (node.v_reset == -0.25).all()
    euler = learning.to_nir(nn.Sequential(Linear(2, 3), current()), 2)
    assert euler.metadata == {"dt": 1e-3, "reset": "zero", "integration": "euler"}
    inner = euler.nodes["1"]
    assert isinstance(inner, nir.NIRGraph)
    assert list(inner.nodes) == ["input", "delay", "cubalif", "output"]


def test_a_node_that_was_changed_counts_as_it_is() -> None:
    graph = learning.to_nir(nn.Sequential(Linear(2, 3), hard()), 2)
    node = graph.nodes["1"]
    assert isinstance(node, nir.LIF)
    changed = nir.LIF(
        node.tau * 2, node.r, node.v_leak, node.v_threshold, node.v_reset, metadata=node.metadata
    )
    again = nir.NIRGraph({**graph.nodes, "1": changed}, graph.edges, metadata=graph.metadata)
    layer = learning.from_nir(again).part("1")
    assert layer.neuron.model is tr.neurons.NIRLIF
    assert layer.neuron.value("tau") == 16e-3


def test_what_was_read_is_trained_and_written() -> None:
    """Weights and learned constants go into the nodes, in the node's type where that holds them."""
    one = np.ones(3, np.float32)
    lif = nir.LIF(tau=np.array([0.01, 0.011, 0.013], np.float32), r=10 * one, v_leak=0 * one, v_threshold=one)
    graph = nir.NIRGraph.from_list(
        nir.Linear(np.eye(3, dtype=np.float32)), lif, nir.Delay([0.0030000001, 0.0, 0.0])
    )
    semantics = nir.Semantics(1e-3, "zero", "euler")
    module = learning.from_nir(graph, semantics, learn={"lif": ("tau",)})
    assert learning.to_nir(module) == semantics.added_to(graph)
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1)
    x = torch.ones(20, 2, 3, dtype=torch.float64)
    before = float(module(x).detach().sum())
    module(x).square().mean().backward()
    optimiser.step()
    written = learning.to_nir(module)
    weight, tau = written.nodes["linear"].weight, written.nodes["lif"].tau  # type: ignore[attr-defined]
    assert (weight != np.eye(3)).any()
    assert (tau != lif.tau).any()
    assert weight.dtype == tau.dtype == np.float64
    assert written.nodes["lif"].r.dtype == np.float32  # type: ignore[attr-defined]
    assert written.nodes["delay"] == graph.nodes["delay"]
    again = learning.from_nir(written)
    assert torch.equal(again(x), module(x))
    assert before > 0


def test_several_ports_nested_modules_and_precision() -> None:
    n = np.ones(2)
    inner = nir.NIRGraph.from_list(nir.LI(0.01 * n, n, 0 * n))
    graph = nir.NIRGraph(
        {"x": nir.Input([2]), "y": nir.Input([2]), "g.h": inner, "a": nir.Output([2]), "b": nir.Output([2])},
        [("x", "g.h"), ("y", "g.h"), ("g.h", "a"), ("y", "b")],
    )
    semantics = nir.Semantics(dt=1e-3, integration="exact")
    module = learning.from_nir(graph, semantics)
    x, y = np.random.default_rng(0).normal(size=(2, 5, 3, 2))
    found = module({"x": torch.tensor(x), "y": torch.tensor(y)})
    wanted = nir.run(graph, {"x": x, "y": y}, semantics).outputs
    assert np.allclose(found["a"], wanted["a"], rtol=0, atol=1e-15)
    assert np.array_equal(found["b"], y)
    assert module.part("g.h/li").neuron.model is tr.neurons.NIRLI
    with pytest.raises(InvalidValue, match="names of the inputs"):
        module({"x": torch.tensor(x)})
    single = learning.from_nir(nir.NIRGraph.from_list(nir.Linear(np.eye(2))), dtype=torch.float32)
    assert next(single.parameters()).dtype == torch.float32
    with pytest.raises(
        InvalidValue, match=r"dtype must be torch.float32, as the parameters, got torch.float64"
    ):
        single(torch.tensor(x))
    outer = nn.Sequential(
        Linear(3, 2).double(), learning.from_nir(learning.to_nir(nn.Sequential(Linear(2, 2)), 2))
    )
    assert isinstance(learning.to_nir(outer, 3).nodes["1"], nir.NIRGraph)


REFUSED: dict[str, tuple[Any, str]] = {
    "neurons": (Neurons(tr.Izhikevich()), r"0: neurons must be one of .*others have no node of NIR, got 'Izhikevich'"),
    "refractory": (Neurons(tr.LIF(v=0.0, refractory=2.0)), r"LIF.refractory must be 0 ms .*no refractory period"),
    "start": (Neurons(tr.LIF(refractory=0.0)), r"LIF.v must be 0 to be written .*relative to where v begins"),
    "NIR's own": (Neurons(tr.neurons.NIRIF(v=0.5)), r"NIRIF.v must be 0 to be written as NIR, got 0.5"),
    "output": (Neurons(tr.SoftResetLIF(**UNIT), output="v"), r"output must be 'spike'"),
    "receptors": (
        Neurons(HARD, receptors={"ampa": tr.Exponential()}, port="arrived"), r"receptors must be none .*'ampa'"
    ),
    "resets": (nn.Sequential(hard(), Neurons(tr.SoftResetLIF(**UNIT))), r"reset of the layers must be one for all"),
    "steps": (nn.Sequential(hard(), hard(dt=0.5)), r"dt of the layers must be one for all"),
    "integration": (nn.Sequential(Neurons(tr.neurons.NIRLIF(exact=1.0)), current()), r"integration of the layers"),
    "norm": (learning.BatchNorm1d(2), r"Call fold_ on the module before"),
    "delays of synapses": (DelayedLinear(2, 2, 3), r"not for each synapse"),
    "learned delay": (nn.Sequential(hard(), _delay := Delay([1, 2], learn=True)), r"Call round_ first"),
    "greatest": (learning.MaxPool2d(2), r"MaxPool2d"),
    "other": (nn.Sequential(nn.ReLU()), r"calls"),
    "padding": (learning.Conv2d(2, 2, 1, padding_mode="circular"), r"padding_mode must be 'zeros'"),
    "pooling": (learning.AvgPool2d(2, ceil_mode=True), r"ceil_mode must be False"),
    "time": (Delay(2), r"dt must be told by neurons where there is a Delay"),
    "flat": (Linear(2, 2), r"what reaches it must be of 1 axis"),
}  # fmt: skip
with torch.no_grad():
    _delay.steps.add_(0.25)


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_counterpart_is_refused(case: str) -> None:
    module, message = REFUSED[case]
    images = case in ("padding", "pooling", "greatest", "flat")
    with pytest.raises(InvalidValue, match=message):
        learning.to_nir(nn.Sequential(*[module]), (2, 3, 3) if images else 2)


def test_what_is_not_told_is_asked_for() -> None:
    one = np.ones(2)
    graph = nir.NIRGraph.from_list(nir.LIF(one, one, one, one))
    with pytest.raises(InvalidValue, match=r"Semantics.dt must be .*LIF \('lif'\).*give nir.Semantics\(dt="):
        learning.from_nir(graph)
    with pytest.raises(InvalidValue, match=r"Semantics.reset must be"):
        learning.from_nir(graph, nir.Semantics(dt=1.0, integration="euler"))
    told = nir.Semantics(1e-3, "zero", "euler")
    with pytest.raises(UnknownName, match="lif"):
        learning.from_nir(graph, told, learn={"life": ("tau",)})
    with pytest.raises(InvalidValue, match=r"from_nir\(graph\) must be a nir.NIRGraph or the path"):
        learning.from_nir(3)
    infinite = nir.NIRGraph.from_list(nir.LIF(one, one, one, np.array([1.0, np.inf])))
    with pytest.raises(InvalidValue, match=r"node 'lif': NIRLIF.v_threshold\[1\] must be a finite number"):
        learning.from_nir(infinite, told)
    with pytest.raises(InvalidValue, match=r"to_nir\(inputs\) must be the shape"):
        learning.to_nir(Linear(2, 2))
