"""Formats of numbers: what does not fit the working type is refused before anything runs."""

import numpy as np
import pytest

import treplica as tr
from treplica.errors import InvalidValue, UnknownName
from treplica.numerics.formats import FORMATS, format_of


def test_formats_go_by_name():
    assert format_of("float32").real is np.float32
    with pytest.raises(UnknownName, match="float32"):
        format_of("float3")


@pytest.mark.parametrize("values", [1e39, np.array([0.0, -1e39])])
def test_range_of_float32(values):
    FORMATS["float64"].check_range("x", values)
    with pytest.raises(InvalidValue, match=r"x must be at most 3\.4.*e\+38 in magnitude.*1e\+39"):
        FORMATS["float32"].check_range("x", values)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (lambda cells, net: None, "cells.v_th"),
        (lambda cells, net: net.stimulate(cells, tr.StepCurrent([0.0], [1e39])), "cells_drive: StepCurrent"),
    ],
)
def test_a_simulation_names_what_float32_cannot_hold(given, named):
    net = tr.Network()
    threshold = 1e39 if named == "cells.v_th" else -50.0
    cells = net.add(tr.Population("cells", 2, tr.LIF(v_th=threshold)))
    given(cells, net)
    with pytest.raises(InvalidValue, match=named):
        tr.Simulation(net, precision="float32", quiet=True)
    tr.Simulation(net, precision="float64", engine="plain", quiet=True)
