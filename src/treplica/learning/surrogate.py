"""What a surrogate is: a smooth stand-in for a step and its derivative, two formulas in the model language."""

from __future__ import annotations

import importlib
import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

from treplica.errors import InvalidValue, MissingExtra, UnknownName
from treplica.model import Field, Formula, formula

if TYPE_CHECKING:
    from torch import Tensor

#: Beyond every scale, and still finite in products with parameters: limits are looked at here.
FAR = 1e150


def load_words(purpose: str) -> ModuleType:
    """The words for PyTorch; MissingExtra where it is absent."""
    try:
        return importlib.import_module("treplica.learning.words")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtra("torch", "learn", purpose) from None


@dataclass(frozen=True, repr=False)
class Surrogate:
    """A smooth function that stands for a step in training, and its derivative.

    `smooth(x, *numbers)` and `derivative(x, *numbers)` are formulas of the distance x from the threshold, in the
    unit that the model gives to `spike`, and of the values, by position. Called on a tensor, of any shape, a
    surrogate gives the derivative: `torch_step(model, surrogate)` uses it in the place of that of `spike`.

    values: pairs of name and number, or a mapping, in the order in which both formulas take them; kept as pairs.
    source: the publication. Raises InvalidValue where formulas and values do not fit.
    """

    name: str
    smooth: Formula
    derivative: Formula
    values: tuple[tuple[str, float], ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        """Values are finite; formulas take x and the values, and return one number."""
        try:
            pairs = tuple((str(name), float(value)) for name, value in dict(self.values).items())
        except (TypeError, ValueError):
            pairs = (("", math.nan),)
        if not all(math.isfinite(value) for _, value in pairs):
            raise InvalidValue(f"{self.name}: values", self.values, "pairs of a name and a finite number")
        object.__setattr__(self, "values", pairs)
        wanted = ("x", *(name for name, _ in self.values))
        for role in ("smooth", "derivative"):
            given = getattr(self, role)
            if not isinstance(given, Formula):
                raise InvalidValue(f"{self.name}: {role}", given, "a function marked @formula")
            if given.arguments != wanted or given.width != 1:
                allowed = f"a formula of ({', '.join(wanted)}) that returns one number"
                raise InvalidValue(f"{self.name}: {role}", f"({', '.join(given.arguments)})", allowed)

    @property
    def numbers(self) -> tuple[float, ...]:
        """The values without their names."""
        return tuple(value for _, value in self.values)

    @property
    def limits(self) -> tuple[float, float]:
        """What the smooth function tends to, far below and far above the threshold."""
        return self.smooth(-FAR, *self.numbers), self.smooth(FAR, *self.numbers)

    def __deepcopy__(self, memo: dict[int, Any]) -> Surrogate:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        known = importlib.import_module("treplica.learning.surrogates").SURROGATES.get(self.name)
        if known is not None and known(**dict(self.values)) == self:
            return _of_family, (self.name, self.values)
        return Surrogate, (self.name, self.smooth, self.derivative, self.values, self.source)

    def __call__(self, x: Tensor) -> Tensor:
        """The derivative at every x."""
        result: Tensor = load_words("A surrogate on tensors").evaluated(self.derivative, x, self.numbers)
        return result

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{n}={v:.6g}' for n, v in self.values)})"


@dataclass(frozen=True, eq=False)
class SurrogateFamily:
    """Surrogates that differ by the values of declared parameters: call it with some, the rest are defaults.

    `Arctan(alpha=5.0)` raises UnknownName for a name that is not declared and InvalidValue for a value that the
    declaration does not allow.
    """

    name: str
    fields: Mapping[str, Field]
    formulas: Callable[[Mapping[str, float]], tuple[Formula, Formula]]
    source: str
    doc: str

    def __call__(self, **values: float) -> Surrogate:
        """The surrogate with these values."""
        for name in values:
            if name not in self.fields:
                raise UnknownName(f"{self.name} parameter", name, self.fields)
        numbers = {n: self._number(n, f, values.get(n, f.default)) for n, f in self.fields.items()}
        smooth, derivative = self.formulas(numbers)
        return Surrogate(self.name, smooth, derivative, tuple(numbers.items()), self.source)

    def _number(self, name: str, field: Field, value: Any) -> float:
        quantity = f"{self.name}.{name}"
        if not isinstance(value, numbers.Real):
            raise InvalidValue(quantity, value, field.allowed, "Give one number.")
        number = field.check(quantity, value)
        assert isinstance(number, float)
        return number

    def __repr__(self) -> str:
        return f"<surrogates {self.name}>"


def _of_family(name: str, values: tuple[tuple[str, float], ...]) -> Surrogate:
    surrogate: Surrogate = importlib.import_module("treplica.learning.surrogates").SURROGATES[name](
        **dict(values)
    )
    return surrogate


def family(
    smooth: Formula, *, source: str, **fields: Field
) -> Callable[[Callable[..., Any]], SurrogateFamily]:
    """Declare surrogates by their derivative, a function in the model language of x and the fields.

    smooth: the formula whose derivative it is, of the same arguments.
    """

    def decorate(function: Callable[..., Any]) -> SurrogateFamily:
        pair = smooth, formula(function)
        doc = (function.__doc__ or "").strip()
        return SurrogateFamily(function.__name__, MappingProxyType(fields), lambda values: pair, source, doc)

    return decorate


def rises_to_one(surrogate: Surrogate) -> str:
    """Why the smooth function is not a distribution function; empty if it is one, as far as 300 points tell."""
    magnitudes = [10.0 ** (k / 12.0) for k in range(-72, 73)]
    points = [*(-m for m in reversed(magnitudes)), 0.0, *magnitudes]
    slopes = [surrogate.derivative(x, *surrogate.numbers) for x in points]
    if min(slopes) < 0.0:
        return f"it falls at {points[slopes.index(min(slopes))]:.3g}"
    low, high = surrogate.limits
    if not (math.isclose(low, 0.0, abs_tol=1e-9) and math.isclose(high, 1.0, abs_tol=1e-9)):
        return f"it goes from {low:.6g} to {high:.6g}"
    return ""
