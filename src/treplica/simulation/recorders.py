"""The recorders of all probes of a simulation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from treplica.coding import SpikeTrains, Traces
from treplica.engines.base import Advance
from treplica.engines.grid import steps_of
from treplica.engines.plan import Plan, Sampler
from treplica.errors import OutputError, SimulationError
from treplica.network import Network, Probe
from treplica.network.checks import check_count, check_known
from treplica.simulation.recording import Kept, Recorder, SpikeRecorder, TraceRecorder


class Recorders:
    """One recorder for each probe, and the samplers that the engine runs for them.

    kept: by probe, what there was at a checkpoint; files that were there are checked, and changed only by `go_on`.
    """

    def __init__(
        self,
        plan: Plan,
        network: Network,
        folder: str | Path | None,
        budget: int,
        kept: Mapping[str, Kept] | None = None,
    ) -> None:
        kept = kept or {}
        budget = check_count("memory_budget", budget, 1, 2**63 - 1)
        self.samplers = [sampler_of(plan, p) for p in network.probes if p.variable != "spikes"]
        self.recorders: dict[str, Recorder] = {}
        self.sampled: list[TraceRecorder] = []
        self.watched: list[tuple[SpikeRecorder, int]] = []
        # Nothing is written before everything else has been checked: a second try finds the folder empty.
        self.folder: Path | None = None
        if folder is not None:
            there = any(k.position for k in kept.values())
            self.folder = (Path(folder) if there else prepare_folder(folder)).absolute()
        target = self.folder
        share = budget // max(1, len(network.probes))
        self.most_steps = self._most_steps(plan, share) if target else None
        samplers = iter(self.samplers)
        for probe in network.probes:
            path = target / f"{probe.name}.h5" if target else None
            if probe.variable == "spikes":
                index = plan.index(probe.target.population)
                graded = plan.populations[index].graded > 1
                spikes = SpikeRecorder(
                    probe.target, plan.dt, graded, path, share, kept.get(probe.name), plan.continuous
                )
                self.watched.append((spikes, index))
                self.recorders[probe.name] = spikes
            else:
                sampler = next(samplers)
                unit, real = _unit(plan, sampler), plan.format.real
                grid = sampler.interval, plan.dt
                before = kept.get(probe.name)
                traces = TraceRecorder(probe.target, probe.variable, unit, grid, real, path, share, before)
                self.sampled.append(traces)
                self.recorders[probe.name] = traces

    def _most_steps(self, plan: Plan, share: int) -> int:
        """How many steps an engine may do at once so that no recorder is handed more than its share."""
        item = np.dtype(plan.format.real).itemsize
        return max(1, min((share // (s.ids.size * item) * s.interval for s in self.samplers), default=2**62))

    @property
    def populations(self) -> tuple[int, ...]:
        """Populations whose spikes are recorded."""
        return tuple(sorted({index for _, index in self.watched}))

    def take(self, done: Advance) -> None:
        """Keep what an engine hands back."""
        for recorder, index in self.watched:
            recorder.take(done.spikes[index], done.steps)
        own = done.samples[: len(self.sampled)]  # what others asked for follows
        for sampled, values in zip(self.sampled, own, strict=True):
            sampled.take(values)

    def result(self, probe: Probe | str) -> SpikeTrains | Traces:
        """What a probe has recorded so far."""
        name = probe.name if isinstance(probe, Probe) else probe
        return self.recorders[check_known("probe", name, self.recorders)].result()

    def kept(self) -> dict[str, Kept]:
        """What there is now, by probe; SimulationError where a recording broke off."""
        for recorder in self.recorders.values():
            if recorder.file and recorder.file.failed:
                problem = f"The recording {recorder.path} broke off, so that this simulation cannot be saved."
                raise SimulationError(f"{problem} Load its last checkpoint, and go on from there.")
        return {name: recorder.kept() for name, recorder in self.recorders.items()}

    def refuse(self, path: Path) -> None:
        """OutputError where a file would replace a recording."""
        if any(r.path is not None and r.path == path.absolute() for r in self.recorders.values()):
            raise OutputError(path, "is a recording of this simulation", "Choose another name.")

    def go_on(self) -> None:
        """Cut files to where they were at the checkpoint; new ones get what was in memory then."""
        for recorder in self.recorders.values():
            recorder.go_on()

    def finish(self) -> None:
        """Put everything on disk and seal the files."""
        self.flush()
        for recorder in self.recorders.values():
            if recorder.file:
                recorder.file.finish()

    def flush(self) -> None:
        """Put everything on disk that goes there."""
        for recorder in self.recorders.values():
            recorder.flush()


def prepare_folder(folder: str | Path) -> Path:
    """An empty folder to write into, made if absent; OutputError if it is not empty or not writable."""
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise OutputError(
                path, "the output folder is not empty", "Choose a new folder, or empty this one."
            )
        probe = path / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        advice = "Choose a folder that you may write to."
        raise OutputError(path, f"the output folder cannot be used ({error.strerror})", advice) from None
    return path


def sampler_of(plan: Plan, probe: Probe) -> Sampler:
    """What the engine samples for a probe of a state variable."""
    what = f"record interval of {probe.name}"
    every = 1 if probe.interval is None else steps_of(what, probe.interval, plan.dt, least=1)
    return Sampler(plan.index(probe.target.population), probe.variable, probe.target.ids(), every)


def _unit(plan: Plan, sampler: Sampler) -> str:
    parts = plan.populations[sampler.population].composition.parts
    units = {part.key(n): f.unit for part in parts for n, f in part.model.of_kind("state").items()}
    return units[sampler.variable]
