"""`treplica bench microcircuit`: the Potjans-Diesmann microcircuit, dt 0.1 ms."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from treplica.benchmarks.peers import check_peer, run_peer
from treplica.benchmarks.report import Figures, Report, medians
from treplica.engines.grid import steps_of
from treplica.network.checks import check_count, check_number
from treplica.simulation import Simulation
from treplica.systems import microcircuit_parameters as given
from treplica.systems.microcircuit import microcircuit
from treplica.systems.microcircuit_parameters import Drive, Voltages, circuit

WARM_UP_MS = 500.0
#: A network this small has the same kernels: building it once loads them.
SMALL = 0.005
#: Seconds between two lines about a long run.
QUIET_S = 10.0


def run(
    *,
    scale: float = 1.0,
    drive: Drive = "poisson",
    seconds: float = 1.0,
    threads: int | None = None,
    precision: str = "float64",
    repeats: int = 1,
    against: tuple[str, ...] = (),
    seed: int = 1,
) -> Report:
    """Build, warm up, and measure `repeats` runs of `seconds` of model time each; what goes on is said on stderr."""
    check_count("repeats", repeats, 1, 10_000)
    steps_of("seconds, in ms:", 1000.0 * check_number("seconds", seconds), dt=given.DT, least=1)
    numbers = description(scale, drive)
    for peer in against:
        check_peer("microcircuit", peer)
    settings = {"seconds": seconds, "repeats": repeats, "seed": seed, "warm_up_ms": WARM_UP_MS}
    report = Report("microcircuit", _measure(scale, drive, settings, threads, precision))
    used = int(report.figures["threads"])
    for peer in against:
        _say(f"{peer} builds and runs the same network")
        result = run_peer("microcircuit", peer, {**numbers, **settings, "threads": used})
        report.peers[peer] = result["figures"]
        report.versions[peer] = result["version"]
    return report


def description(scale: float, drive: Drive = "poisson", voltages: Voltages = "optimized") -> dict[str, Any]:
    """Every number of the network, as peers take them; names of the neuron's parameters are those of NEST."""
    numbers = circuit(scale, drive)
    return {
        "dt": given.DT,
        "names": list(given.POPULATIONS),
        "neurons": numbers.neurons.tolist(),
        "synapses": numbers.synapses.tolist(),
        "weights": numbers.weights.tolist(),
        "weight_spread": given.WEIGHT_SPREAD,
        "delays": [given.DELAY_EXC if excitatory else given.DELAY_INH for excitatory in given.EXCITATORY],
        "delay_spread": given.DELAY_SPREAD,
        "external_rates": numbers.external_rates.tolist(),
        "external_weight": numbers.external_weight,
        "currents": numbers.currents.tolist(),
        "initial_v": [values.tolist() for values in given.INITIAL_V[voltages]],
        "params": {
            "E_L": given.V_REST,
            "V_th": given.V_TH,
            "V_reset": given.V_RESET,
            "C_m": given.C_M,
            "tau_m": given.TAU,
            "tau_syn_ex": given.TAU_SYN,
            "tau_syn_in": given.TAU_SYN,
            "t_ref": given.REFRACTORY,
        },
    }


def _measure(
    scale: float, drive: Drive, settings: dict[str, Any], threads: int | None, precision: Any
) -> Figures:
    """Our side: build once with kernels loaded, warm up, run."""

    def build(share: float) -> Simulation:
        network = microcircuit(share, drive=drive, seed=settings["seed"])
        return Simulation(network, dt=given.DT, threads=threads, precision=precision, quiet=True)

    _say("loading kernels")
    with build(SMALL) as small:
        small.run(1.0)
    _say(f"building at scale {scale:g}")
    started = time.perf_counter()
    with build(scale) as sim:
        figures = {"build_s": time.perf_counter() - started}
        _say(f"built in {figures['build_s']:.1f} s")
        sim.run(settings["warm_up_ms"], _Progress("warming up"))
        before = sim.spikes.copy()
        figures |= medians(lambda: _timed_run(sim, settings["seconds"]), settings["repeats"])
        model_s = settings["seconds"] * settings["repeats"]
        return figures | _counted(sim, (sim.spikes - before) / model_s)


def _counted(sim: Simulation, per_s: Any) -> Figures:
    """Rates, from the spikes of each population in a second, sizes and memory."""
    sizes = np.array([p.size for p in sim.plan.populations])
    summary = sim.summary()
    names = [f"rate_{p.name}_hz" for p in sim.plan.populations]
    return {
        "mean_rate_hz": float(per_s.sum() / sizes.sum()),
        **dict(zip(names, (per_s / sizes).tolist(), strict=True)),
        "neurons": summary.neurons,
        "synapses": summary.synapses,
        "threads": sim.engine.threads,
        "bytes_per_neuron": summary.bytes_per_neuron,
        "bytes_per_synapse": summary.bytes_per_synapse,
        "peak_memory_bytes": summary.peak_memory_bytes,
    }


def _timed_run(sim: Simulation, seconds: float) -> Figures:
    events, started = sim.engine.synaptic_events, time.perf_counter()
    sim.run(1000.0 * seconds, _Progress("running"))
    wall = time.perf_counter() - started
    return {
        "wall_s_per_model_s": wall / seconds,
        "synaptic_events_per_s": (sim.engine.synaptic_events - events) / wall,
    }


def _say(text: str) -> None:
    print(f"microcircuit: {text}", file=sys.stderr, flush=True)


class _Progress:
    """A line on stderr every ten seconds of a run."""

    def __init__(self, label: str) -> None:
        self.label, self.last = label, time.perf_counter()

    def __call__(self, done: float, total: float, spikes: int) -> None:
        """What Simulation.run reports: ms done, ms of this run, spikes so far."""
        now = time.perf_counter()
        if now - self.last >= QUIET_S:
            self.last = now
            _say(f"{self.label}, {done:,.0f} of {total:,.0f} ms of model time")
