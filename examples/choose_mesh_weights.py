"""How the weights of `treplica demo` were chosen: activity of the mesh without images, over noise and weight.

Each setting runs twice with the same seed, so with the same noise. In the second run every hundredth neuron is made
to spike once; the difference of the two is what those spikes caused, they themselves included. docs/demo.md has the
table, and what follows from it. Prints:

    noise  weight/mV  rate/Hz  most in a step  silent at least  caused by a spike
      3.0        4.0...
    ...
"""

import argparse

import numpy as np

import treplica as tr
from treplica.systems.mesh import EYE_WEIGHT, mesh

SCAN = [(3.0, 4.0), (3.0, 6.0), (3.0, 8.0), (3.0, 10.0), (3.0, 12.0), (3.5, 7.0), (4.0, 5.0)]
WARM_UP_MS, ANSWER_MS = 500.0, 100.0


def run(neurons: int, noise: float, weight: float, duration: float, *, kicked: bool) -> tr.SpikeTrains:
    """Run the mesh, and every hundredth neuron made to spike after the warm-up if it is kicked; without the warm-up."""
    net = mesh(neurons, noise=noise, weight=weight)
    population = net.population("mesh")
    spikes = net.record(population, "spikes")
    with tr.Simulation(net, dt=1.0, quiet=True) as sim:
        sim.run(WARM_UP_MS)
        if kicked:
            chosen = population[::100]
            kick = tr.SpikeTrains.from_lists([[1.0]] * len(chosen), dt=1.0, duration=1.0)
            sim.feed(chosen, kick, weight=EYE_WEIGHT)
        sim.run(duration)
        return sim[spikes].between(WARM_UP_MS, sim.time)


def main() -> None:
    """Scan and print."""
    parser = argparse.ArgumentParser(
        description="Activity of the mesh without images, over noise and weight."
    )
    parser.add_argument("--neurons", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=2.0, help="model time of each run (default 2)")
    chosen = parser.parse_args()
    print("noise  weight/mV  rate/Hz  most in a step  silent at least  caused by a spike")
    for noise, weight in SCAN:
        alone = run(chosen.neurons, noise, weight, 1000.0 * chosen.seconds, kicked=False)
        kicked = run(chosen.neurons, noise, weight, ANSWER_MS, kicked=True)
        before = len(alone.between(WARM_UP_MS, WARM_UP_MS + ANSWER_MS))
        caused = (len(kicked) - before) / len(range(0, chosen.neurons, 100))
        rate = len(alone) / alone.size / alone.duration * 1000.0
        most = int(np.diff(alone.offsets()).max())
        print(
            f"{noise:5.1f}  {weight:9.1f}  {rate:7.2f}  {most:14d}  {1 - most / alone.size:15.2%}  {caused:17.2f}"
        )


if __name__ == "__main__":
    main()
