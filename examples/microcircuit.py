"""The Potjans-Diesmann microcircuit: mean rate, irregularity and correlation of every population, and its raster.

All of it takes --scale 1, and some GB of memory. Prints:

    L23E ... Hz  CV ...  correlation ...
    ...
    L6I ... Hz  CV ...  correlation ...
"""

import argparse
from pathlib import Path

import numpy as np

import treplica as tr
from treplica import analysis
from treplica.systems.microcircuit import POPULATIONS, microcircuit
from treplica.systems.microcircuit_picture import microcircuit_picture


def mean(values: np.ndarray) -> float:
    """Of what there is: a small network has populations without an interval."""
    return float(values.mean()) if values.size else float("nan")


def main() -> None:
    """Run, leave out the first half second, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1, help="share of the network (default 0.1)")
    parser.add_argument("--duration", type=float, default=2000.0, help="ms that are looked at (default 2000)")
    parser.add_argument("--picture", type=Path, help="file for the raster of 400 ms")
    chosen = parser.parse_args()

    net = microcircuit(chosen.scale)
    for name in POPULATIONS:
        net.record(net.population(name), name=name)
    with tr.Simulation(net, dt=0.1, quiet=True) as sim:
        sim.run(500.0 + chosen.duration)
    spikes = {name: sim[name].between(500.0, 500.0 + chosen.duration) for name in POPULATIONS}
    for name, trains in spikes.items():
        cv, pairs = mean(analysis.cv(trains).values), mean(analysis.correlation(trains).pairs)
        print(f"{name:5}{analysis.mean_rate(trains):7.3f} Hz  CV {cv:.3f}  correlation {pairs:.5f}")
    if chosen.picture:
        window = 500.0 + min(400.0, chosen.duration)
        microcircuit_picture(
            {name: trains.between(500.0, window) for name, trains in spikes.items()}, chosen.picture
        )


if __name__ == "__main__":
    main()
