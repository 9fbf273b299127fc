"""Any network, split or saved anywhere, does what it does in one go."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import treplica as tr
from treplica.testing.strategies import networks

DT, STEPS = 0.5, 40
ENGINES = [{"engine": "plain"}, *({"engine": "cpu", "threads": n} for n in (1, 2, 3))]
PRECISIONS = st.sampled_from(["float64", "float32"])
SLOW = [HealthCheck.too_slow]


def begun(network: tr.Network, precision: Any, engine: dict[str, Any], **more: Any) -> tr.Simulation:
    """A simulation that records everything."""
    network = network.copy()
    for population in network.populations:
        network.record(population, name=f"{population.name}_spikes")
        for variable in population.variables:
            name = f"{population.name}_{variable.replace('.', '_')}_all"
            network.record(population, variable, interval=3 * DT, name=name)
    return tr.Simulation(network, dt=DT, precision=precision, quiet=True, **engine, **more)


def outcome(sim: tr.Simulation) -> dict[str, Any]:
    """All that was recorded and counted, and the states at the end."""
    found: dict[str, Any] = {probe.name: sim[probe] for probe in sim.network.probes}
    for population in sim.network.populations:
        for variable in population.variables:
            found[f"{population.name}.{variable}"] = sim.state(population, variable).tobytes()
    figures = sim.summary()
    counts = figures.spikes, figures.synaptic_events, figures.silent_share_min, figures.model_s
    return {**found, "counts": counts}


def test_split_runs_are_whole_runs() -> None:
    """run(a), run(b), ... is run(a + b + ...), on either engine."""
    seen: Counter[str] = Counter()

    @given(
        network=networks(dt=DT), precision=PRECISIONS, engine=st.sampled_from(ENGINES),
        cuts=st.lists(st.integers(0, STEPS), max_size=5),
    )  # fmt: skip
    @settings(max_examples=50, suppress_health_check=SLOW)
    def check(network: tr.Network, precision: str, engine: dict[str, Any], cuts: list[int]) -> None:
        whole, split = (begun(network, precision, engine) for _ in range(2))
        whole.run(STEPS * DT)
        for cut in [*sorted(cuts), STEPS]:
            split.run(cut * DT - split.time)
        assert outcome(split) == outcome(whole)
        seen["spikes"] += whole.summary().spikes
        seen["split"] += any(0 < cut < STEPS for cut in cuts)

    check()
    assert seen["spikes"] > 1000
    assert seen["split"] > 10


def test_saved_runs_are_whole_runs() -> None:
    """Saved after any step, with what is still to be fed; gone on with on any engine; recordings in memory or files."""
    seen: Counter[str] = Counter()

    @given(
        network=networks(dt=DT), precision=PRECISIONS, before=st.sampled_from(ENGINES),
        after=st.sampled_from(ENGINES), at=st.integers(0, STEPS), beyond=st.integers(0, 5),
        disk=st.booleans(), budget=st.sampled_from([1, 2**20]), data=st.data(),
    )  # fmt: skip
    @settings(max_examples=80, suppress_health_check=SLOW)
    def check(
        network: tr.Network, precision: str, before: dict[str, Any], after: dict[str, Any], at: int, beyond: int,
        disk: bool, budget: int, data: Any,
    ) -> None:  # fmt: skip
        target = data.draw(st.sampled_from([p for p in network.populations if p.ports] or [None]))
        with tempfile.TemporaryDirectory() as folder:
            where = {"record_to": Path(folder) / "out", "memory_budget": budget} if disk else {}
            whole, sim = begun(network, precision, before), begun(network, precision, before, **where)
            for one in (whole, sim):
                if target is not None:
                    dense = [[(i + j) % 3 == 0 for j in range(target.size)] for i in range(STEPS)]
                    one.feed(target, tr.SpikeTrains.from_dense(dense, DT), weight=2.0)
            whole.run(STEPS * DT)
            sim.run(at * DT)
            sim.save(Path(folder) / "c")
            sim.run(beyond * DT)
            loaded = tr.Simulation.load(Path(folder) / "c", quiet=True, **after)
            loaded.run((STEPS - at) * DT)
            assert outcome(loaded) == outcome(whole)
        seen["spikes"] += whole.summary().spikes
        seen["events"] += whole.summary().synaptic_events
        seen["within"] += 0 < at < STEPS
        seen["elsewhere"] += before != after
        seen["disk"] += disk
        seen["fed"] += target is not None

    check()
    assert min(seen.values()) > 5
    assert seen["spikes"] > 1000
    assert seen["events"] > 1000
