"""The description of a network: populations, projections, stimuli, probes. Data only; nothing runs here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from treplica.connectivity import AbstractRule
from treplica.errors import InvalidValue, UnknownName
from treplica.model import Draw, Instance
from treplica.network.parts import (
    Population,
    Probe,
    Projection,
    Stimulus,
    check_count,
    check_fit,
    check_name,
    check_number,
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
        if name not in self._populations:
            raise UnknownName("population", name, self._populations)
        return self._populations[name]

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
        `GaussianCurrent()` or any receptor model without arrivals, into a current of the neuron)."""
        view = self._view(target)
        label = self._label(name, f"{view.population}_drive", self._stimuli)
        neuron = self.population(view.population).neuron
        if isinstance(drive, (PoissonInput, SpikeInput)):
            stimulus = Stimulus(label, view, drive, port=self._port(view, port))
            _check_spike_drive(label, view, drive)
        elif isinstance(drive, StepCurrent):
            feeds = _current(label, neuron, current)
            if drive.amplitudes.ndim == 2 and drive.amplitudes.shape[1] != len(view):
                what = f"{label}: columns of StepCurrent.amplitudes"
                raise InvalidValue(
                    what, drive.amplitudes.shape[1], f"{len(view)}, one for each neuron of {view}"
                )
            stimulus = Stimulus(label, view, drive, current=feeds)
        elif (
            isinstance(drive, Instance)
            and drive.model.kind == "receptor"
            and not drive.model.of_kind("arrival")
        ):
            stimulus = Stimulus(
                label,
                view,
                drive,
                current=check_fit(label, drive.into(current) if current else drive, neuron),
            )
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
        if variable != "spikes" and variable not in population.variables:
            raise UnknownName(f"variable of {population.name}", variable, ("spikes", *population.variables))
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

    def _view(self, target: Population | View) -> View:
        if isinstance(target, Population):
            target = target.view()
        if not isinstance(target, View):
            raise InvalidValue("population or view", target, "a Population of this network or a part of one")
        if self.population(target.population).size != target.size:
            raise InvalidValue("view", target, f"a part of this network's {target.population}")
        return target

    def _port(self, view: View, port: str | None) -> str:
        ports = self.population(view.population).ports
        if port is None and not ports:
            advice = "Give it a receptor: Population(..., receptors={'ampa': tr.Exponential()})."
            raise InvalidValue(
                f"target {view.population}", "no port", "a population that spikes can reach", advice
            )
        if port is not None and port not in ports:
            raise UnknownName(f"port of {view.population}", port, ports)
        return port or ports[0]

    def _label(self, name: str | None, stem: str, taken: Any) -> str:
        if name is not None:
            if check_name("name", name) in taken:
                raise InvalidValue("name", name, "unique in the network", "Choose another name.")
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


def _current(label: str, neuron: Instance, current: str | None) -> str:
    currents = list(neuron.model.of_kind("current"))
    if not currents:
        raise InvalidValue(label, neuron.model.name, "on a neuron that has a current input")
    if current is not None and current not in currents:
        raise UnknownName(f"{neuron.model.name} current", current, currents)
    return current or currents[0]
