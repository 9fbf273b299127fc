"""The rate of a leaky integrate-and-fire neuron over its input current, against the closed form.

One neuron for each current, all of them in one population. Prints:

     pA     Hz  closed form
     370    0.0          0.0
     380   22.0         22.1
    ...
    1000  149.0        149.3
"""

import numpy as np

import treplica as tr

TAU, C_M, RISE, REFRACTORY = 10.0, 250.0, 15.0, 2.0  # ms, pF, mV from reset to threshold, ms
CURRENTS = np.array([370.0, 380.0, 400.0, 450.0, 500.0, 600.0, 800.0, 1000.0])
SECONDS = 4.0


def closed_form(i: np.ndarray) -> np.ndarray:
    """The rate in Hz; a neuron whose potential does not reach the threshold is silent."""
    reach = np.maximum(TAU / C_M * i, RISE)
    with np.errstate(divide="ignore"):
        return 1000.0 / (REFRACTORY + TAU * np.log(reach / (reach - RISE)))


def main() -> None:
    """Simulate, compare."""
    net = tr.Network()
    cells = net.add(tr.Population("cells", len(CURRENTS), tr.LIF(tau=TAU, c_m=C_M, refractory=REFRACTORY)))
    net.stimulate(cells, tr.DirectCurrent(amplitude=CURRENTS))
    recorded = net.record(cells)
    with tr.Simulation(net, dt=0.01, quiet=True) as sim:
        sim.run(1000.0 * SECONDS)
        rates = sim[recorded].counts() / SECONDS
    print(" pA     Hz  closed form")
    for i, measured, expected in zip(CURRENTS, rates, closed_form(CURRENTS), strict=True):
        print(f"{i:4.0f}  {measured:5.1f}  {expected:11.1f}")


if __name__ == "__main__":
    main()
