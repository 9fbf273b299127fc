"""Connection rules, their rows by source, and draws of weights, delays and parameters."""

from treplica.connectivity.base import AbstractRule, Rows, materialise
from treplica.connectivity.draws import Constant, FromArray, LogNormal, Normal, Uniform
from treplica.connectivity.explicit import FromArrays
from treplica.connectivity.random import Bernoulli, FixedOutDegree
from treplica.connectivity.simple import AllToAll, OneToOne
from treplica.connectivity.small_world import WattsStrogatz

__all__ = [
    "AbstractRule",
    "AllToAll",
    "Bernoulli",
    "Constant",
    "FixedOutDegree",
    "FromArray",
    "FromArrays",
    "LogNormal",
    "Normal",
    "OneToOne",
    "Rows",
    "Uniform",
    "WattsStrogatz",
    "materialise",
]
