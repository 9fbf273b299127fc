"""How exact is the event engine? Spike times beside NEST's precise models, and beside engines with ever smaller steps.

    python benchmarks/exactness.py

Draws docs/images/event-engine.png from the networks of tests/reference/test_nest_precise.py, ten seconds of a thousand
neurons each, and of test_event_closed_forms.py. Takes some minutes.
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "reference"))

from nest_precise import run_nest, run_treplica  # noqa: E402
from test_event_closed_forms import MODELS, recurrent  # noqa: E402
from test_nest_precise import DURATION, networks  # noqa: E402

import treplica as tr  # noqa: E402
from treplica.analysis.style import ACCENT, BLUE, GREY, INK, TICK, keep, new_figure, tidy  # noqa: E402

STEPS = (0.2, 0.1, 0.05, 0.025, 0.0125, 0.00625)
BIN = 100.0
COLOURS = (BLUE, ACCENT, GREY, INK)


def beside_nest(ax) -> None:
    """The largest difference in every tenth of a second."""
    for (name, network), colour in zip(networks().items(), COLOURS, strict=False):
        (times, neurons), (found, ids) = run_nest(network, DURATION), run_treplica(network, DURATION)
        order, expected = np.lexsort((found, ids)), np.lexsort((times, neurons))
        apart = np.abs(found[order] - times[expected])
        worst = np.zeros(round(DURATION / BIN))
        np.maximum.at(worst, np.minimum((times[expected] / BIN).astype(int), worst.size - 1), apart)
        print(f"{name}: {times.size} spikes, at most {apart.max():.1e} ms apart")
        ax.plot((0.5 + np.arange(worst.size)) * BIN / 1000.0, worst, color=colour, lw=1.0, label=name)
    ax.axhline(1e-6, color=GREY, lw=0.7, ls="--")
    ax.set_yscale("log")
    ax.set_ylim(1e-14, 1e-5)
    ax.legend(frameon=False, fontsize=TICK)
    tidy(ax, "time (s)", "largest difference in 0.1 s (ms)", "1,000 neurons, beside NEST's precise models")


def beside_steps(ax) -> None:
    """The largest difference against dt."""
    for model, colour in zip(MODELS, COLOURS, strict=True):
        net, probe = recurrent(model)
        sim = tr.Simulation(net, dt=0.1, engine="event", quiet=True)
        sim.run(60.0)
        exact, apart = sim[probe], []
        for dt in STEPS:
            sim = tr.Simulation(net, dt=dt, engine="cpu", quiet=True)
            sim.run(60.0)
            same = sim[probe].counts().tolist() == exact.counts().tolist()
            worst = (
                max(np.abs(sim[probe].of(i) - exact.of(i)).max(initial=0.0) for i in range(20))
                if same
                else np.nan
            )
            apart.append(worst)
        ax.plot(STEPS, apart, "o-", color=colour, ms=4.0, lw=1.0, label=model.model.name)
    ax.plot(STEPS, STEPS, color=GREY, lw=0.7, ls="--")
    ax.annotate(
        "dt", (STEPS[0], STEPS[0]), fontsize=TICK, color=GREY, xytext=(3, -6), textcoords="offset points"
    )
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.legend(frameon=False, fontsize=TICK)
    tidy(
        ax,
        "dt of the engine with steps (ms)",
        "largest difference (ms)",
        "20 neurons, beside engines with steps",
    )


def main() -> None:
    figure = new_figure(9.0, 3.6)
    left, right = figure.subplots(1, 2)
    beside_nest(left)
    beside_steps(right)
    keep(figure, ROOT / "docs" / "images" / "event-engine.png")


if __name__ == "__main__":
    main()
