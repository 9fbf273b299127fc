"""Neurons of this library as NIR's: what a node must hold so that a NIR program does in a step what they do.

A node keeps the layer's own numbers as metadata under "treplica", and a layer that is read again has them, bit for bit,
as long as the node's fields are what they were written as.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treplica import neurons
from treplica.errors import InvalidValue, TreplicaError
from treplica.io import nir
from treplica.learning.exchange.nir_neurons import check_begins, one_or_all, spread
from treplica.learning.neurons import Neurons
from treplica.model import Instance, Model, expm1
from treplica.neurons.propagators import exponential_to_v

KEY = "treplica"
Numbers = NDArray[np.float64]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Own:
    """How a model is written. node: of values, dt in ms and whether integration is exact. choices: see `Semantics`.

    ports: what the layer's input may feed; output: what the layer must give.
    """

    model: Model
    node: Callable[[Values, str, float, bool], nir.Node]
    ports: tuple[str, ...]
    output: str
    choices: Mapping[str, str]


def _membrane(p: Values, port: str, dt: float, exact: bool) -> dict[str, Any]:
    """tau and r: by Euler's method, a tau with which its step is the exact one of the layer.

    Weights in mV are not divided by anything here, but a NIR membrane takes the part 1 - exp(-dt / tau) of r x in a
    step: r is 1 over that part, which makes the gain 1.
    """
    gain = 0.0 - expm1(-dt / p["tau"])
    tau = p["tau"] / 1000.0 if exact else dt / 1000.0 / gain
    return dict(tau=tau, r=1.0 / gain if port == "arrived" else p["tau"] / p["c_m"], v_leak=p["v_rest"])


def _threshold(p: Values) -> Numbers:
    """NIR fires above its threshold, this library's neurons at theirs: the next number below is the same border."""
    below: Numbers = np.nextafter(p["v_th"], -np.inf)
    return below


def _lif(p: Values, port: str, dt: float, exact: bool) -> nir.Node:
    if p["refractory"].any():
        advice = "NIR has no refractory period; give refractory=0."
        raise InvalidValue("LIF.refractory", float(p["refractory"].max()), "0 ms to be written", advice)
    return nir.LIF(**_membrane(p, port, dt, exact), v_threshold=_threshold(p), v_reset=p["v_reset"])


def _soft(p: Values, port: str, dt: float, exact: bool) -> nir.Node:
    return nir.LIF(**_membrane(p, port, dt, exact), v_threshold=_threshold(p), v_reset=p["v_rest"])


def _integrator(p: Values, port: str, dt: float, exact: bool) -> nir.Node:
    return nir.LI(**_membrane(p, port, dt, exact))


def _current(p: Values, port: str, dt: float, exact: bool) -> nir.Node:
    """A delay of a step and a CubaLIF: here, what arrives reaches the membrane in the step after; in NIR, at once."""
    if exact:
        advice = "The other layers ask for 'exact'; give them neurons with exact=0."
        raise InvalidValue(
            "integration", "exact", "'euler' for LIFExpCurrent, whose input is a pulse", advice
        )
    if p["refractory"].any():
        advice = "NIR has no refractory period; give refractory=0."
        raise InvalidValue(
            "LIFExpCurrent.refractory", float(p["refractory"].max()), "0 ms to be written", advice
        )
    gain, gain_syn = (0.0 - expm1(-dt / p[name]) for name in ("tau", "tau_syn"))
    node = nir.CubaLIF(
        tau_syn=dt / 1000.0 / gain_syn,
        tau_mem=dt / 1000.0 / gain,
        r=exponential_to_v(p["tau"], p["tau_syn"], p["c_m"], dt) / gain,
        v_leak=p["v_rest"],
        v_threshold=_threshold(p),
        v_reset=p["v_reset"],
        w_in=1.0 / gain_syn,
    )
    return nir.NIRGraph.from_list(nir.Delay(np.full_like(gain, dt / 1000.0)), node)


HARD, SOFT = {"reset": "zero"}, {"reset": "subtract"}
OWN = {
    own.model.name: own
    for own in (
        Own(neurons.LIF, _lif, ("arrived", "i"), "spike", HARD),
        Own(neurons.SoftResetLIF, _soft, ("arrived", "i"), "spike", SOFT),
        Own(neurons.LeakyIntegrator, _integrator, ("arrived", "i"), "v", {}),
        Own(neurons.LIFExpCurrent, _current, ("syn",), "spike", HARD | {"integration": "euler"}),
    )
}


def own_node(layer: Neurons, shape: tuple[int, ...], exact: bool) -> nir.Node:
    """The node of a layer, with its numbers as metadata.

    Raises InvalidValue for a refractory period, receptors, another output, and potentials that do not begin at 0.
    """
    model = layer.neuron.model
    own, what = OWN[model.name], model.name
    if len(layer.cell.parts) > 1:
        raise InvalidValue(
            f"{what}: receptors", sorted(filter(None, layer.cell.parts)), "none to be written as NIR"
        )
    if layer.port not in own.ports:
        raise InvalidValue(f"{what}: port", layer.port, " or ".join(map(repr, own.ports)))
    if layer.output != own.output:
        raise InvalidValue(f"{what}: output", layer.output, repr(own.output))
    check_begins(layer)
    values = {name: spread(layer, name, shape) for name in model.of_kind("param")}
    node = own.node(values, layer.port, layer.dt, exact)
    kept = {name: one_or_all(value) for name, value in values.items()}
    return dataclasses.replace(node, metadata={KEY: {"model": what, "port": layer.port, "values": kept}})


def restored(node: nir.Node, semantics: nir.Semantics, dt: float) -> tuple[Instance, str, str] | None:
    """Neuron, port and output of the layer that a node was written from; None where it was not, or was changed."""
    kept: Any = node.metadata.get(KEY)
    if not isinstance(kept, dict) or not {"model", "port", "values"} <= kept.keys():
        return None
    own = OWN.get(str(kept["model"]))
    if own is None or any(getattr(semantics, name) != word for name, word in own.choices.items()):
        return None
    inner = node.nodes["cubalif"] if isinstance(node, nir.NIRGraph) and "cubalif" in node.nodes else node
    if not isinstance(inner, (nir.LI, nir.LIF, nir.CubaLIF)):
        return None
    size = inner.r.shape
    try:
        values = dict(kept["values"])
        instance = own.model(**values)
        given = {name: np.asarray(instance.value(name), np.float64) for name in own.model.of_kind("param")}
        shaped = {n: np.broadcast_to(v if v.ndim == 0 else v.reshape(size), size) for n, v in given.items()}
        again = own.node(shaped, str(kept["port"]), dt, semantics.integration == "exact")
    except (TreplicaError, TypeError, ValueError):
        return None  # metadata have no meaning of their own: the fields count
    alike = dataclasses.replace(again, metadata=node.metadata) == node
    at_rest = dict.fromkeys(own.model.of_kind("state"), 0.0)
    return (instance.with_values(**at_rest), str(kept["port"]), own.output) if alike else None
