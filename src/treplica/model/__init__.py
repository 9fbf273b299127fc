"""The model language: declarations, vocabulary, checks and lowering."""

from treplica.model.definition import Formula, Instance, Model, formula, neuron, receptor
from treplica.model.fields import Draw, Field, arrival, current, normal, param, sees, state, uniform
from treplica.model.vocabulary import (
    absolute,
    exp,
    expm1,
    floor,
    hold,
    log,
    maximum,
    minimum,
    spike,
    sqrt,
    tanh,
    where,
)

__all__ = [
    "Draw",
    "Field",
    "Formula",
    "Instance",
    "Model",
    "absolute",
    "arrival",
    "current",
    "exp",
    "expm1",
    "floor",
    "formula",
    "hold",
    "log",
    "maximum",
    "minimum",
    "neuron",
    "normal",
    "param",
    "receptor",
    "sees",
    "spike",
    "sqrt",
    "state",
    "tanh",
    "uniform",
    "where",
]
