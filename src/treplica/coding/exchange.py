"""Spikes and traces as pandas tables and Neo objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from treplica.coding.files import optional

if TYPE_CHECKING:
    from treplica.coding.traces import Traces
    from treplica.coding.trains import SpikeTrains


def spikes_to_pandas(trains: SpikeTrains) -> Any:
    """`pandas.DataFrame`, one row a spike: time_ms, id, and value where spikes are graded."""
    pandas = optional("pandas", "dev", "A table of spikes")
    columns: dict[str, Any] = {"time_ms": trains.times, "id": np.array(trains.ids)}
    if trains.values is not None:
        columns["value"] = np.array(trains.values)
    return pandas.DataFrame(columns)


def spikes_to_neo(trains: SpikeTrains) -> Any:
    """`neo.Segment` with one `neo.SpikeTrain` per neuron, annotated with its id."""
    neo = optional("neo", "dev", "A Neo segment")
    order = np.argsort(trains.ids, kind="stable")
    # Rounding can put exact times past the ends of the recording, which Neo refuses.
    times, counts = np.clip(trains.times[order], trains.start, trains.stop), trains.counts()
    segment = neo.Segment(name="spikes")
    per_neuron = np.split(times, np.cumsum(counts)[:-1])
    segment.spiketrains.extend(
        [
            neo.SpikeTrain(one, units="ms", t_start=trains.start, t_stop=trains.stop, id=neuron)
            for neuron, one in enumerate(per_neuron)
        ]
    )
    return segment


def traces_to_pandas(traces: Traces) -> Any:
    """`pandas.DataFrame` [T, n]: index time_ms, one column per neuron id."""
    pandas = optional("pandas", "dev", "A table of traces")
    index = pandas.Index(traces.times, name="time_ms")
    columns = pandas.Index(np.array(traces.ids), name="id")
    return pandas.DataFrame(np.array(traces.values), index=index, columns=columns)


def traces_to_neo(traces: Traces) -> Any:
    """`neo.AnalogSignal` [T, n] where the samples are evenly spaced, else `neo.IrregularlySampledSignal`."""
    neo = optional("neo", "dev", "A Neo signal")
    unit = "dimensionless" if traces.unit == "1" else traces.unit
    about = {"name": traces.variable, "array_annotations": {"id": np.array(traces.ids)}}
    gaps = np.diff(traces.times)
    if len(gaps) and np.allclose(gaps, gaps[0], rtol=1e-6, atol=0.0):
        quantities = optional("quantities", "dev", "A Neo signal")
        period = (traces.times[-1] - traces.times[0]) / len(gaps) * quantities.ms
        begin = traces.times[0] * quantities.ms
        return neo.AnalogSignal(
            np.array(traces.values), units=unit, t_start=begin, sampling_period=period, **about
        )
    values, times = np.array(traces.values), np.array(traces.times)
    return neo.IrregularlySampledSignal(times, values, units=unit, time_units="ms", **about)
