"""What the scripts for NEST share: a fresh kernel, connections of fixed in-degree, the timed run."""

import nest
import timing


def kernel(s):
    """An empty kernel with the resolution, threads and seed of the settings."""
    nest.ResetKernel()
    threads, seed = s["threads"], s["seed"] + 1
    nest.set(resolution=s["dt"], local_num_threads=threads, rng_seed=seed, print_time=False)


def fixed_indegree(source, target, degree, synapse, autapses=True):
    """Connect with `degree` inputs for every target."""
    rule = {"rule": "fixed_indegree", "indegree": degree, "allow_autapses": autapses}
    nest.Connect(source, target, rule, synapse)


def run(milliseconds):
    """Run; the spikes of that time."""
    nest.Run(milliseconds)
    return nest.local_spike_counter  # of the last Run


def measure(build):
    """Measure what build(settings) makes; it returns neurons and synapses, and Prepare is called for it."""

    def prepared(s):
        kernel(s)
        figures = build(s)
        nest.Prepare()
        return figures

    nest.verbosity = nest.VerbosityLevel.ERROR
    timing.measure(timing.settings(), prepared, run, nest.__version__)
