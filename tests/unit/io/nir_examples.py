"""Numbers and a graph for NIR files."""

from typing import Any

import numpy as np

from treplica.io import nir

RNG = np.random.default_rng(5)
POOLS = {"kernel_size": np.array([2, 3]), "stride": np.array([2, 2]), "padding": np.array([1, 0])}
METADATA = {"dt": 1e-4, "n": 3, "reset": "zero", "deep": {"a": np.arange(3), "b": "ü"}}


def some(*shape: int, kind: Any = np.float32) -> np.ndarray[Any, Any]:
    return RNG.random(shape).astype(kind)


def convolution(axes: int, **changed: object) -> dict[str, Any]:
    weight = some(4, 2, *(3,) * axes)
    size = 9 if axes == 1 else (9, 8)
    stride, padding, dilation = (2, 1, 1) if axes == 1 else ((2, 2), (1, 1), (1, 1))
    made = dict(
        input_shape=size,
        weight=weight,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=1,
        bias=some(4),
    )
    return {**made, **changed}


def neuron(*names: str, kind: Any = np.float32) -> dict[str, Any]:
    return {name: some(3, 2, kind=kind) for name in names}


def large() -> nir.NIRGraph:
    """Nested, recurrent, delayed, with pooling."""
    one = np.ones(5)
    inner = nir.NIRGraph(
        {
            "input": nir.Input([5]),
            "lif": nir.LIF(one, one, one, one),
            "w": nir.Linear(np.eye(5)),
            "delay": nir.Delay(one),
            "output": nir.Output([5]),
        },
        [("input", "lif"), ("lif", "w"), ("w", "delay"), ("delay", "lif"), ("lif", "output")],
        metadata={"dt": 0.1},
    )
    return nir.NIRGraph.from_list(
        nir.Input([2, 8, 8]), nir.Conv2d(None, some(3, 2, 3, 3), 1, 1, 1, 1, some(3)), nir.SumPool2d(**POOLS),
        nir.AvgPool2d(**POOLS), nir.Flatten(None, 0), nir.Affine(some(5, 9), some(5)), inner, metadata=METADATA,
    )  # fmt: skip
