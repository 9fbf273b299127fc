"""The mesh in Brian2: compiled Cython code, with noise or with Poisson spikes for every neuron."""

import brian2 as b2
import small_world
import with_brian2

#: drive -> equations, first v and u
MODELS = {
    "noise": (
        """
        dv/dt = (0.04*v**2 + 5*v + 140 - u + noise)/ms : 1
        du/dt = a*(b*v - u)/ms : 1
        noise : 1
        """,
        (-65.0, -13.0),
    ),
    "spikes": (
        """
        dv/dt = (0.04*v**2 + 5*v + 140 - u)/ms : 1
        du/dt = a*(b*v - u)/ms : 1
        """,
        (-70.0, -14.0),
    ),
}


def drive(s, neurons):
    """Noise, or spikes from outside; the objects that it takes."""
    if s["drive"] == "noise":
        neurons.run_regularly(f"noise = {s['noise']}*randn()", dt=1 * b2.ms)
        return []
    return [b2.PoissonInput(neurons, "v", N=1, rate=s["rate"] * b2.Hz, weight=s["kick"])]


def build(s, random):
    """Neurons, drive and synapses."""
    both, figures = small_world.synapses(s)
    equations, start = MODELS[s["drive"]]
    constants = {"a": 0.02, "b": 0.2, "w": s["weight"], "ms": b2.ms}
    neurons = b2.NeuronGroup(
        s["neurons"],
        equations,
        threshold="v >= 30",
        reset="v = -65; u += 8",
        method="euler",
        namespace=constants,
    )
    neurons.v, neurons.u = start
    outside = drive(s, neurons)
    synapses = b2.Synapses(neurons, neurons, on_pre="v_post += w", namespace=constants)
    synapses.connect(i=both[:, 0], j=both[:, 1])
    synapses.delay = 1 * b2.ms
    return [neurons, synapses, *outside], neurons, figures


with_brian2.measure(build)
