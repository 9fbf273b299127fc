import numpy as np
import pytest

from treplica.coding import Traces
from treplica.errors import InvalidValue


def small(**changes: object) -> Traces:
    values = np.array([[-65.0, -64.0], [-60.0, np.nan], [30.0, -61.0]])
    fields: dict = {"values": values, "ids": np.array([4, 9]), "times": np.array([0.5, 1.0, 1.5])}
    return Traces(**{"variable": "v", "unit": "mV", **fields, **changes})


def test_one_neuron() -> None:
    assert small().of(4).tolist() == [-65.0, -60.0, 30.0]
    assert len(small()) == 3
    assert repr(small()) == "<Traces: v in mV, 3 samples of 2 neurons over 0.5 … 1.5 ms>"
    with pytest.raises(InvalidValue, match=r"one of the recorded ids \[4, 9\], got 5"):
        small().of(5)
    with pytest.raises(ValueError, match="read-only"):
        small().values[0, 0] = 0.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": np.zeros(3)}, "values must be"),
        ({"values": np.zeros((3, 2), int)}, "values must be"),
        ({"ids": np.array([1, 2, 3])}, "ids must be 2 whole numbers"),
        ({"ids": np.array([1.0, 2.0])}, "ids must be 2 whole numbers"),
        ({"ids": np.array([1, 1])}, "ids must be different"),
        ({"ids": np.array([-1, 1])}, "ids must be different"),
        ({"times": np.array([1.0, 2.0])}, "times must be 3 numbers"),
        ({"times": np.array([1.0, 2.0, 2.0])}, "times must be finite and ascending"),
        ({"times": np.array([1.0, 2.0, np.inf])}, "times must be finite and ascending"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        small(**changes)


def test_equality_is_by_content_and_nan_equals_nan() -> None:
    assert small() == small()
    changed = np.array(small().values)
    changed[0, 0] = 1.0
    for changes in ({"unit": "V"}, {"values": changed}, {"values": small().values.astype(np.float32)}):
        assert small() != small(**changes)


def test_pandas_table() -> None:
    table = small().to_pandas()
    assert table.index.name == "time_ms"
    assert table[9].tolist()[0] == -64.0
    assert table.loc[1.5, 4] == 30.0


def test_neo_signal() -> None:
    signal = small().to_neo()
    assert signal.shape == (3, 2)
    assert signal.name == "v"
    assert str(signal.units.dimensionality) == "mV"
    assert signal.times.rescale("ms").magnitude.tolist() == pytest.approx([0.5, 1.0, 1.5])
    assert signal.array_annotations["id"].tolist() == [4, 9]
    uneven = small(times=np.array([0.5, 1.0, 5.0]), unit="1").to_neo()
    assert uneven.times.magnitude.tolist() == [0.5, 1.0, 5.0]
    assert str(uneven.units.dimensionality) == "dimensionless"
