"""Handwritten digits on a small-world mesh: what `treplica demo` does, with the names that you would use.

A tenth of the neurons of the demo; images of 8 x 8 pixels. Writes digits_on_the_mesh.png where matplotlib is
installed. Prints:

    0.62 Hz before the images
    9.59 Hz where they arrive, 0.62 Hz elsewhere
"""

import numpy as np

import treplica as tr
from treplica import analysis

NEURONS, PIXELS, WINDOW = 10_000, 64, 50.0


def main() -> None:
    """Describe, run, show twenty images, print."""
    net = tr.Network(seed=7)
    mesh = net.add(tr.Population("mesh", NEURONS, tr.Izhikevich.regular_spiking(refractory=3.0)))
    eye = net.add(tr.Population("eye", PIXELS, tr.SpikeSource()))
    net.connect(mesh, mesh, tr.WattsStrogatz(k=6, p=0.02), weight=8.0, delay=1.0)
    net.connect(eye, mesh[:PIXELS], tr.OneToOne(), weight=30.0, delay=1.0)
    net.stimulate(mesh, tr.GaussianCurrent(std=3.0))
    recorded = net.record(mesh, "spikes")

    images = tr.datasets.digits("train").inputs
    with tr.Simulation(net, dt=1.0, quiet=True) as sim:
        sim.run(500.0)
        sim.feed(eye, tr.coding.latency(images[:20], window=WINDOW, cut=0.2))
        sim.run(20 * WINDOW)
    spikes = sim[recorded]

    each = analysis.rates(spikes, 500.0, sim.time)
    print(f"{analysis.mean_rate(spikes, 100.0, 500.0):.2f} Hz before the images")
    print(f"{each[:PIXELS].mean():.2f} Hz where they arrive, {each[PIXELS:].mean():.2f} Hz elsewhere")
    try:
        analysis.raster(spikes.select(np.arange(4 * PIXELS)), "digits_on_the_mesh.png")
    except tr.errors.MissingExtra as missing:
        print(missing)


if __name__ == "__main__":
    main()
