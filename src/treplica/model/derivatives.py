"""The derivatives of the elementary functions, in the model language, once for everything that differentiates.

An elementary function is a sum of exact operations on bits, which have no useful derivative of their own: whoever
differentiates a model takes the derivative of what the function approximates from here. Those of `spike` and
`graded` are no part of a model; training brings them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from treplica.model.definition import Formula, formula
from treplica.model.vocabulary import exp


@dataclass(frozen=True, eq=False)
class Derivative:
    """The derivative of a function y = f(x) of one number: a formula of x or, where that is cheaper, of y."""

    formula: Formula

    @property
    def takes_result(self) -> bool:
        """Whether the formula takes the result y; otherwise it takes the argument x."""
        return self.formula.arguments == ("y",)


@formula
def of_sqrt(y):
    """1 / (2 sqrt(x))."""
    return 0.5 / y


@formula
def of_exp(y):
    """exp(x)."""
    return y


@formula
def of_expm1(y):
    """exp(x)."""
    return y + 1.0


@formula
def of_log(x):
    """1 / x."""
    return 1.0 / x


@formula
def of_tanh(y):
    """1 - tanh(x)**2."""
    return 1.0 - y * y


@formula
def of_atan(x):
    """1 / (1 + x**2)."""
    return 1.0 / (1.0 + x * x)


@formula
def of_erf(x):
    """2 / sqrt(pi) exp(-x**2)."""
    return 1.1283791670955126 * exp(-(x * x))


#: By the name of the word.
DERIVATIVES: Mapping[str, Derivative] = MappingProxyType(
    {
        "sqrt": Derivative(of_sqrt),
        "exp": Derivative(of_exp),
        "expm1": Derivative(of_expm1),
        "log": Derivative(of_log),
        "tanh": Derivative(of_tanh),
        "atan": Derivative(of_atan),
        "erf": Derivative(of_erf),
    }
)
