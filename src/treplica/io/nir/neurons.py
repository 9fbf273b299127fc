"""The nodes of NIR 1.0.8 with one number for each unit: neurons, and what acts on every unit by itself.

Every field is an array of the shape of the layer. Times are in seconds; what else is measured in is the graph's affair.
Source: Pedersen et al. 2024, doi:10.1038/s41467-024-52259-9, and the package nir 1.0.8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from treplica.errors import InvalidValue
from treplica.io.nir.fields import Array, OpenShape, as_field
from treplica.io.nir.node import Node, check_shape, entered


@dataclass(frozen=True, eq=False, repr=False)
class PerUnit(Node):
    """A node whose fields all have the shape of its input and its output. Abstract."""

    def _complete(self) -> None:
        own, names = type(self).__name__, list(type(self).field_names())
        values = {name: getattr(self, name) for name in names}
        if "v_reset" in names and values["v_reset"] is None:  # older files do not have it
            values["v_reset"] = np.zeros_like(values["v_threshold"])
        if "w_in" in names:
            values["w_in"] = _spread_weight(own, values["w_in"], values["v_leak"])
        for name, value in values.items():
            check_shape(own, name, value, values[names[0]].shape, f"which is that of {own}.{names[0]}")
            object.__setattr__(self, name, as_field(own, name, value))

    @property
    def takes(self) -> OpenShape:
        """Shape of every field."""
        first: Array = getattr(self, next(iter(type(self).field_names())))
        return first.shape


@entered
@dataclass(frozen=True, eq=False, repr=False)
class Scale(PerUnit):
    """y = s x, unit by unit."""

    scale: Array


@entered
@dataclass(frozen=True, eq=False, repr=False)
class Threshold(PerUnit):
    """y = 1 where x > threshold, else 0."""

    threshold: Array


@entered
@dataclass(frozen=True, eq=False, repr=False)
class Delay(PerUnit):
    """y(t) = x(t - delay); `delay` in seconds, >= 0."""

    delay: Array


@entered
@dataclass(frozen=True, eq=False, repr=False)
class I(PerUnit):  # noqa: E742 (the standard's name)
    """Integrator: dv/dt = r x; the output is v."""

    r: Array


@entered
@dataclass(frozen=True, eq=False, repr=False)
class IF(PerUnit):
    """Integrate-and-fire neuron: dv/dt = r x; where v > v_threshold the output is 1 and v is reset.

    `v_reset` None is 0.
    """

    r: Array
    v_threshold: Array
    v_reset: Array | None = None


@entered
@dataclass(frozen=True, eq=False, repr=False)
class LI(PerUnit):
    """Leaky integrator: tau dv/dt = v_leak - v + r x; the output is v. `tau` in seconds."""

    tau: Array
    r: Array
    v_leak: Array


@entered
@dataclass(frozen=True, eq=False, repr=False)
class LIF(PerUnit):
    """Leaky integrate-and-fire neuron: tau dv/dt = v_leak - v + r x; where v > v_threshold the output is 1, v is reset.

    `tau` in seconds; `v_reset` None is 0.
    """

    tau: Array
    r: Array
    v_leak: Array
    v_threshold: Array
    v_reset: Array | None = None


@entered
@dataclass(frozen=True, eq=False, repr=False)
class CubaLI(PerUnit):
    """Leaky integrator behind a synapse: tau_syn di/dt = w_in x - i, tau_mem dv/dt = v_leak - v + r i; the output is v.

    `tau_syn`, `tau_mem` in seconds; `w_in` may be one number for all units.
    """

    tau_syn: Array
    tau_mem: Array
    r: Array
    v_leak: Array
    w_in: Array | float = 1.0


@entered
@dataclass(frozen=True, eq=False, repr=False)
class CubaLIF(PerUnit):
    """Leaky integrate-and-fire neuron behind a synapse.

    tau_syn di/dt = w_in x - i, tau_mem dv/dt = v_leak - v + r i; where v > v_threshold the output is 1 and v is reset.
    `tau_syn`, `tau_mem` in seconds; `v_reset` None is 0; `w_in` may be one number for all units.
    """

    tau_syn: Array
    tau_mem: Array
    r: Array
    v_leak: Array
    v_threshold: Array
    v_reset: Array | None = None
    w_in: Array | float = 1.0


def _spread_weight(owner: str, value: Array, like: Array) -> Array:
    """Return `w_in` for each unit; one number of Python takes the type of the other fields."""
    try:
        spread = np.broadcast_to(value, like.shape)
    except ValueError:
        allowed = f"() or {like.shape}: one number, or one for each unit"
        raise InvalidValue(f"the shape of {owner}.w_in", value.shape, allowed) from None
    if value.ndim == 0 and value.dtype == np.float64 and like.dtype.kind == "f":
        return spread.astype(like.dtype)
    return spread
