"""Published parameter sets of the Izhikevich neuron: six types and twenty firing patterns."""

from collections.abc import Mapping


def _type(a: float, b: float, c: float, d: float) -> Mapping[str, float]:
    """A neuron type of Izhikevich 2003, figure 2."""
    return dict(a=a, b=b, c=c, d=d)


def _pattern(
    a: float, b: float, c: float, d: float, v: float, u: float | None = None, **others: float
) -> Mapping[str, float]:
    """A firing pattern of Izhikevich 2004, figure 1, which starts at v and u (None: b v)."""
    return dict(a=a, b=b, c=c, d=d, v=v, u=b * v if u is None else u, semi_implicit=1.0, **others)


#: The quadratic of the two patterns that Izhikevich gives as 0.04 v^2 + 4.1 v + 108.
_FLAT = dict(linear=4.1, constant=108.0)

TYPES = dict(
    regular_spiking=_type(0.02, 0.2, -65.0, 8.0),
    intrinsically_bursting=_type(0.02, 0.2, -55.0, 4.0),
    chattering=_type(0.02, 0.2, -50.0, 2.0),
    fast_spiking=_type(0.1, 0.2, -65.0, 2.0),
    thalamo_cortical=_type(0.02, 0.25, -65.0, 0.05),
    low_threshold_spiking=_type(0.02, 0.25, -65.0, 2.0),
)

PATTERNS = dict(
    tonic_spiking=_pattern(0.02, 0.2, -65.0, 6.0, v=-70.0),
    phasic_spiking=_pattern(0.02, 0.25, -65.0, 6.0, v=-64.0),
    tonic_bursting=_pattern(0.02, 0.2, -50.0, 2.0, v=-70.0),
    phasic_bursting=_pattern(0.02, 0.25, -55.0, 0.05, v=-64.0),
    mixed_mode=_pattern(0.02, 0.2, -55.0, 4.0, v=-70.0),
    spike_frequency_adaptation=_pattern(0.01, 0.2, -65.0, 8.0, v=-70.0),
    class_1=_pattern(0.02, -0.1, -55.0, 6.0, v=-60.0, **_FLAT),
    class_2=_pattern(0.2, 0.26, -65.0, 0.0, v=-64.0),
    spike_latency=_pattern(0.02, 0.2, -65.0, 6.0, v=-70.0),
    subthreshold_oscillation=_pattern(0.05, 0.26, -60.0, 0.0, v=-62.0),
    resonator=_pattern(0.1, 0.26, -60.0, -1.0, v=-62.0),
    integrator=_pattern(0.02, -0.1, -55.0, 6.0, v=-60.0, **_FLAT),
    rebound_spike=_pattern(0.03, 0.25, -60.0, 4.0, v=-64.0),
    rebound_burst=_pattern(0.03, 0.25, -52.0, 0.0, v=-64.0),
    threshold_variability=_pattern(0.03, 0.25, -60.0, 4.0, v=-64.0),
    bistability=_pattern(0.1, 0.26, -60.0, 0.0, v=-61.0),
    depolarizing_after_potential=_pattern(1.0, 0.2, -60.0, -21.0, v=-70.0),
    accommodation=_pattern(0.02, 1.0, -55.0, 4.0, v=-65.0, u=-16.0, v_u=-65.0, leak=0.0),
    inhibition_induced_spiking=_pattern(-0.02, -1.0, -60.0, 8.0, v=-63.8),
    inhibition_induced_bursting=_pattern(-0.026, -1.0, -45.0, -2.0, v=-63.8),
)
