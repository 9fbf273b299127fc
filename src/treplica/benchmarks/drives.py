"""By what the mesh is driven where it is measured: noise, or spikes from outside.

Noise moves every neuron in every step. With spikes from outside the neurons sleep in between, so the mesh costs what
its spikes cost. Time decides, not memory: with noise, in float64, a neuron and its six synapses take 73 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from treplica.errors import InvalidValue

AUTO, NOISE, SPIKES = CHOICES = ("auto", "noise", "spikes")
#: Wall time in us for a neuron and a second of model time, with noise, in float64, on two cores (ten million neurons).
NOISE_US = 1.4
#: So many take a second and a half for a second of model time: five runs are over in ten seconds.
MOST_WITH_NOISE = 1_000_000


def choose_drive(asked: Mapping[str, Any], neurons: int) -> tuple[str, str]:
    """The drive and, where it was left open, why it is this one.

    asked: settings that were asked for, perhaps `drive`, `neurons` and `rate`. neurons: unless asked for. Raises
    InvalidValue for a drive that there is not, and for a rate where there is noise.
    """
    drive, neurons = asked.get("drive", AUTO), asked.get("neurons", neurons)
    if drive not in CHOICES:
        raise InvalidValue("drive of the mesh", drive, "'auto', 'noise' or 'spikes'")
    if drive == NOISE and "rate" in asked:
        advice = "It is the rate of spikes from outside: --drive spikes."
        raise InvalidValue("--rate", asked["rate"], "left out of the mesh with noise", advice)
    if drive != AUTO:
        return drive, ""
    if "rate" in asked:
        return SPIKES, "as --rate is their rate"
    if not isinstance(neurons, int) or neurons <= MOST_WITH_NOISE:
        return NOISE, f"the drive of up to {MOST_WITH_NOISE:,} neurons; --drive spikes is the silent mesh"
    wall = 1e-6 * NOISE_US * neurons
    return SPIKES, (
        f"as {neurons:,} neurons with noise take about {wall:.0f} s for a second of model time on two cores; "
        "--drive noise does it all the same"
    )
