"""What the scripts for Brian2 share: connections of fixed in-degree, compilation, the timed run."""

import brian2 as b2
import numpy as np
import timing


def fixed_indegree(synapses, sources, degree, random):
    """Connect `degree` sources out of the array `sources` to every target, drawn with replacement."""
    targets = np.arange(len(synapses.target))
    synapses.connect(i=random.choice(sources, degree * len(targets)), j=np.repeat(targets, degree))


def measure(build):
    """Measure what build(settings, random) makes: (objects of the network, its neurons, figures)."""
    made = {}

    def prepared(s):
        b2.defaultclock.dt = s["dt"] * b2.ms
        b2.seed(s["seed"])
        objects, neurons, figures = build(s, np.random.default_rng(s["seed"]))
        made["monitor"] = b2.SpikeMonitor(neurons, record=False)
        made["network"] = b2.Network(*objects, made["monitor"])
        made["network"].run(0 * b2.ms)  # compiles
        return figures

    def run(milliseconds):
        before = made["monitor"].num_spikes
        made["network"].run(milliseconds * b2.ms)
        return made["monitor"].num_spikes - before

    timing.measure(timing.settings(), prepared, run, b2.__version__)
