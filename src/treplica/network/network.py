"""The description of a network: populations, projections, stimuli, probes. Data only; nothing runs here."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from treplica.connectivity import AbstractRule
from treplica.errors import InvalidValue
from treplica.model import Draw, Instance
from treplica.network.checks import check_count, check_known, check_name, check_number
from treplica.network.parts import (
    Population,
    Probe,
    Projection,
    Stimulus,
    check_current,
    check_fit,
    check_values,
)
from treplica.network.stimuli import Drive, PoissonInput, SpikeInput, StepCurrent
from treplica.network.views import View


class Network:
    """What is simulated, described once. Every piece that is added is frozen and checked when it is added.

    seed: 64-bit; everything random (connections, weights, noise) follows from it. Two networks are equal if their
    descriptions are. `save` and `load` keep the description in a file that reads back equal.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = check_count("Network.seed", seed, 0, 2**64 - 1)
        self._populations: dict[str, Population] = {}
        self._projections: dict[str, Projection] = {}
        self._stimuli: dict[str, Stimulus] = {}
        self._probes: dict[str, Probe] = {}

    @property
    def populations(self) -> tuple[Population, ...]:
        """The populations, in order of addition."""
        return tuple(self._populations.values())

    @property
    def projections(self) -> tuple[Projection, ...]:
        """The projections, in order of addition."""
        return tuple(self._projections.values())

    @property
    def stimuli(self) -> tuple[Stimulus, ...]:
        """The stimuli, in order of addition."""
        return tuple(self._stimuli.values())

    @property
    def probes(self) -> tuple[Probe, ...]:
        """The probes, in order of addition."""
        return tuple(self._probes.values())

    def population(self, name: str) -> Population:
        """The population of that name."""
        return self._populations[check_known("population", name, self._populations)]

    def add(self, population: Population) -> Population:
        """Add a population; returns it, for use in `connect`, `stimulate` and `record`."""
        if not isinstance(population, Population):
            raise InvalidValue("add(...)", population, "a Population")
        if population.name in self._populations:
            raise InvalidValue(
                "Population name", population.name, "unique in the network", "Choose another name."
            )
        self._populations[population.name] = population
        return population

    def connect(
        self,
        source: Population | View,
        target: Population | View,
        rule: AbstractRule,
        *,
        weight: float | Draw,
        delay: float | Draw,
        port: str | None = None,
        name: str | None = None,
    ) -> Projection:
        """Connect two views by a rule.

        weight: in the unit of the port; delay: ms, whole steps >= 1. Each a number or a draw, one per synapse.
        port: which arrival of the target (default: the first; see `Population.ports`). The name (default
        `source_target`, numbered) keys the random numbers: the same name gives the same connections.
        """
        from_view, to_view = self._view(source), self._view(target)
        chosen = self._port(to_view, port)
        label = self._label(name, f"{from_view.population}_{to_view.population}", self._projections)
        if isinstance(rule, AbstractRule):
            rule.check_sizes(len(from_view), len(to_view))
        projection = Projection(label, from_view, to_view, rule, weight, delay, chosen)
        self._projections[label] = projection
        return projection

    def stimulate(
        self,
        target: Population | View,
        drive: Drive | Instance,
        *,
        port: str | None = None,
        current: str | None = None,
        name: str | None = None,
    ) -> Stimulus:
        """Drive a view: with spikes (`PoissonInput`, `SpikeInput`, onto a port), or with a current (`StepCurrent`,
        `GaussianCurrent()` or any receptor model without arrivals, into a current of the neuron).

        Arrays in a `PoissonInput` or `StepCurrent` have one value for each neuron of the view, arrays in a receptor
        model one for each neuron of its population."""
        view = self._view(target)
        population = self.population(view.population)
        taken = {*self._stimuli, *population.receptors}
        label = self._label(name, f"{view.population}_drive", taken)
        spikes = isinstance(drive, (PoissonInput, SpikeInput))
        if (current if spikes else port) is not None:
            what, given = ("current", current) if spikes else ("port", port)
            allowed = "given for drives that supply a current" if spikes else "given for drives with spikes"
            raise InvalidValue(f"{label}: {what}", given, allowed)
        if isinstance(drive, (PoissonInput, SpikeInput)):
            _check_spike_drive(label, view, drive)
            stimulus = Stimulus(label, view, drive, port=self._port(view, port))
        elif isinstance(drive, StepCurrent):
            _check_step_current(label, view, drive)
            stimulus = Stimulus(label, view, drive, current=check_current(label, population.neuron, current))
        elif isinstance(drive, Instance) and _is_drive(drive):
            check_values(f"{label}: ", drive, population.size)
            fed = drive if current is None else drive.into(current)
            stimulus = Stimulus(label, view, drive, current=check_fit(label, fed, population.neuron))
        else:
            allowed = (
                "PoissonInput, SpikeInput, StepCurrent or an instance of a receptor model without arrivals"
            )
            raise InvalidValue("stimulate(drive=...)", drive, allowed)
        self._stimuli[label] = stimulus
        return stimulus

    def record(
        self,
        target: Population | View,
        variable: str = "spikes",
        *,
        interval: float | None = None,
        name: str | None = None,
    ) -> Probe:
        """Record spikes or a state variable (`v`, `ampa.g`) of a view; states each `interval` ms (None: each step)."""
        view = self._view(target)
        population = self.population(view.population)
        check_known(f"variable of {population.name}", variable, ("spikes", *population.variables))
        if interval is not None and (
            variable == "spikes" or check_number("record interval", interval) <= 0.0
        ):
            raise InvalidValue("record interval", interval, "> 0 ms, and given for state variables only")
        label = self._label(name, f"{view.population}_{variable.replace('.', '_')}", self._probes)
        self._probes[label] = probe = Probe(label, view, variable, interval)
        return probe

    def save(self, path: str | Path) -> None:
        """Write the description to a JSON file (written beside and renamed)."""
        from treplica.network.file import save

        save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Network:
        """Read a description; DescriptionError for a file that is truncated, changed or something else."""
        from treplica.network.file import load

        return load(Path(path))

    def copy(self) -> Network:
        """A network of the same pieces, to which others can be added."""
        twin = Network(self.seed)
        twin._populations, twin._projections = dict(self._populations), dict(self._projections)
        twin._stimuli, twin._probes = dict(self._stimuli), dict(self._probes)
        return twin

    def _view(self, target: Population | View) -> View:
        if isinstance(target, Population):
            own = self.population(target.name)
            if target is not own and target != own:
                advice = "Another one has this name here."
                raise InvalidValue("population", target, "one that was added to this network", advice)
            return target.view()
        if not isinstance(target, View):
            raise InvalidValue("population or view", target, "a Population of this network or a part of one")
        size = self.population(target.population).size
        if size != target.size:
            allowed = f"a part of this network's {target.population}, which has {size} neurons"
            raise InvalidValue("view", target, allowed)
        return target

    def _port(self, view: View, port: str | None) -> str:
        ports = self.population(view.population).ports
        if not ports:
            advice = "Give it a receptor: Population(..., receptors={'ampa': tr.Exponential()})."
            allowed = "a population that spikes can reach"
            raise InvalidValue(f"target {view.population}", "no port", allowed, advice)
        return ports[0] if port is None else check_known(f"port of {view.population}", port, ports)

    def _label(self, name: str | None, stem: str, taken: Collection[str]) -> str:
        if name is not None:
            if check_name("name", name) in taken:
                raise InvalidValue(
                    "name", name, "a name that is not taken", f"Taken: {', '.join(sorted(taken))}."
                )
            return name
        label, count = stem, 1
        while label in taken:
            count += 1
            label = f"{stem}_{count}"
        return label

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and (
            self.seed,
            self.populations,
            self.projections,
            self.stimuli,
            self.probes,
        ) == (
            other.seed,
            other.populations,
            other.projections,
            other.stimuli,
            other.probes,
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        neurons = sum(p.size for p in self.populations)
        return f"<Network: {len(self.populations)} populations, {neurons} neurons, {len(self.projections)} projections>"


def _check_spike_drive(label: str, view: View, drive: PoissonInput | SpikeInput) -> None:
    if isinstance(drive, SpikeInput) and drive.trains.size != len(view):
        raise InvalidValue(
            f"{label}: neurons of SpikeInput.trains", drive.trains.size, f"{len(view)}, those of {view}"
        )
    if isinstance(drive, PoissonInput):
        shape = getattr(drive.rate, "shape", ())
        if shape not in ((), (len(view),)):
            raise InvalidValue(f"{label}: shape of PoissonInput.rate", shape, f"() or ({len(view)},)")


def _check_step_current(label: str, view: View, drive: StepCurrent) -> None:
    if drive.amplitudes.ndim == 2 and drive.amplitudes.shape[1] != len(view):
        what = f"{label}: columns of StepCurrent.amplitudes"
        raise InvalidValue(what, drive.amplitudes.shape[1], f"{len(view)}, one for each neuron of {view}")


def _is_drive(instance: Instance) -> bool:
    """Whether it supplies a current without being reached by spikes."""
    return instance.model.kind == "receptor" and not instance.model.of_kind("arrival")
