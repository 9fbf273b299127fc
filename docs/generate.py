"""Writes the reference pages that are made from declarations: the models, the surrogates and the command line.

Run it after a change of one of them or an option: `python docs/generate.py`. A test compares the pages with it.
"""

import argparse
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from treplica import neurons, synapses
from treplica.cli.main import parser
from treplica.learning.surrogates import SURROGATES, SurrogateFamily
from treplica.model import Field, Model

REFERENCE = Path(__file__).parent / "reference"
KINDS = {
    "state": "state",
    "param": "parameter",
    "current": "current",
    "arrival": "port",
    "sees": "sees",
    "noise": "noise",
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    lines = [list(head), *([*row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


def quantity(name: str, field: Field) -> list[str]:
    """Return the row of a quantity: name, what it is, unit, default, what is allowed, meaning."""
    unit = {"1": "", "steps": "steps"}.get(field.unit, field.unit) if field.kind != "noise" else ""
    default, allowed = "", ""
    if field.kind in ("state", "param"):
        default = f"{field.default:.6g}"
        allowed = " and ".join(bounds(field)) or "any"
    return [
        f"`{name}`",
        KINDS[field.kind],
        unit,
        default,
        allowed if field.kind == "param" else "",
        field.doc,
    ]


def bounds(field: Field) -> Iterator[str]:
    """Give the limits of the allowed range."""
    if field.low > -float("inf"):
        yield f"{'>' if field.low_open else '≥'} {field.low:g}"
    if field.high < float("inf"):
        yield f"{'<' if field.high_open else '≤'} {field.high:g}"


def model(name: str, found: Model) -> str:
    """Return the section of a model."""
    order = ["param", "state", "current", "arrival", "sees", "noise"]
    fields = sorted(found.fields.items(), key=lambda item: order.index(item[1].kind))
    parts = [f"### {name}", inspect.cleandoc(found.doc)]
    parts.append(
        table(
            ("quantity", "is a", "unit", "default", "allowed", "meaning"), (quantity(n, f) for n, f in fields)
        )
    )
    if found.presets:
        parts.append(f"Presets: {', '.join(f'`{preset}`' for preset in found.presets)}.")
    if found.source:
        parts.append(f"Source: {linked(found.source)}.")
    return "\n\n".join(parts)


def linked(source: str) -> str:
    """Return a reference with its DOIs and arXiv numbers as links."""
    source = re.sub(r"doi:(10\.[^\s,;]+)", r"[doi:\1](https://doi.org/\1)", source)
    return re.sub(r"arXiv:([\d.]+\d)", r"[arXiv:\1](https://arxiv.org/abs/\1)", source)


def models_page() -> str:
    """Return the page of all shipped models."""
    receptors = {n: getattr(synapses, n) for n in synapses.__all__}
    groups = {
        "Neurons": {n: getattr(neurons, n) for n in neurons.__all__},
        "Receptors": {n: m for n, m in receptors.items() if m.of_kind("arrival")},
        "Stimuli computed with the neuron": {n: m for n, m in receptors.items() if not m.of_kind("arrival")},
    }
    parts = ["# Models", MODELS_INTRODUCTION.strip()]
    for title, group in groups.items():
        parts += [f"## {title}", *(model(n, m) for n, m in sorted(group.items(), key=lambda i: i[0].lower()))]
    return "\n\n".join(parts) + "\n"


MODELS_INTRODUCTION = """
Every neuron, receptor and stimulus that is shipped. The tables are made from the declarations of the models, which also
check what you give; `docs/generate.py` writes this page.

`tr.LIF(tau=20.0)` gives a model with a value of your own; parameters, and states as initial values, can be set to one
number, to an array with one number for each neuron, or to a [draw](../how-to/connect.md#weights-and-delays). A
*port* is where projections deliver, a *current* is what stimuli and receptors supply. Times are in ms, those of
NIR's neurons in s.
"""


def surrogate(found: SurrogateFamily) -> str:
    """Return the section of a family of surrogates."""
    rows = (
        (f"`{n}`", f"{f.default:.6g}", " and ".join(bounds(f)) or "any", f.doc)
        for n, f in found.fields.items()
    )
    return "\n\n".join(
        [
            f"## {found.name}",
            inspect.cleandoc(found.doc),
            table(("parameter", "default", "allowed", "meaning"), rows),
            f"Source: {linked(found.source)}.",
        ]
    )


def surrogates_page() -> str:
    """Return the page of all surrogates."""
    parts = ["# Surrogates", SURROGATES_INTRODUCTION.strip()]
    return "\n\n".join([*parts, *(surrogate(f) for f in SURROGATES.values())]) + "\n"


SURROGATES_INTRODUCTION = """
Derivatives that training uses in the place of that of a spike, from `treplica.learning.surrogates`. The formulas
below are the derivatives; x is the distance from the threshold, in the unit that the model gives to `spike`, and so is
a width. [Surrogates](../concepts/surrogates.md) shows them, with the smooth functions that they belong to.
`docs/generate.py` writes this page.
"""


def options(command: argparse.ArgumentParser) -> str:
    """Return the table of the options of a command."""
    rows = []
    for action in command._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        metavar = action.metavar or (
            "{" + ",".join(action.choices) + "}" if action.choices else action.dest.upper()
        )
        if not action.option_strings:
            shown = f"[{metavar}]" if action.nargs == "?" else str(metavar)
        else:
            shown = ", ".join(action.option_strings) + ("" if action.nargs == 0 else f" {metavar}")
        rows.append((f"`{shown}`", action.help or ""))
    return table(("option", "meaning"), rows)


def command_page() -> str:
    """Return the page of the command line."""
    commands = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    parts = ["# Command line", COMMAND_INTRODUCTION.strip()]
    help_of = {pseudo.dest: pseudo.help for pseudo in commands._choices_actions}
    for name, command in commands.choices.items():
        sentence = str(help_of[name])
        parts += [f"## treplica {name}", f"{sentence[0].upper()}{sentence[1:]}.", options(command)]
    return "\n\n".join(parts) + "\n"


COMMAND_INTRODUCTION = """
Every command and option, made from the parser; `docs/generate.py` writes this page. [Use the command
line](../how-to/command-line.md) has examples.

The exit status is 0 for a run that ended, 1 for one that was interrupted, 2 for an error, which is explained on
standard error.
"""

PAGES = {"models.md": models_page, "surrogates.md": surrogates_page, "command-line.md": command_page}


def main() -> None:
    """Write the pages."""
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
