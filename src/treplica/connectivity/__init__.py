"""Connection rules, their rows by source, draws of weights, delays and parameters, and measures of graphs."""

from treplica.connectivity.base import AbstractRule, Rows, materialise
from treplica.connectivity.draws import Constant, FromArray, LogNormal, Normal, Uniform
from treplica.connectivity.explicit import FromArrays
from treplica.connectivity.graph import (
    clustering_coefficient,
    mean_path_length,
    random_graph_clustering,
    random_graph_path_length,
    ring_lattice_clustering,
    ring_lattice_path_length,
    to_networkx,
)
from treplica.connectivity.in_degree import FixedInDegree
from treplica.connectivity.random import Bernoulli, FixedOutDegree, FixedTotalNumber
from treplica.connectivity.simple import AllToAll, OneToOne
from treplica.connectivity.small_world import WattsStrogatz
from treplica.connectivity.spatial import DistanceDependent

__all__ = [
    "AbstractRule",
    "AllToAll",
    "Bernoulli",
    "Constant",
    "DistanceDependent",
    "FixedInDegree",
    "FixedOutDegree",
    "FixedTotalNumber",
    "FromArray",
    "FromArrays",
    "LogNormal",
    "Normal",
    "OneToOne",
    "Rows",
    "Uniform",
    "WattsStrogatz",
    "clustering_coefficient",
    "materialise",
    "mean_path_length",
    "random_graph_clustering",
    "random_graph_path_length",
    "ring_lattice_clustering",
    "ring_lattice_path_length",
    "to_networkx",
]
