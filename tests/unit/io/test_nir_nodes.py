"""Nodes of NIR: what their fields may hold, what they fill in, what they refuse."""

import dataclasses

import nir as standard
import numpy as np
import pytest

from treplica.errors import InvalidValue
from treplica.io import nir
from treplica.io.nir.fields import FIELDS
from treplica.io.nir.node import NODES

ONES = np.ones(3)


def lif(**changed: object) -> nir.LIF:
    return nir.LIF(**{"tau": ONES, "r": ONES, "v_leak": ONES, "v_threshold": ONES, **changed})


def conv(**changed: object) -> nir.Conv2d:
    given = dict(
        input_shape=(5, 6),
        weight=np.ones((4, 2, 3, 3)),
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=np.ones(4),
    )
    return nir.Conv2d(**{**given, **changed})


def test_every_node_of_the_standard_is_there_with_its_fields() -> None:
    theirs = {name for name in dir(standard.ir) if isinstance(getattr(standard.ir, name), type)}
    theirs = {name for name in theirs if issubclass(getattr(standard.ir, name), standard.NIRNode)} - {
        "NIRNode"
    }
    assert theirs | {"Identity"} == set(NODES)
    renamed = {"input_type": "shape", "output_type": "shape"}
    for name in theirs - {"NIRGraph"}:
        made = [
            each
            for each in dataclasses.fields(getattr(standard, name))
            if each.init and each.name != "metadata"
        ]
        fields = [each.name if name == "Flatten" else renamed.get(each.name, each.name) for each in made]
        assert fields == list(NODES[name].field_names()), name
        assert set(fields) <= FIELDS.keys()


def test_a_field_keeps_its_type_and_cannot_be_changed() -> None:
    given = np.ones(3, np.float32)
    node = lif(tau=given)
    given[0] = 7.0
    assert node.tau.dtype == np.float32
    assert node.tau.tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match="read-only"):
        node.tau[0] = 2.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        node.tau = given  # type: ignore[misc]


def test_what_is_not_given_is_filled_in() -> None:
    assert lif(v_threshold=ONES.astype(np.float32)).v_reset.dtype == np.float32
    assert lif().v_reset.tolist() == [0.0, 0.0, 0.0]
    single = ONES.astype(np.float32)
    node = nir.CubaLIF(single, single, single, single, single, w_in=0.5)
    assert node.w_in.tolist() == [0.5, 0.5, 0.5]
    assert node.w_in.dtype == np.float32


def test_equality_is_of_type_fields_and_metadata() -> None:
    assert lif() == lif()
    assert lif() != lif(tau=ONES.astype(np.float32))
    assert lif() != lif(tau=2 * ONES)
    assert lif() != lif(metadata={"a": 1})
    assert lif(metadata={"a": np.arange(3)}) == lif(metadata={"a": np.arange(3)})
    assert lif() != nir.Scale(ONES)
    assert lif() != 3


def test_repr_is_short() -> None:
    assert repr(nir.Linear(np.ones((20, 30)))) == "Linear(weight=<float64[20, 30]>)"
    assert repr(nir.Scale([1.0, 2.0])) == "Scale(scale=[1.0, 2.0])"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lif(tau="fast"), r"LIF.tau must be numbers, got 'fast'"),
        (lambda: lif(tau=np.array(["a"])), r"LIF.tau must be numbers, got dtype\('<U1'\)"),
        (lambda: lif(tau=[True]), r"LIF.tau must be numbers, got dtype\('bool'\)"),
        (lambda: lif(tau=[1j]), r"LIF.tau must be numbers"),
        (lambda: lif(tau=None), r"LIF.tau must be numbers, got None"),
        (lambda: lif(tau=[[1.0], [1.0, 2.0]]), r"LIF.tau must be numbers"),
        (lambda: lif(r=[1.0, np.nan, 1.0]), r"LIF.r must be numbers, not NaN, got nan"),
        (lambda: lif(r=np.ones(2)), r"the shape of LIF.r must be \(3,\), which is that of LIF.tau, got \(2,\)"),
        (lambda: lif(v_reset=np.ones((3, 1))), r"the shape of LIF.v_reset must be \(3,\), .* got \(3, 1\)"),
        (lambda: nir.CubaLI(*[ONES] * 4, w_in=np.ones(2)), r"the shape of CubaLI.w_in must be \(\) or \(3,\)"),
        (lambda: nir.CubaLI(*[ONES] * 4, w_in=np.ones((2, 3))), r"the shape of CubaLI.w_in must be \(\) or \(3,\)"),
        (lambda: nir.Delay([-0.1]), r"Delay.delay must be numbers, >= 0, got -0.1"),
        (lambda: nir.Linear(ONES), r"the shape of Linear.weight must be \(..., outputs, inputs\), got \(3,\)"),
        (lambda: nir.Affine(np.ones((2, 3)), ONES), r"the shape of Affine.bias must be \(2,\), .*, got \(3,\)"),
        (lambda: nir.Input((2, -1)), r"Input.shape must be a row of whole numbers, >= 0, got -1"),
        (lambda: nir.Input(2.5), r"Input.shape must be a row of whole numbers, >= 0, got 2.5"),
        (lambda: nir.Input(2), r"Input.shape must be a row of whole numbers, >= 0, got \(\)"),
        (lambda: conv(padding="full"), r"Conv2d.padding must be .*, or 'same', or 'valid', got 'full'"),
        (lambda: conv(stride="same"), r"Conv2d.stride must be .* got 'same'"),
        (lambda: conv(stride=0), r"Conv2d.stride must be a whole number or a row of them, >= 1, got 0"),
        (lambda: conv(stride=(1, 1, 1)), r"the shape of Conv2d.stride must be .*\(2,\)"),
        (lambda: conv(groups=3), r"Conv2d.groups must be a divisor of the 4 channels out, got 3"),
        (lambda: conv(groups=0), r"Conv2d.groups must be a whole number, >= 1, got 0"),
        (lambda: conv(bias=np.ones(3)), r"the shape of Conv2d.bias must be \(4,\)"),
        (lambda: conv(weight=np.ones((4, 2, 3))), r"the shape of Conv2d.weight must be .*kernel.*, got \(4, 2, 3\)"),
        (lambda: conv(padding="same", stride=2), r"Conv2d.stride must be 1 where padding is 'same', got \(2, 2\)"),
        (lambda: lif(metadata=3), r"LIF.metadata must be a dictionary"),
        (lambda: lif(metadata={"a": None}), r"LIF.metadata\['a'\] must be a number, a text"),
        (lambda: lif(metadata={"a/b": 1}), r"a key of LIF.metadata must be a text without '/'"),
        (lambda: lif(metadata={"a": "\0"}), r"LIF.metadata\['a'\] must be a text without NUL"),
        (lambda: nir.Node(), r"a node must be one of .*LIF"),
    ],
)  # fmt: skip
def test_what_breaks_the_standard_is_refused(make: object, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        make()  # type: ignore[operator]


def test_metadata_are_kept_as_python_numbers_and_read_only_arrays() -> None:
    node = lif(
        metadata={"dt": np.float64(0.1), "n": 3, "ok": True, "names": ["a", "b"], "deep": {"x": np.arange(2)}}
    )
    assert type(node.metadata["dt"]) is float
    assert type(node.metadata["n"]) is int
    assert node.metadata["ok"] is True
    assert node.metadata["names"].tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="read-only"):
        node.metadata["deep"]["x"][0] = 1
