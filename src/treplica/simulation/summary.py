"""What a run was and did, in numbers."""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from treplica.simulation.simulation import Simulation


def peak_memory() -> int:
    """The most memory this process has held, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@dataclass(frozen=True)
class Summary:
    """Figures of a simulation; times in seconds, memory in bytes, rates in Hz, shares from 0 to 1.

    skipped_updates: of neurons that slept. storage: how synapses and sums are kept. weight_rounding,
    weight_mean_error, weight_variance_error: what whole units do to the weights of the projection they do most to:
    the largest error over the largest weight, the error of the mean over the mean magnitude, the error of the
    variance over the variance.
    """

    engine: str
    precision: str
    dt_ms: float
    neurons: int
    synapses: int
    model_s: float
    build_s: float
    compile_s: float
    wall_s: float
    wall_s_per_model_s: float
    peak_memory_bytes: int
    bytes_per_neuron: float
    bytes_per_synapse: float
    spikes: int
    mean_rate_hz: float
    silent_share_mean: float
    silent_share_min: float
    skipped_updates: float
    synaptic_events: int
    synaptic_events_per_s: float
    storage: str
    weight_rounding: float
    weight_mean_error: float
    weight_variance_error: float

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        rounding = ["nothing"]
        if self.weight_rounding:
            rounding = [
                f"at most {self.weight_rounding:.1e} of the largest",
                f"mean by {self.weight_mean_error:.1e}, variance by {self.weight_variance_error:.1e}",
            ]
        rows = [
            ("engine", self.engine),
            ("precision", f"{self.precision}, steps of {self.dt_ms:g} ms"),
            ("neurons", f"{self.neurons:,}  ({self.bytes_per_neuron:.1f} bytes each)"),
            ("synapses", f"{self.synapses:,}  ({self.bytes_per_synapse:.1f} bytes each)"),
            ("built in", f"{self.build_s:.3f} s, compiled or loaded in {self.compile_s:.2f} s"),
            ("model time", f"{self.model_s:g} s in {self.wall_s:.3f} s of wall time"),
            ("wall per model second", f"{self.wall_s_per_model_s:.4f} s"),
            ("peak memory", f"{self.peak_memory_bytes / 2**20:.0f} MiB"),
            ("spikes", f"{self.spikes:,}  (mean rate {self.mean_rate_hz:.3f} Hz)"),
            (
                "silent in a step",
                f"{self.silent_share_mean:.3%} of neurons, at least {self.silent_share_min:.3%}",
            ),
            *([("updates skipped", f"{self.skipped_updates:.3%}")] if self.skipped_updates else []),
            (
                "synaptic events",
                f"{self.synaptic_events:,}  ({self.synaptic_events_per_s:,.0f} per s of wall time)",
            ),
            *_lines("synapses kept as", self.storage.split("; ")),
            *_lines("weights rounded by", rounding),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _lines(name: str, values: Sequence[str]) -> list[tuple[str, str]]:
    """Rows of values, the first with a name."""
    return [(name if i == 0 else "", value) for i, value in enumerate(values)]


def summarise(sim: Simulation) -> Summary:
    """The figures of a simulation so far."""
    model_s, neurons = sim.time / 1000.0, sim.plan.neurons
    steps, spikes = sim.engine.step, int(sim.spikes.sum())
    memory = sim.engine.memory()
    synapses = sim.engine.synapse_count
    targets = memory.get("synapses", 0)
    events = sim.engine.synaptic_events
    roundings = sim.plan.rounding.values()
    return Summary(
        engine=str(sim.choice),
        precision=sim.plan.format.name,
        dt_ms=sim.dt,
        neurons=neurons,
        synapses=synapses,
        model_s=model_s,
        build_s=sim.build_s,
        compile_s=sim.compile_s,
        wall_s=sim.wall_s,
        wall_s_per_model_s=sim.wall_s / model_s if model_s else 0.0,
        peak_memory_bytes=peak_memory(),
        bytes_per_neuron=(sum(memory.values()) - targets) / neurons,
        bytes_per_synapse=targets / synapses if synapses else 0.0,
        spikes=spikes,
        mean_rate_hz=spikes / neurons / model_s if model_s else 0.0,
        silent_share_mean=1.0 - spikes / (neurons * steps) if steps else 1.0,
        silent_share_min=1.0 - sim.loop.busiest / neurons,
        skipped_updates=sim.engine.skipped_updates,
        synaptic_events=events,
        synaptic_events_per_s=events / sim.wall_s if sim.wall_s else 0.0,
        storage=sim.engine.describe(),
        weight_rounding=max((r.largest for r in roundings), default=0.0),
        weight_mean_error=max((r.mean for r in roundings), default=0.0),
        weight_variance_error=max((r.variance for r in roundings), default=0.0),
    )
