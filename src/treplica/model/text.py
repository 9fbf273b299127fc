"""A model as text and back: description files carry user models by their checked source."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, get_args

from treplica.errors import DescriptionError
from treplica.model.check import WORDS, Checked
from treplica.model.definition import Formula, Model, ModelKind, build_model, formula
from treplica.model.fields import Field, Kind
from treplica.model.source import bare


def model_text(model: Model) -> str:
    """Canonical text of everything that gives the model its meaning (no comments, no layout, no docs)."""
    parts = [model.kind, model.name, str(model.graded)]
    parts += [f"{n}: {sorted(asdict(replace(f, doc='')).items())}" for n, f in model.fields.items()]
    for checked in (model.step_checked, model.derive_checked):
        parts += _canonical(checked) if checked else []
    return "\n".join(parts)


def _canonical(checked: Checked) -> list[str]:
    tree = bare(checked.source.tree)
    if ast.get_docstring(tree):
        tree.body = tree.body[1:]
    lines = [ast.unparse(tree)]
    lines += [f"{n} = {v!r}" for n, v in sorted(checked.constants.items())]
    lines += [f"{n} is {w}" for n, w in sorted(checked.words.items()) if n != w]
    for name, helper in sorted(checked.formulas.items()):
        lines += [name, *_canonical(helper.checked)]
    return lines


def to_dict(model: Model) -> dict[str, Any]:
    """A model as plain data (JSON types only)."""
    defaults = asdict(Field("state"))
    return {
        "kind": model.kind,
        "name": model.name,
        "graded": model.graded,
        "source": model.source,
        "fields": {
            n: {k: _plain(v) for k, v in asdict(f).items() if k == "kind" or v != defaults[k]}
            for n, f in model.fields.items()
        },
        "presets": {n: dict(p) for n, p in model.presets.items()},
        "step": function_to_dict(model.step_checked),
        "derive": function_to_dict(model.derive_checked) if model.derive_checked else None,
        "fingerprint": model.fingerprint,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if value in (float("inf"), float("-inf")) else value


def function_to_dict(checked: Checked) -> dict[str, Any]:
    """A checked function as plain data."""
    return {
        "text": checked.source.text,
        "constants": dict(checked.constants),
        "words": dict(checked.words),
        "formulas": {n: function_to_dict(f.checked) for n, f in checked.formulas.items()},
    }


def from_dict(data: Mapping[str, Any], path: object) -> Model:
    """The model that `to_dict` wrote. Its source is checked like any model's: nothing else can run."""
    try:
        if data["kind"] not in get_args(ModelKind):
            raise ValueError(f"kind {data['kind']!r}")
        fields = {n: _field(f) for n, f in data["fields"].items()}
        model = build_model(
            data["kind"],
            _compiled(data["step"], path),
            fields,
            derive=_compiled(data["derive"], path) if data["derive"] else None,
            presets=data["presets"],
            graded=int(data["graded"]),
            source=data["source"],
        )
        changed = model.fingerprint != data["fingerprint"]
    except DescriptionError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, SyntaxError, RecursionError) as error:
        raise DescriptionError(path, f"holds a model that cannot be read ({error!r})") from None
    if changed:
        raise DescriptionError(path, f"the model {model.name} was changed after it was saved")
    return model


def _field(data: Mapping[str, Any]) -> Field:
    given: dict[str, Any] = {k: float(v) if k in ("low", "high", "default") else v for k, v in data.items()}
    if given["kind"] not in get_args(Kind) or given.get("law", "") not in ("", "normal", "uniform"):
        raise ValueError(f"field {given!r}")
    if given.get("span") is not None:
        low, high = given["span"]
        given["span"] = (float(low), float(high))
    return Field(**given)


def _compiled(data: Mapping[str, Any], path: object) -> Any:
    """A function from its text. Only a bare `def` is executed, which runs nothing; the check follows."""
    text = str(data["text"])
    parsed = ast.parse(text)
    node = parsed.body[0]
    if len(parsed.body) != 1 or not isinstance(node, ast.FunctionDef) or node.decorator_list:
        raise DescriptionError(path, "holds a model that is not one function")
    file = f"<{node.name} from {path}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space: dict[str, Any] = {n: WORDS[w] for n, w in data["words"].items()}
    space |= {n: float(v) for n, v in data["constants"].items()}
    space |= {n: formula_from_dict(f, path) for n, f in data["formulas"].items()}
    exec(compile(ast.Module([bare(node)], []), file, "exec", dont_inherit=True), space)
    return space[node.name]


def formula_from_dict(data: Mapping[str, Any], path: object) -> Formula:
    """The formula that `function_to_dict` wrote."""
    return formula(_compiled(data, path))
