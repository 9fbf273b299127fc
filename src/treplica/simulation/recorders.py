"""The recorders of all probes of a simulation."""

from __future__ import annotations

from pathlib import Path

from treplica.coding import SpikeTrains, Traces
from treplica.engines.base import Advance
from treplica.engines.grid import steps_of
from treplica.engines.plan import Plan, Sampler
from treplica.errors import InvalidValue, OutputError, UnknownName
from treplica.network import Network, Probe
from treplica.simulation.recording import Recorder, SpikeRecorder, TraceRecorder


class Recorders:
    """One recorder for each probe, and the samplers that the engine runs for them."""

    def __init__(self, plan: Plan, network: Network, folder: str | Path | None, budget: int) -> None:
        if not isinstance(budget, int) or budget < 1:
            raise InvalidValue("memory_budget", budget, "a whole number of bytes >= 1")
        self.samplers: list[Sampler] = []
        self.recorders: dict[str, Recorder] = {}
        self.sampled: list[TraceRecorder] = []
        self.watched: list[tuple[SpikeRecorder, int]] = []
        target = prepare_folder(folder) if folder is not None and network.probes else None
        share = budget // max(1, len(network.probes))
        for probe in network.probes:
            index = plan.index(probe.target.population)
            path = target / f"{probe.name}.h5" if target else None
            if probe.variable == "spikes":
                graded = plan.populations[index].graded > 1
                recorder = SpikeRecorder(probe.target, plan.dt, graded, path, share)
                self.watched.append((recorder, index))
                self.recorders[probe.name] = recorder
            else:
                self._sample(plan, probe, index, path, share)

    @property
    def populations(self) -> tuple[int, ...]:
        """Populations whose spikes are recorded."""
        return tuple(sorted({index for _, index in self.watched}))

    def _sample(self, plan: Plan, probe: Probe, index: int, path: Path | None, share: int) -> None:
        what = f"record interval of {probe.name}"
        every = 1 if probe.interval is None else steps_of(what, probe.interval, plan.dt, least=1)
        unit = _unit(plan, index, probe.variable)
        real = plan.format.real
        recorder = TraceRecorder(probe.target, probe.variable, unit, every, plan.dt, real, path, share)
        self.samplers.append(Sampler(index, probe.variable, probe.target.ids(), every))
        self.sampled.append(recorder)
        self.recorders[probe.name] = recorder

    def take(self, done: Advance) -> None:
        """Keep what an engine hands back."""
        for recorder, index in self.watched:
            recorder.take(done.spikes[index], done.steps)
        for sampled, values in zip(self.sampled, done.samples, strict=True):
            sampled.take(values)

    def result(self, probe: Probe | str) -> SpikeTrains | Traces:
        """What a probe has recorded so far."""
        name = probe if isinstance(probe, str) else probe.name
        if name not in self.recorders:
            raise UnknownName("probe", name, self.recorders)
        return self.recorders[name].result()

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


def _unit(plan: Plan, index: int, variable: str) -> str:
    for part in plan.populations[index].composition.parts:
        for name, declared in part.model.of_kind("state").items():
            if part.key(name) == variable:
                return declared.unit
    raise UnknownName("variable", variable, plan.populations[index].composition.states())
