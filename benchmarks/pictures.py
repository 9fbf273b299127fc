"""Two pictures of README.md: wall time against synapses, and against threads."""

from pathlib import Path

from runs import PEERS, SHORT, by_threads, whole_machine

from treplica.analysis.style import ACCENT, BLUE, GREY, INK, TICK, keep, new_figure, tidy

WALL = "wall_s_per_model_s"
COLOURS = {"": BLUE, "nest": ACCENT, "brian2": GREY}
MARKS = {"": "o", "nest": "s", "brian2": "^"}
LABELS = {"": "Treplica", **PEERS}


#: Networks of the same size stand beside each other.
BESIDE = 1.2


def draw(reports: dict[str, dict], folder: Path) -> None:
    """Draw what there are results for."""
    networks, threads = whole_machine(reports), by_threads(reports)
    folder.mkdir(exist_ok=True)
    if networks:
        keep(against_synapses(networks), folder / "wall-against-synapses.png")
    if threads:
        keep(against_threads(threads), folder / "wall-against-threads.png")


def side(report: dict, who: str) -> dict:
    """The figures of Treplica ("") or a peer; nothing where it did not run."""
    return report["figures"] if not who else report["peers"].get(who, {})


def against_synapses(reports: dict[str, dict]):
    """One column of marks for each network; one mark for each simulator. Both axes are logarithmic."""
    figure = new_figure(8.0, 4.8)
    ax = figure.add_subplot()
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.xaxis.set_minor_formatter("")
    sizes = [report["figures"]["synapses"] for report in reports.values()]
    for k, (name, report) in enumerate(reports.items()):
        synapses = sizes[k] * BESIDE ** sizes[:k].count(sizes[k])
        walls = {who: side(report, who)[WALL] for who in LABELS if WALL in side(report, who)}
        ax.plot([synapses] * 2, [min(walls.values()), max(walls.values())], color=GREY, lw=0.5, zorder=1)
        for who, wall in walls.items():
            ax.plot(synapses, wall, MARKS[who], color=COLOURS[who], ms=6.0, zorder=2)
        place = dict(xytext=(4, -9), textcoords="offset points", fontsize=TICK - 1.0, color=INK)
        ax.annotate(SHORT[name], (synapses, walls[""]), rotation=-50.0, va="top", **place)
    for who, label in LABELS.items():
        ax.plot([], [], MARKS[who], color=COLOURS[who], label=label)
    ax.axhline(1.0, color=GREY, lw=0.7, ls=":")
    ax.text(
        0.0, 1.0, " real time", transform=ax.get_yaxis_transform(), fontsize=TICK, color=GREY, va="bottom"
    )
    ax.legend(frameon=False, fontsize=TICK, loc="upper left")
    ax.margins(x=0.12, y=0.32)
    tidy(ax, "synapses", "wall time for a second of model time (s)")
    return figure


def against_threads(runs: dict[str, list[dict]]):
    """A panel for each network: one line for Treplica and one for each peer that has threads."""
    figure = new_figure(2.1 * len(runs) + 0.6, 2.9)
    for k, (name, reports) in enumerate(runs.items()):
        ax = figure.add_subplot(1, len(runs), k + 1, sharey=figure.axes[0] if k else None)
        threads = [report["settings"]["threads"] for report in reports]
        for who in ("", "nest"):
            walls = [side(report, who).get(WALL) for report in reports]
            if None not in walls:
                ax.plot(threads, walls, f"{MARKS[who]}-", color=COLOURS[who], ms=5.0, label=LABELS[who])
        ax.set_yscale("log")
        ax.set_xticks(threads)
        ax.margins(x=0.25, y=0.25)
        tidy(ax, "threads", "wall time for a second of model time (s)" if k == 0 else "")
        ax.set_title(SHORT[name], fontsize=TICK, color=INK)
    figure.axes[0].legend(frameon=False, fontsize=TICK)
    return figure
