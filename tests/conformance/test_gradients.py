"""The adjoint of every model is what autograd gives for the same function, and the derivative of mathematics."""

import numpy as np
import pytest
from future_kinds import KINDS

from treplica import neurons
from treplica.learning.cell import Cell, Relaxation, Stand, step_of, vjp_of
from treplica.learning.surrogates import FastSigmoid, Sigmoid, SoftReLU, Surrogate
from treplica.model import Model
from treplica.model.check import WORDS
from treplica.model.rebind import rebind

torch = pytest.importorskip("torch")
words = pytest.importorskip("treplica.learning.words")

NEURONS = [getattr(neurons, n) for n in neurons.__all__] + [m for m in KINDS if m.kind == "neuron"]
SIZE = 60
KIND = (torch.float64, torch.device("cpu"))
#: Models whose spikes pass no gradient: drawn, or none.
SILENT = {"PoissonSource", "RegularSource"}


def cell_of(model: Model) -> Cell:
    return Cell(model())


def arguments(cell: Cell, seed: int) -> dict[str, np.ndarray]:
    """Random numbers near the defaults, some of them beyond the threshold."""
    rng = np.random.default_rng(seed)
    model, dt = cell.neuron.model, 0.1
    parameters = {n: f.default for n, f in model.of_kind("param").items()}
    known = {**parameters, "dt": dt}
    if model.derive_checked:
        derived = model.derive_checked.source
        known |= derived.function(**{a: known[a] for a in derived.arguments})
    values = {}
    for q in cell.quantities.values():
        if q.role == "state":
            waits = q.name == "wait"
            center = model.fields[q.name].default
            values[q.identifier] = rng.integers(0, 2, SIZE) * 2.0 if waits else rng.normal(center, 4.0, SIZE)
        elif q.role in ("constant", "dt"):
            values[q.identifier] = np.full(SIZE, known[q.name])
        else:
            values[q.identifier] = rng.normal(0.0, 8.0, SIZE)
    return values


def stand(word: str, surrogate: Surrogate, value: str) -> Stand:
    return Stand(word, surrogate.smooth, surrogate.derivative, (value,))


def relaxation(
    attached: bool, smooth: bool = False, slope: float = 2.0
) -> tuple[Relaxation, dict[str, float]]:
    stands = (stand("spike", FastSigmoid(), "surrogate_scale"), stand("graded", SoftReLU(), "graded_scale"))
    return Relaxation(stands, attached, smooth), {"surrogate_scale": slope, "graded_scale": 1.0}


@pytest.mark.parametrize("attached", [False, True], ids=["detached", "attached"])
@pytest.mark.parametrize("model", NEURONS, ids=lambda m: m.name)
def test_the_adjoint_is_what_autograd_gives(model: Model, attached: bool) -> None:
    cell = cell_of(model)
    relaxed, values = relaxation(attached)
    outputs = [*(q.key for q in cell.states), "spike"]
    given = {n: torch.tensor(v, requires_grad=True) for n, v in arguments(cell, 1).items()}
    extra = {n: torch.tensor(v, dtype=torch.float64) for n, v in values.items()}
    literal = words.literals(words.Kind(*KIND))
    vocabulary = words.words(FastSigmoid(scale=2.0), graded_surrogate=SoftReLU())
    results = rebind(step_of(cell, relaxed), vocabulary, literal)(**given, **extra)
    plain = rebind(model.step_checked, vocabulary, literal)
    expected = plain(**{q.name: given[q.identifier] for q in cell.quantities.values()})
    cotangents = {n: torch.randn(SIZE, dtype=torch.float64) for n in results}
    for name, value in expected.items():
        torch.testing.assert_close(results[name], value, rtol=0, atol=0, equal_nan=True)
    reached = [n for n, r in results.items() if isinstance(r, torch.Tensor) and r.requires_grad]
    if not reached:
        assert model.name in SILENT
        return
    loss = sum((results[n] * cotangents[n]).sum() for n in reached)
    gradients = torch.autograd.grad(loss, list(given.values()), allow_unused=True)
    checked, _ = vjp_of(cell, relaxed, outputs)
    with torch.no_grad():
        back = rebind(checked, words.words(), literal)(
            **given, **extra, **{f"d_{n}": c for n, c in cotangents.items()}
        )
    moved = 0
    for (name, _), gradient in zip(given.items(), gradients, strict=True):
        wanted = torch.zeros(SIZE, dtype=torch.float64) if gradient is None else gradient
        torch.testing.assert_close(back[f"d_{name}"].expand(SIZE), wanted, rtol=1e-12, atol=0, equal_nan=True)
        moved += bool((wanted != 0).any())
    assert moved


@pytest.mark.parametrize("attached", [False, True], ids=["detached", "attached"])
@pytest.mark.parametrize(
    "name", ["LIF", "SoftResetLIF", "ALIF", "LIFExp", "QuadraticIF", "AdEx", "LIFCondExp"]
)
def test_the_smooth_step_has_the_derivative_of_differences(name: str, attached: bool) -> None:
    """With smooth spikes the adjoint is the true gradient: central differences in a random direction."""
    model = getattr(neurons, name)
    cell = cell_of(model)
    stands = (stand("spike", Sigmoid(), "surrogate_alpha"),)
    relaxed, values = Relaxation(stands, attached, smooth=True), {"surrogate_alpha": 1.0}
    outputs = [*(q.key for q in cell.states), "spike"]
    step = rebind(step_of(cell, relaxed), WORDS, float)
    back = rebind(vjp_of(cell, relaxed, outputs)[0], WORDS, float)
    given, rng = arguments(cell, 2), np.random.default_rng(5)
    cotangents = {n: rng.normal(size=SIZE) for n in outputs}
    # What decides (refractory steps, time) is not moved; everything else is, relative to its size.
    free = [q.identifier for q in cell.quantities.values() if q.name not in ("wait", "dt", "pause")]
    direction = {n: rng.normal(size=SIZE) * np.maximum(np.abs(given[n]), 1e-3) for n in free}

    def loss(by: float) -> np.ndarray:
        moved = {n: v + by * direction[n] if n in direction else v for n, v in given.items()}
        results = step(**moved, **values)
        return sum(results[n] * cotangents[n] for n in outputs)

    eps = 1e-6
    with np.errstate(all="ignore"):
        differences = (loss(eps) - loss(-eps)) / (2.0 * eps)
        gradients = back(**given, **values, **{f"d_{n}": c for n, c in cotangents.items()})
    along = sum(gradients[f"d_{n}"] * direction[n] for n in free)
    steady = np.isfinite(differences) & (
        np.abs(differences) < 1e4
    )  # a hard decision lies between: not differentiable
    assert steady.mean() > 0.8
    error = np.abs(along - differences)[steady] / (1.0 + np.abs(differences[steady]))
    assert np.median(error) < 1e-7
    assert np.mean(error < 1e-4) > 0.9
