"""Izhikevich's network of 2003 in Brian2: the published program, line by line."""

import brian2 as b2
import with_brian2

MODEL = """
v : 1
u : 1
a : 1
b : 1
c : 1
d : 1
thalamic : 1
arrived : 1
"""
STEP = """
current = thalamic*randn() + arrived
v += 0.5*(0.04*v**2 + 5*v + 140 - u + current)
v += 0.5*(0.04*v**2 + 5*v + 140 - u + current)
u += a*(b*v - u)
arrived = 0
"""


def build(s, random):
    """Neurons, thalamic noise and synapses."""
    cells = b2.NeuronGroup(1000, MODEL, threshold="v >= 30", reset="v = c; u += d")
    e, r = random.random(800) ** 2, random.random(200)
    cells.a[:800], cells.b[:800], cells.c[:800], cells.d[:800] = 0.02, 0.2, -65 + 15 * e, 8 - 6 * e
    cells.a[800:], cells.b[800:], cells.c[800:], cells.d[800:] = 0.02 + 0.08 * r, 0.25 - 0.05 * r, -65, 2
    cells.thalamic[:800], cells.thalamic[800:] = 5, 2
    cells.v = -65
    cells.u = "b*v"
    cells.run_regularly(STEP, dt=1 * b2.ms, when="groups")
    synapses = b2.Synapses(cells, cells, "w : 1", on_pre="arrived_post += w")
    synapses.connect()
    synapses.w = "rand()*(0.5*int(i < 800) - int(i >= 800))"
    return [cells, synapses], cells, {"neurons": 1000, "synapses": len(synapses)}


with_brian2.measure(build)
