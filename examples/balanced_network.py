"""A balanced network of 2,500 leaky integrate-and-fire neurons with exponential synaptic currents.

Inhibition outweighs excitation, noise from outside drives the neurons; they fire irregularly. After Brunel 2000,
doi:10.1023/A:1008925309027. Prints:

    E  10.7 Hz  CV 0.66  correlation 0.015
    I  10.8 Hz  CV 0.65
"""

import treplica as tr
from treplica import analysis

SIZE = {"E": 2000, "I": 500}
WEIGHT = {"E": 60.0, "I": -360.0}  # pA
SOURCES = 0.1  # share of each population that a neuron receives from


def network() -> tr.Network:
    """Two populations, four projections; every neuron has 200 excitatory and 50 inhibitory sources."""
    net = tr.Network(seed=11)
    neuron = tr.LIFExp(v=tr.Uniform(-70.0, -55.0), tau_ex=2.0, tau_inh=2.0)
    cells = {name: net.add(tr.Population(name, size, neuron)) for name, size in SIZE.items()}
    for source, sender in cells.items():
        rule = tr.FixedInDegree(round(SOURCES * SIZE[source]), multapses=False)
        port = "ex" if source == "E" else "inh"
        for receiver in cells.values():
            weight = tr.Normal(WEIGHT[source], 0.1 * abs(WEIGHT[source]))
            net.connect(sender, receiver, rule, weight=weight, delay=tr.Uniform(0.5, 2.5), port=port)
    for receiver in cells.values():
        net.stimulate(receiver, tr.PoissonInput(rate=3000.0, weight=WEIGHT["E"]), port="ex")
        net.record(receiver, name=receiver.name)
    return net


def main() -> None:
    """Run for a second, leave out the first fifth of it, print."""
    with tr.Simulation(network(), dt=0.1, quiet=True) as sim:
        sim.run(1000.0)
    for name in SIZE:
        spikes = sim[name].between(200.0, 1000.0)
        text = f"{name}  {analysis.mean_rate(spikes):.1f} Hz  CV {analysis.cv(spikes).values.mean():.2f}"
        if name == "E":
            text += f"  correlation {analysis.correlation(spikes, bin=5.0).pairs.mean():.3f}"
        print(text)


if __name__ == "__main__":
    main()
