"""A neuron of one's own: FitzHugh and Nagumo's, which is not shipped, checked and run.

FitzHugh 1961, doi:10.1016/S0006-3495(61)86902-6. Its quantities have no units; a unit of time is 1 ms here. Between
two bifurcations it fires, below and above it rests. Prints:

    the same on plain, cpu...
    current  0.2  0.3  0.4  0.6  0.8  1.0  1.2  1.4  1.5
    spikes     0    0   24   26   27   27   25   22    0
"""

import numpy as np

import treplica as tr
from treplica.model import current, formula, neuron, param, spike, state, where
from treplica.testing import check_neuron


@formula
def slopes(v, w, i, slowness):
    """dv/dt and dw/dt."""
    return v - v * v * v / 3.0 - w + i, (v + 0.7 - 0.8 * w) / slowness


@neuron(
    v=state("1", -1.2, doc="potential"),
    w=state("1", -0.6, doc="recovery"),
    i=current("1", doc="input current"),
    slowness=param("1", 12.5, low=0.0, low_open=True, doc="time constant of the recovery"),
    source="FitzHugh 1961, doi:10.1016/S0006-3495(61)86902-6",
)
def FitzHughNagumo(v, w, i, slowness, dt):
    """Two slopes and the midpoint rule; a spike is where v rises through 1."""
    dv, dw = slopes(v, w, i, slowness)
    dv2, dw2 = slopes(v + 0.5 * dt * dv, w + 0.5 * dt * dw, i, slowness)
    v1 = v + dt * dv2
    return dict(v=v1, w=w + dt * dw2, spike=where(v < 1.0, spike(v1 - 1.0), 0.0))


def main() -> None:
    """Check it, then run it under nine currents."""
    print("the same on", ", ".join(check_neuron(FitzHughNagumo).targets))
    currents = np.array([0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.5])
    net = tr.Network()
    cells = net.add(tr.Population("cells", len(currents), FitzHughNagumo()))
    net.stimulate(cells, tr.DirectCurrent(amplitude=currents))
    recorded = net.record(cells)
    with tr.Simulation(net, dt=0.05, quiet=True) as sim:
        sim.run(1200.0)
        counts = sim[recorded].between(200.0, 1200.0).counts()
    print("current", *(f"{x:4.1f}" for x in currents))
    print("spikes ", *(f"{x:4d}" for x in counts))


if __name__ == "__main__":
    main()
