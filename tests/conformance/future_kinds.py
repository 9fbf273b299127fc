"""One small model of each kind that the language must hold and that the library does not ship."""

from treplica.model import (
    absolute,
    arrival,
    atan,
    current,
    erf,
    exp,
    floor,
    formula,
    graded,
    maximum,
    minimum,
    neuron,
    param,
    receptor,
    sees,
    spike,
    state,
    uniform,
    where,
)


def rotation(damping, frequency, dt):
    """The complex factor of one step, (1 + z/2) / (1 - z/2) for z = dt (damping + i frequency)."""
    re = 0.5 * dt * damping
    im = 0.5 * dt * frequency
    size = (1.0 - re) * (1.0 - re) + im * im
    return dict(turn_re=(1.0 - re * re - im * im) / size, turn_im=2.0 * im / size)


@neuron(
    x=state("1"), y=state("1"), i=current("1"), arrived=arrival("1"),
    damping=param("1/ms", -0.1, high=0.0), frequency=param("1/ms", 1.0), derive=rotation,
    source="Izhikevich 2001, doi:10.1016/S0893-6080(01)00078-8",
)  # fmt: skip
def ResonateAndFire(x, y, i, arrived, turn_re, turn_im, dt):
    """Complex state x + iy: a damped rotation."""
    x1 = turn_re * x - turn_im * y + dt * i + arrived
    y1 = turn_im * x + turn_re * y
    s = spike(y1 - 1.0)
    return dict(x=where(s > 0.0, 0.0, x1), y=where(s > 0.0, 1.0, y1), spike=s)


@neuron(v=state("1"), i=current("1"), arrived=arrival("1"), keep=param("1", 0.9, low=0.0, high=1.0), graded=7)
def Graded(v, i, arrived, keep):
    """A spike is a whole number from -7 to 7: how many thresholds v has passed."""
    v1 = keep * v + i + arrived
    size = minimum(floor(absolute(v1)), 7.0)
    level = where(v1 < 0.0, -size, size)
    return dict(v=v1 - level, spike=level)


@neuron(
    v=state("1"), i=current("1"), arrived=arrival("1"), keep=param("1", 0.9, low=0.0, high=1.0), graded=15
)
def Counting(v, i, arrived, keep):
    """A spike is the number of whole thresholds that v has passed, after input that saturates."""
    v1 = keep * v + atan(i) + 2.0 * erf(arrived + 0.3 * i)
    size = minimum(graded(v1), 15.0)
    return dict(v=v1 - size, spike=size)


@neuron(v=state("mV"), i=current("mV"), luck=uniform(), width=param("mV", 2.0, low=0.0, low_open=True))
def Chance(v, i, luck, width, dt):
    """Fires with a probability that is a sigmoid of v."""
    v1 = v + dt * (i - v)
    p = dt / (1.0 + exp((10.0 - v1) / width))
    return dict(v=v1, spike=where(luck < p, 1.0, 0.0))


@formula
def coupled(here, there, i, coupling, dt):
    """One Euler step of a leaky compartment."""
    return here + dt * (-here + coupling * (there - here) + i)


@neuron(
    soma=state("mV"), dendrite=state("mV"), into_soma=current("mV"), into_dendrite=current("mV"),
    proximal=arrival("mV"), distal=arrival("mV"), coupling=param("1/ms", 0.5, low=0.0),
)  # fmt: skip
def TwoCompartments(soma, dendrite, into_soma, into_dendrite, proximal, distal, coupling, dt):
    """Two compartments, each with a current and a port of its own."""
    s1 = coupled(soma, dendrite, into_soma, coupling, dt) + proximal
    d1 = coupled(dendrite, soma, into_dendrite, coupling, dt) + distal
    fired = spike(s1 - 10.0)
    return dict(soma=where(fired > 0.0, 0.0, s1), dendrite=d1, spike=fired)


@neuron(ramp=state("1"), slope=state("1/ms"), arrived=arrival("1/ms"), threshold=param("1", 1.0))
def Ramp(ramp, slope, arrived, threshold, dt):
    """Counts at a slope that is the sum of the weights that arrived: time to first spike."""
    ramp1 = ramp + dt * slope
    s = spike(ramp1 - threshold)
    fired = s > 0.0
    return dict(ramp=where(fired, 0.0, ramp1), slope=where(fired, 0.0, slope + arrived), spike=s)


@receptor(g=state("nS"), v=sees("mV"), arrived=arrival("nS"), magnesium=param("1/mV", 0.062))
def VoltageGated(g, v, arrived, magnesium, dt):
    """A conductance that opens with v, as NMDA's does."""
    opened = 1.0 / (1.0 + 0.28 * exp(-magnesium * v))
    return dict(g=maximum(g - 0.01 * dt * g, 0.0) + arrived, current=g * opened * (0.0 - v))


@formula
def levels():
    """Numbers alone."""
    return 0.1, -2


@neuron(
    v=state("1"), i=current("1"), real=param("1", 1.0), floor_at=param("1", 0.5), where_=param("1", 1 / 3)
)
def AwkwardNames(
    v: float, i: float, real: float, floor_at: float, where_: float, dt: float
) -> dict[str, float]:
    """Quantities named like words, whole numbers, a truth value that becomes a number, numbers alone."""
    low, high = levels()
    select = v + 0.1 * where_ - 1 + i * dt
    pow2 = where(select > 2, 1, 0)
    above = select > low
    above = where(above, 1e-3, -(1.0 / 3.0))
    return dict(
        v=minimum(maximum(select * 0.5 + pow2 + above, high), 9), spike=spike(select * real - floor_at)
    )


@neuron(v=state("1"), i=current("1"), floor=param("1", 0.5), real=param("1", 0.25), τ=param("1", 0.5))
def NamedLikeWords(v, i, floor, real, τ):
    """Parameters that hide words of the same name, and one with a Greek name."""
    return dict(v=τ * v + floor * i + real, spike=spike(v - 3.0))


KINDS = [
    ResonateAndFire,
    Graded,
    Counting,
    Chance,
    TwoCompartments,
    Ramp,
    VoltageGated,
    AwkwardNames,
    NamedLikeWords,
]
