"""Models on tensors: the bits of the specification, and the gradients of mathematics."""

import subprocess
import sys

import numpy as np
import pytest

from treplica.errors import InvalidValue, MissingExtra, UnknownName
from treplica.learning import surrogates, torch_derive, torch_step
from treplica.model import (
    absolute,
    atan,
    current,
    erf,
    exp,
    expm1,
    floor,
    graded,
    hold,
    log,
    maximum,
    minimum,
    neuron,
    param,
    spike,
    sqrt,
    state,
    tanh,
    vocabulary,
    where,
)
from treplica.model.check import WORDS
from treplica.model.rebind import rebind

torch = pytest.importorskip("torch")
words = pytest.importorskip("treplica.learning.words")

DTYPES = {"float64": torch.float64, "float32": torch.float32}


def leak_constants(tau, dt):
    return dict(decay=exp(-dt / tau))


@neuron(
    v=state("mV", 0.0), i=current("mV"), tau=param("ms", 10.0, low=0.0, low_open=True), derive=leak_constants
)
def Leak(v, i, decay):
    v1 = v * decay + i * (1.0 - decay)
    s = spike(v1 - 1.0)
    return dict(v=where(s > 0.0, 0.0, v1), spike=s)


@neuron(v=state("1", 0.5), i=current("1"))
def EveryWord(v, i):
    a = exp(-v) + log(1.0 + v * v) + expm1(0.1 * v) + tanh(v)
    b = sqrt(1.0 + v * v) + absolute(v - 3.0) + floor(v) + hold(v) * v
    a = a + atan(v - i) + erf(0.3 * v) - graded(v)
    c = minimum(a, b) + maximum(v, i) + where((v > 0.0) & (i > 0.0), a, b / (1.0 + a * a))
    return dict(v=c - floor(c), spike=spike(c - 10.0))


def bits(array: np.ndarray) -> np.ndarray:
    return array.view(np.int64 if array.dtype == np.float64 else np.int32)


@pytest.mark.parametrize("precision", DTYPES)
def test_every_word_has_the_bits_of_the_specification(precision: str) -> None:
    rng = np.random.default_rng(1)
    v, i = rng.normal(0, 3, 500).astype(precision), rng.normal(0, 3, 500).astype(precision)
    plain = rebind(EveryWord.step_checked, WORDS, np.dtype(precision).type)
    expected = [plain(a, b) for a, b in zip(v, i, strict=True)]
    got = torch_step(EveryWord)(v=torch.tensor(v), i=torch.tensor(i))
    for name in ("v", "spike"):
        reference = np.array([e[name] for e in expected])
        assert reference.dtype == got[name].numpy().dtype == precision
        np.testing.assert_array_equal(bits(got[name].numpy()), bits(reference))
    assert 0 < got["spike"].sum() < 500


FUNCTIONS = ["exp", "log", "expm1", "tanh", "sqrt", "atan", "erf"]


@pytest.mark.parametrize("word", FUNCTIONS)
def test_elementary_functions_have_true_derivatives(word: str) -> None:
    x = torch.linspace(-3.0, 3.0, 41, dtype=torch.float64)
    x = (x.abs() + 0.05 if word in ("log", "sqrt") else x).requires_grad_()
    function = words.words()[word]
    assert torch.autograd.gradcheck(function, x)
    assert torch.autograd.gradgradcheck(function, x)


@pytest.mark.parametrize("word", FUNCTIONS)
@pytest.mark.parametrize("precision", DTYPES)
def test_derivatives_equal_those_of_torch(word: str, precision: str) -> None:
    x = torch.tensor([1e-3, 0.1, 0.34, 0.36, 1.0, 5.0, 30.0], dtype=DTYPES[precision])
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    words.words()[word](ours).sum().backward()
    getattr(torch, word)(theirs).sum().backward()
    assert (theirs.grad != 0.0).sum() >= 6
    tiny = 8 * torch.finfo(x.dtype).eps
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=tiny, atol=tiny)


def test_a_gradient_through_time_is_the_closed_form() -> None:
    """Without spikes v after n steps is v0 * decay**n, so dv/dv0 = decay**n and dv/dtau follows."""
    tau = torch.tensor(7.0, dtype=torch.float64, requires_grad=True)
    v0 = torch.tensor(0.8, dtype=torch.float64, requires_grad=True)
    decay = torch_derive(Leak)(tau=tau, dt=0.5)["decay"]
    step, v, steps = torch_step(Leak), v0, 20
    for _ in range(steps):
        v = step(v=v, i=0.0, decay=decay)["v"]
    v.backward()
    left = np.exp(-0.5 * steps / 7.0)
    assert v0.grad.item() == pytest.approx(left, rel=1e-13)
    assert tau.grad.item() == pytest.approx(0.8 * left * 0.5 * steps / 7.0**2, rel=1e-13)


def test_spikes_pass_the_surrogate_and_nothing_by_default() -> None:
    v = torch.tensor([0.2, 0.99, 1.0, 1.7], dtype=torch.float64, requires_grad=True)
    given = dict(v=v, i=0.0, decay=1.0)
    spikes = torch_step(Leak, surrogate=lambda x: 1.0 / (1.0 + x.abs()))(**given)["spike"]
    assert spikes.tolist() == [0.0, 0.0, 1.0, 1.0]
    (gradient,) = torch.autograd.grad(spikes.sum(), v)
    torch.testing.assert_close(gradient, 1.0 / (1.0 + (v - 1.0).abs()).detach())
    (gradient,) = torch.autograd.grad(torch_step(Leak)(**given)["spike"].sum(), v)
    assert gradient.tolist() == [0.0] * 4


def test_graded_spikes_pass_a_surrogate_of_their_own() -> None:
    @neuron(v=state("1"), graded=7)
    def Counting(v):
        return dict(v=0.5 * v, spike=graded(v))

    v = torch.tensor([-1.0, 0.5, 1.0, 6.9], dtype=torch.float64, requires_grad=True)
    for surrogate, expected in ((None, [0.0] * 4), (torch.sigmoid, torch.sigmoid(v).tolist())):
        spikes = torch_step(Counting, graded_surrogate=surrogate)(v=v)["spike"]
        assert spikes.tolist() == [0.0, 0.0, 1.0, 6.0]
        (gradient,) = torch.autograd.grad(spikes.sum(), v)
        assert gradient.tolist() == expected


@neuron(v=state("1"), i=current("1"), graded=7)
def Jumps(v, i):
    """A spike that nothing compares, and a graded one."""
    return dict(v=0.9 * v + i - 0.5 * spike(v - 1.0), spike=graded(v + i))


def test_smooth_words_have_their_true_derivative() -> None:
    """Gradients equal differences, once and twice: nothing jumps any more."""
    v = torch.linspace(-2.0, 4.0, 25, dtype=torch.float64, requires_grad=True)
    pair = dict(surrogate=surrogates.Sigmoid(), graded_surrogate=surrogates.SoftReLU(scale=3.0))
    step = torch_step(Jumps, **pair, smooth=True)
    both = lambda v: tuple(step(v=v, i=0.3).values())  # noqa: E731
    torch.testing.assert_close(both(v)[0], 0.9 * v + 0.3 - 0.5 * torch.sigmoid(4.0 * (v - 1.0)))
    torch.testing.assert_close(both(v)[1], torch.nn.functional.softplus(3.0 * (v + 0.3)) / 3.0)
    assert torch.autograd.gradcheck(both, v)
    assert torch.autograd.gradgradcheck(both, v)
    hard = torch_step(Jumps, **pair)(v=v, i=0.3)
    assert set(hard["spike"].tolist()) == {0.0, 1.0, 2.0, 3.0, 4.0}
    for name in ("v", "spike"):
        (theirs,) = torch.autograd.grad(hard[name].sum(), v)
        (ours,) = torch.autograd.grad(step(v=v, i=0.3)[name].sum(), v)
        torch.testing.assert_close(ours, theirs)


def test_graded_without_a_surrogate_stays_as_it_is() -> None:
    v = torch.tensor([0.2, 2.9], dtype=torch.float64)
    step = torch_step(Jumps, surrogates.Erf(), smooth=True)
    assert step(v=v, i=0.0)["spike"].tolist() == [0.0, 2.0]


def test_smooth_words_need_a_surrogate() -> None:
    with pytest.raises(InvalidValue, match="surrogate of spike must be a Surrogate, got None"):
        torch_step(Jumps, smooth=True)
    with pytest.raises(InvalidValue, match="surrogate of graded must be a Surrogate"):
        torch_step(Jumps, surrogates.Erf(), graded_surrogate=torch.sigmoid, smooth=True)
    for given in (dict(surrogate=surrogates.Erf()), dict(smooth=True)):
        with pytest.raises(InvalidValue, match="spike must be given without surrogate="):
            torch_step(Jumps, spike=torch.sigmoid, **given)


def test_another_spike() -> None:
    v = torch.tensor([0.2, 2.9], dtype=torch.float64)
    assert torch_step(Leak, spike=torch.zeros_like)(v=v, i=0.0, decay=1.0)["v"].tolist() == [0.2, 2.9]


def test_what_ran_without_gradients_can_be_trained_afterwards() -> None:
    """Constants that are made in inference mode could not be."""

    @neuron(v=state("1"))
    def Fresh(v):
        s = spike(v - 0.123)
        return dict(v=exp(0.456 * v) - s, spike=s)

    step = torch_step(Fresh, surrogates.Triangular(width=0.789))
    v = torch.tensor([0.1, 0.5], dtype=torch.float64)
    with torch.inference_mode():
        step(v=v)
        surrogates.Triangular(width=0.789)(v)
    v.requires_grad_()
    step(v=v)["v"].sum().backward()
    assert v.grad.abs().min() > 0.0


def test_hold_passes_no_gradient() -> None:
    @neuron(v=state("1"))
    def Held(v):
        return dict(v=hold(v) * v, spike=spike(v))

    v = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    torch_step(Held)(v=v)["v"].backward()
    assert v.grad.item() == 3.0


@pytest.mark.parametrize("precision", DTYPES)
def test_primitives_equal_those_of_the_specification(precision: str) -> None:
    from treplica.numerics import primitives

    tiny = np.finfo(precision).smallest_normal
    x = np.array([tiny, 0.5, 0.7, 1.0, 3.0, 1e30, np.finfo(precision).max], dtype=precision)
    whole = np.array([-126, -1, 0, 1, 127, np.nan], dtype=precision)
    for word, values in (("mantissa", x), ("exponent", x), ("pow2", whole)):
        expected = np.asarray(getattr(primitives, word)(values))
        np.testing.assert_array_equal(getattr(words, word)(torch.tensor(values)).numpy(), expected)


def test_wrong_arguments_are_refused() -> None:
    step = torch_step(Leak)
    v = torch.zeros(3, dtype=torch.float64)
    with pytest.raises(UnknownName, match="Did you mean 'decay'"):
        step(v=v, i=v, deca=0.5)
    with pytest.raises(InvalidValue, match=r"complete \(decay missing\)"):
        step(v=v, i=v)
    with pytest.raises(InvalidValue, match=r"Leak\.i must be a torch\.float64 on cpu like v"):
        step(v=v, i=v.float(), decay=0.5)
    with pytest.raises(InvalidValue, match=r"Leak\.v: dtype must be torch\.float64 or torch\.float32"):
        step(v=v.half(), i=0.0, decay=0.5)
    with pytest.raises(InvalidValue, match="tensors, at least one"):
        step(v=0.0, i=0.0, decay=0.5)
    with pytest.raises(InvalidValue, match="a tensor or a number"):
        step(v=v, i="much", decay=0.5)
    with pytest.raises(InvalidValue, match="a model with derive="):
        torch_derive(EveryWord)


def test_the_vocabulary_is_complete() -> None:
    assert set(vocabulary.__all__) <= set(words.words())


def test_torch_stays_out_until_a_model_is_bound() -> None:
    code = "import sys, treplica.learning; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_absent_torch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "treplica.learning.words", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"pip install 'treplica\[learn\]'"):
        torch_step(Leak)
