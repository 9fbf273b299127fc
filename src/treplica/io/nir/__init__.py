"""The Neuromorphic Intermediate Representation: graphs of neurons and connections that many programs exchange.

`read` and `write` .nir files, make graphs of nodes with `NIRGraph`, compute them with `run`. `Semantics` says what the
standard leaves open: the length of a step, integration, reset and recurrence.
"""

from treplica.io.nir.files import read, write
from treplica.io.nir.graph import NIRGraph
from treplica.io.nir.neurons import IF, LI, LIF, CubaLI, CubaLIF, Delay, I, Scale, Threshold
from treplica.io.nir.node import Node
from treplica.io.nir.nodes import (
    Affine,
    AvgPool2d,
    Conv1d,
    Conv2d,
    Flatten,
    Identity,
    Input,
    Linear,
    Output,
    SumPool2d,
)
from treplica.io.nir.running import Run, run
from treplica.io.nir.semantics import Semantics
from treplica.io.nir.shapes import Shapes

__all__ = [
    "IF",
    "LI",
    "LIF",
    "Affine",
    "AvgPool2d",
    "Conv1d",
    "Conv2d",
    "CubaLI",
    "CubaLIF",
    "Delay",
    "Flatten",
    "I",
    "Identity",
    "Input",
    "Linear",
    "NIRGraph",
    "Node",
    "Output",
    "Run",
    "Scale",
    "Semantics",
    "Shapes",
    "SumPool2d",
    "Threshold",
    "read",
    "run",
    "write",
]
