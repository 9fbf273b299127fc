"""`@neuron`, `@receptor` and `@formula`: a function and a table of its quantities become a model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import FunctionType, MappingProxyType
from typing import Any, Literal

import numpy as np

from treplica.errors import InvalidValue, UnknownName
from treplica.model import pickling
from treplica.model.check import Checked, check
from treplica.model.fields import Field, Kind, Value
from treplica.model.source import read_source

ModelKind = Literal["neuron", "receptor"]
RESERVED = ("dt", "spike", "current")


@dataclass(frozen=True, eq=False)
class Formula:
    """A function in the model language that models may call. Calling it runs it as plain Python."""

    checked: Checked
    is_formula = True

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of the arguments."""
        return self.checked.source.arguments

    @property
    def width(self) -> int:
        """How many numbers it returns."""
        return self.checked.width

    def __call__(self, *args: Any) -> Any:
        """The formula run as plain Python."""
        return self.checked.source.function(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        from treplica.model.text import function_to_dict

        known = pickling.reference(self, self.checked.source.function)
        if known:
            return pickling.by_name, known
        return pickling.formula_from, (function_to_dict(self.checked),)

    def __deepcopy__(self, memo: object) -> Formula:
        return self


def formula(function: Callable[..., Any]) -> Formula:
    """Make a helper function callable from models; it must be inside the model language."""
    return Formula(check(read_source(function), is_formula=True))


@dataclass(frozen=True, eq=False)
class Model:
    """A neuron or receptor: one function, the table of its quantities, its presets and its source.

    Call it with parameter and initial values to get an `Instance` for a population; call `model.step(...)`
    with numbers to run the specification. Presets are attributes: `Izhikevich.regular_spiking()`.
    """

    kind: ModelKind
    name: str
    fields: Mapping[str, Field]
    step_checked: Checked
    derive_checked: Checked | None
    presets: Mapping[str, Mapping[str, float]]
    graded: int
    source: str
    doc: str

    @property
    def step(self) -> FunctionType:
        """The function itself: scalars in, dict of scalars out. This is the specification."""
        return self.step_checked.source.function

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names that `step` takes, in order."""
        return self.step_checked.source.arguments

    @property
    def derived(self) -> tuple[str, ...]:
        """Names of the constants that `derive=` computes."""
        return self.derive_checked.outputs if self.derive_checked else ()

    def of_kind(self, *kinds: Kind) -> dict[str, Field]:
        """The fields of the given kinds, in order of declaration."""
        return {n: f for n, f in self.fields.items() if f.kind in kinds}

    @property
    def fingerprint(self) -> str:
        """Hash of everything that determines the model's meaning."""
        from treplica.model.text import model_text

        return hashlib.sha256(model_text(self).encode()).hexdigest()[:16]

    def __call__(self, **values: Any) -> Instance:
        """An instance with these parameter and initial values; the rest are defaults."""
        return Instance(self, MappingProxyType(self.validate(values)))

    def validate(self, values: Mapping[str, Any]) -> dict[str, Value]:
        """Check names and values of parameters and initial states."""
        settable = self.of_kind("param", "state")
        for name in values:
            if name not in settable:
                raise UnknownName(f"{self.name} parameter", name, settable)
        return {n: settable[n].check(f"{self.name}.{n}", v) for n, v in values.items()}

    def __getattr__(self, name: str) -> Callable[..., Instance]:
        """A preset as a function of further values."""
        presets = self.__dict__.get("presets", {})
        if name in presets:
            return partial(self.preset, name)
        hint = UnknownName(f"{self.__dict__.get('name', 'model')} preset", name, presets)
        raise AttributeError(str(hint))

    def __dir__(self) -> list[str]:
        """Attributes, presets included, for completion."""
        return [*super().__dir__(), *self.presets]

    def preset(self, preset_name: str, /, **values: Any) -> Instance:
        """An instance with the published values of a preset, overridden by `values`."""
        if preset_name not in self.presets:
            raise UnknownName(f"{self.name} preset", preset_name, self.presets)
        return self(**{**self.presets[preset_name], **values})

    def __reduce__(self) -> tuple[Any, ...]:
        from treplica.model.text import to_dict

        known = pickling.reference(self, self.step_checked.source.function)
        return (pickling.by_name, known) if known else (pickling.model_from, (to_dict(self),))

    def __deepcopy__(self, memo: object) -> Model:
        return self

    def __repr__(self) -> str:
        return f"<{self.kind} model {self.name}>"


@dataclass(frozen=True, eq=False)
class Instance:
    """A model with values: what a population is made of. `feeds` names the current a receptor supplies."""

    model: Model
    values: Mapping[str, Value] = field(default_factory=dict)
    feeds: str | None = None

    def value(self, name: str) -> Value:
        """The value of a parameter or the initial value of a state."""
        return self.values.get(name, self.model.fields[name].default)

    def into(self, current_name: str) -> Instance:
        """The same receptor, supplying the current of that name (for neurons with several)."""
        if self.model.kind != "receptor":
            raise InvalidValue("into(...)", self.model.name, "used on a receptor")
        return replace(self, feeds=current_name)

    def with_values(self, **values: Any) -> Instance:
        """The same instance with some values replaced."""
        return replace(self, values=MappingProxyType({**self.values, **self.model.validate(values)}))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Instance):
            return NotImplemented
        return (
            self.model.fingerprint == other.model.fingerprint
            and self.feeds == other.feeds
            and self.values.keys() == other.values.keys()
            and all(_same(v, other.values[n]) for n, v in self.values.items())
        )

    __hash__ = None  # type: ignore[assignment]

    def __deepcopy__(self, memo: dict[int, Any]) -> Instance:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _instance, (self.model, dict(self.values), self.feeds)

    def __repr__(self) -> str:
        shown = ", ".join(f"{n}={v!r}" for n, v in self.values.items())
        return f"{self.model.name}({shown})" + (f".into({self.feeds!r})" if self.feeds else "")


def _instance(model: Model, values: Mapping[str, Value], feeds: str | None) -> Instance:
    return Instance(model, MappingProxyType(dict(values)), feeds)


def _same(a: Value, b: Value) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b)
    return bool(a == b)


def build_model(
    kind: ModelKind,
    function: Callable[..., Any],
    fields: Mapping[str, Field],
    *,
    derive: Callable[..., Any] | None = None,
    presets: Mapping[str, Mapping[str, float]] | None = None,
    graded: int = 1,
    source: str = "",
) -> Model:
    """Check the function against the language and its declarations, and freeze both into a `Model`."""
    step = check(read_source(function))
    derived = check(read_source(derive)) if derive else None
    model = Model(
        kind,
        function.__name__,
        MappingProxyType(dict(fields)),
        step,
        derived,
        MappingProxyType(dict(presets or {})),
        graded,
        source,
        (function.__doc__ or "").strip(),
    )
    _check_declarations(model)
    _check_values(model)
    return model


def _check_values(model: Model) -> None:
    """Defaults, presets and the size of spikes are what the declarations allow."""
    if isinstance(model.graded, bool) or not isinstance(model.graded, int) or not 1 <= model.graded < 2**31:
        allowed = f"a whole number from 1 to {2**31 - 1}"
        raise InvalidValue(f"{model.name}: graded", model.graded, allowed, "It is the largest spike.")
    model.validate({n: f.default for n, f in model.of_kind("param", "state").items()})
    for name, values in model.presets.items():
        if name in dir(type(model)) or name in Model.__dataclass_fields__:
            raise InvalidValue(f"{model.name} preset name", name, "another name than those of Model itself")
        model.validate(values)


def _check_declarations(model: Model) -> None:
    """Every argument declared, every declared quantity used, every state returned."""
    step, error = model.step_checked, model.step_checked.source.error
    tree = step.source.tree
    for name in model.fields:
        if name in RESERVED:
            raise error(tree, f"{name!r} is a reserved name", f"Reserved: {', '.join(RESERVED)}.")
    derive_arguments = model.derive_checked.source.arguments if model.derive_checked else ()
    for name in derive_arguments:
        if name != "dt" and name not in model.of_kind("param"):
            raise error(
                tree, f"derive takes {name!r}, which is not a parameter", "derive sees parameters and dt."
            )
    for name in model.derived:
        if name in model.fields or name in RESERVED:
            raise error(tree, f"derive returns {name!r}, which is declared already", "Choose another name.")
    known = {*model.fields, *model.derived, "dt"}
    for name in model.arguments:
        if name not in known:
            raise error(
                tree, str(UnknownName("argument", name, sorted(known))).rstrip("."), "Declare it as a field."
            )
    for name in [*model.fields, *model.derived]:
        if name not in model.arguments and name not in derive_arguments:
            raise error(tree, f"{name!r} is declared but not used", "Make it an argument or remove it.")
    result = "spike" if model.kind == "neuron" else "current"
    wanted = {*model.of_kind("state"), result}
    if set(step.outputs) != wanted or len(step.outputs) != len(wanted):
        raise error(
            tree, f"it returns {', '.join(step.outputs)}", f"Return {', '.join(sorted(wanted))}, each once."
        )
    allowed_here = ("current",) if model.kind == "receptor" else ("sees",)
    for name in model.of_kind(*allowed_here):  # type: ignore[arg-type]
        raise error(tree, f"{name!r}: a {model.kind} has no {allowed_here[0]} fields")


def neuron(
    *,
    derive: Callable[..., Any] | None = None,
    presets: Mapping[str, Mapping[str, float]] | None = None,
    graded: int = 1,
    source: str = "",
    **fields: Field,
) -> Callable[[Callable[..., Any]], Model]:
    """Declare a neuron: fields by name; the function returns dict(<every state>, spike=...).

    derive: function of parameters and `dt` that returns dict(<constants>), computed once in float64.
    presets: published parameter sets. graded: largest magnitude of `spike`, whose fraction is dropped; 1 for
    plain spikes, where anything but 0 is a spike. source: where the equations come from.
    """

    def decorate(function: Callable[..., Any]) -> Model:
        return build_model(
            "neuron", function, fields, derive=derive, presets=presets, graded=graded, source=source
        )

    return decorate


def receptor(
    *, derive: Callable[..., Any] | None = None, source: str = "", **fields: Field
) -> Callable[[Callable[..., Any]], Model]:
    """Declare a receptor or a stimulus: the function returns dict(<every state>, current=...).

    The current flows during the step; what arrives in the step that ends at t is felt from t on.
    """

    def decorate(function: Callable[..., Any]) -> Model:
        return build_model("receptor", function, fields, derive=derive, source=source)

    return decorate
