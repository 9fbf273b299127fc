"""A network description as a JSON file: readable, complete, checked when read.

    {"format": "treplica.network", "version": 1, "sha256": "...", "network": {...}}

Arrays are base64 of zlib of little-endian items. Models shipped with Treplica go by name, others by their source.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from treplica import connectivity, neurons, synapses
from treplica.coding.files import replacing
from treplica.coding.trains import SpikeTrains
from treplica.errors import DescriptionError, TreplicaError
from treplica.model import Instance, Model
from treplica.model.text import from_dict, to_dict
from treplica.network.network import Network
from treplica.network.parts import Population, Probe, Projection, Stimulus
from treplica.network.stimuli import PoissonInput, SpikeInput, StepCurrent
from treplica.network.views import View

FORMAT, VERSION = "treplica.network", 1

#: Classes that a file may name, beside models.
_CLASSES: dict[str, type] = {
    **{n: c for n, c in vars(connectivity).items() if isinstance(c, type) and dataclasses.is_dataclass(c)},
    **{c.__name__: c for c in (PoissonInput, SpikeInput, StepCurrent, SpikeTrains, View)},
}
_SHIPPED: dict[str, Model] = {
    m.name: m for module in (neurons, synapses) for m in vars(module).values() if isinstance(m, Model)
}
#: Arrays that a file may hold: truth values, whole numbers and floats.
_DTYPES = ("|b1", "|i1", "|u1", *(f"<{kind}{size}" for kind in "iu" for size in "248"), "<f4", "<f8")


def save(network: Network, path: Path) -> None:
    """Write the description, beside the goal first, then renamed onto it."""
    text = to_text(network)
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def to_text(network: Network) -> str:
    """The description as JSON; DescriptionError where it holds what cannot be written."""
    body = {
        "seed": network.seed,
        "models": _user_models(network),
        "populations": [_population(p) for p in network.populations],
        "projections": [_fields(p) for p in network.projections],
        "stimuli": [_fields(s) for s in network.stimuli],
        "probes": [_fields(p) for p in network.probes],
    }
    document = {"format": FORMAT, "version": VERSION, "sha256": _digest(body), "network": body}
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def load(path: Path) -> Network:
    """Read a description that `save` wrote."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DescriptionError(path, f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DescriptionError(path, "is not a network description (not text)") from None
    return from_text(text, path)


def from_text(text: str, path: Path) -> Network:
    """Read what `to_text` gave; path: where it was, for messages."""
    body = _checked(text, path)
    try:
        return _network(body, path)
    except DescriptionError:
        raise
    # What a description holds passes through every check there is; whatever they say means one thing here.
    except Exception as error:
        said = str(error).rstrip(".") if isinstance(error, TreplicaError) else repr(error)
        problem = f"holds a description that cannot be used ({said})"
        raise DescriptionError(path, problem, "Save it again with this version.") from error


def _checked(text: str, path: Path) -> Any:
    """The network of a document that is whole, of this format and version."""
    try:
        document = json.loads(text)
        digest = _digest(document.get("network")) if isinstance(document, dict) else ""
    except (ValueError, RecursionError):  # ValueError is also what numbers of thousands of digits give
        advice = "Network.save writes descriptions; a file cut short cannot be read."
        raise DescriptionError(path, "is not a network description, or is truncated", advice) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DescriptionError(path, f"is not a network description (its format is not {FORMAT!r})")
    if document.get("version") != VERSION:
        advice = f"This version of Treplica reads version {VERSION}."
        raise DescriptionError(path, f"has format version {document.get('version')!r}", advice)
    if document.get("sha256") != digest:
        raise DescriptionError(path, "was changed or damaged after it was saved (its checksum differs)")
    return document["network"]


def _digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _instances(network: Network) -> list[Instance]:
    found = [p.neuron for p in network.populations]
    found += [r for p in network.populations for r in p.receptors.values()]
    return found + [s.drive for s in network.stimuli if isinstance(s.drive, Instance)]


def _user_models(network: Network) -> dict[str, Any]:
    """Models that are not shipped, by name; two different ones cannot share a name."""
    models: dict[str, Model] = {}
    for instance in _instances(network):
        first = models.setdefault(instance.model.name, instance.model)
        if first is not instance.model and first.fingerprint != instance.model.fingerprint:
            problem = "two different models of the network have this name"
            raise DescriptionError(first.name, problem, "Rename one.")
    return {n: to_dict(m) for n, m in models.items() if _SHIPPED.get(n) is not m}


def _population(population: Population) -> dict[str, Any]:
    return {
        "name": population.name,
        "size": population.size,
        "neuron": _plain(population.neuron),
        "receptors": {n: _plain(r) for n, r in population.receptors.items()},
        "sleep_within": population.sleep_within,
    }


def _fields(piece: Any) -> dict[str, Any]:
    return {f.name: _plain(getattr(piece, f.name)) for f in dataclasses.fields(piece)}


def _plain(value: Any) -> Any:
    """JSON for a value: numbers, text, arrays, instances and the classes that files may name."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return number if np.isfinite(number) else {"number": str(number)}
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
        data = base64.b64encode(zlib.compress(array.tobytes())).decode()
        return {"array": data, "dtype": array.dtype.str, "shape": list(array.shape)}
    if isinstance(value, range):
        return {"range": [value.start, value.stop, value.step]}
    if isinstance(value, tuple):
        return {"tuple": [_plain(v) for v in value]}
    if isinstance(value, Instance):
        values = {n: _plain(v) for n, v in value.values.items()}
        shipped = {"fingerprint": value.model.fingerprint} if value.model.name in _SHIPPED else {}
        return {"model": value.model.name, **shipped, "values": values, "feeds": value.feeds}
    name = type(value).__name__
    if _CLASSES.get(name) is not type(value):
        advice = "Use the rules and draws of treplica.connectivity."
        raise DescriptionError(name, "an object of this class cannot be written to a description", advice)
    return {"class": name, **_fields(value)}


def _network(body: Any, path: Path) -> Network:
    models = {n: from_dict(m, path) for n, m in body["models"].items()}
    network = Network(seed=body["seed"])
    for data in body["populations"]:
        receptors = {n: _value(r, models, path) for n, r in data["receptors"].items()}
        neuron = _value(data["neuron"], models, path)
        network.add(Population(data["name"], data["size"], neuron, receptors, data.get("sleep_within")))

    def pieces(kind: type, key: str) -> Any:
        return (kind(**{n: _value(v, models, path) for n, v in data.items()}) for data in body[key])

    for projection in pieces(Projection, "projections"):
        given = {f: getattr(projection, f) for f in ("rule", "weight", "delay", "port", "name")}
        network.connect(projection.source, projection.target, **given)
    for stimulus in pieces(Stimulus, "stimuli"):
        port, current = stimulus.port or None, stimulus.current or None
        network.stimulate(stimulus.target, stimulus.drive, port=port, current=current, name=stimulus.name)
    for probe in pieces(Probe, "probes"):
        network.record(probe.target, probe.variable, interval=probe.interval, name=probe.name)
    return network


def _value(data: Any, models: dict[str, Model], path: Path) -> Any:
    if not isinstance(data, dict):
        return data
    if "class" in data:  # first: a class may have a field with the name of another form
        cls = _CLASSES[data["class"]]
        return cls(**{n: _value(v, models, path) for n, v in data.items() if n != "class"})
    if "model" in data:
        return _instance(data, models, path)
    if "number" in data:
        return float(data["number"])
    if "array" in data:
        return _array(data)
    if "range" in data:
        return range(*data["range"])
    return tuple(_value(v, models, path) for v in data["tuple"])


def _array(data: dict[str, Any]) -> Any:
    if data["dtype"] not in _DTYPES:
        raise ValueError(f"an array of {data['dtype']!r}")
    raw = zlib.decompress(base64.b64decode(data["array"], validate=True))
    return np.frombuffer(raw, dtype=data["dtype"]).reshape(data["shape"])


def _instance(data: Any, models: dict[str, Model], path: Path) -> Instance:
    name = data["model"]
    model = models.get(name) or _SHIPPED.get(name)
    if model is None:
        raise DescriptionError(path, f"names the model {name!r}, which it does not contain")
    if data.get("fingerprint", model.fingerprint) != model.fingerprint:
        advice = "Its results would differ; use the version that wrote the file."
        raise DescriptionError(path, f"was written with another version of the model {name}", advice)
    instance = model(**{n: _value(v, models, path) for n, v in data["values"].items()})
    return dataclasses.replace(instance, feeds=data["feeds"])
