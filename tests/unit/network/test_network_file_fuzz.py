"""Damaged and forged descriptions: a file either loads as a network or is a DescriptionError, whatever it holds."""

import copy
import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from described import document, everything, signed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import treplica as tr
from treplica.errors import DescriptionError

CALM = [HealthCheck.too_slow]
FEW = settings(max_examples=50, suppress_health_check=CALM)
MORE = settings(max_examples=80, suppress_health_check=CALM)


@cache
def valid() -> bytes:
    with TemporaryDirectory() as folder:
        return json.dumps(document(everything(), Path(folder))).encode()


def loaded(content: bytes) -> tr.Network | None:
    """The network of a file, which then survives another round; None where it is refused."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "net.json"
        path.write_bytes(content)
        try:
            network = tr.Network.load(path)
        except DescriptionError:
            return None
        network.save(path)
        assert tr.Network.load(path) == network
        return network


def test_the_file_is_valid() -> None:
    assert loaded(valid()) == everything()


@FEW
@given(st.floats(0.0, 1.0, exclude_max=True))
def test_truncated_files_are_refused(share: float) -> None:
    assert loaded(valid()[: int(share * len(valid()))]) is None


@FEW
@given(
    st.lists(st.tuples(st.floats(0.0, 1.0, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=4)
)
def test_flipped_bytes_are_refused_or_meaningless(flips: list[tuple[float, int]]) -> None:
    content = bytearray(valid())
    for place, bits in flips:
        content[int(place * len(content))] ^= bits
    assert loaded(bytes(content)) in (None, everything())


Path_ = tuple[Any, ...]


def paths(data: Any, above: Path_ = ()) -> list[Path_]:
    """Where every value of a document is."""
    found = [above] if above else []
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        found += paths(value, (*above, key))
    return found


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=True)
    | st.text(max_size=8)
    | st.sampled_from(
        ["lif", "own", "spikes", "LIF", "Homemade", "View", "SpikeTrains", "number", "\ud800", "\0"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["number", "array", "range", "tuple", "model", "class"]), inner, max_size=2
        )
    ),
    max_leaves=4,
)


@MORE
@given(st.data())
def test_forged_files_are_refused_or_networks(data: st.DataObject) -> None:
    forged = copy.deepcopy(json.loads(valid()))
    for _ in range(data.draw(st.integers(1, 2))):
        *above, last = data.draw(st.sampled_from(paths(forged["network"])))
        place = forged["network"]
        for key in above:
            place = place[key]
        match data.draw(st.sampled_from(["replace", "remove", "swap"])):
            case "replace":
                place[last] = data.draw(JUNK)
            case "remove":
                del place[last]
            case "swap":
                *other, key = data.draw(st.sampled_from(paths(forged["network"])))
                source = forged["network"]
                for name in other:
                    source = source[name]
                place[last] = copy.deepcopy(source[key])
    loaded(signed(forged).encode())


def texts(models: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Every function's text of the models of a description."""
    found = []
    for model in models.values():
        for function in (model["step"], model["derive"]):
            while function:
                found.append((function, "text"))
                function = next(iter(function["formulas"].values()), None)
    return found


@MORE
@given(st.data())
def test_forged_sources_are_refused_or_the_same(data: st.DataObject) -> None:
    forged = copy.deepcopy(json.loads(valid()))
    function, key = data.draw(st.sampled_from(texts(forged["network"]["models"])))
    text = function[key]
    at = data.draw(st.integers(0, len(text)))
    words = [
        "@",
        "(",
        ")",
        " = ",
        "\n    ",
        ":=",
        "lambda: ",
        "import os",
        "await ",
        "*",
        "#",
        "'",
        "\\",
        "\0",
        "0x",
        ".",
    ]
    piece = data.draw(st.sampled_from(words) | st.text(max_size=3))
    function[key] = text[:at] + piece + text[at + data.draw(st.integers(0, 4)) :]
    network = loaded(signed(forged).encode())
    assert network is None or network == everything()
