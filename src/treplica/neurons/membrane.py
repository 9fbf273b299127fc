"""Quantities that several neurons have in common, declared once."""

from treplica.model import param, state

WAIT = state(
    "steps", 0.0, span=(0.0, 32767.0), whole=True, doc="steps of the refractory period that are left"
)

#: What potentials in fixed point hold, in mV.
POTENTIALS = (-128.0, 128.0)

#: v, and the constants of a leaky membrane with a threshold; defaults as in NEST's iaf models.
LEAKY = dict(
    v=state("mV", -70.0, span=POTENTIALS, doc="membrane potential"),
    c_m=param("pF", 250.0, low=0.0, low_open=True, doc="capacitance of the membrane"),
    tau=param("ms", 10.0, low=0.0, low_open=True, doc="membrane time constant"),
    v_rest=param("mV", -70.0, doc="resting potential"),
    v_th=param("mV", -55.0, doc="a spike is where v reaches this"),
)

#: Hard reset, after which v is held.
RESET = dict(
    wait=WAIT,
    v_reset=param("mV", -70.0, doc="v after a spike"),
    refractory=param("ms", 2.0, low=0.0, doc="v stays at v_reset after a spike for this long"),
)

#: Time constants of the synaptic ports ex and inh.
SYNAPTIC = dict(
    tau_ex=param("ms", 2.0, low=0.0, low_open=True, doc="time constant of port ex"),
    tau_inh=param("ms", 2.0, low=0.0, low_open=True, doc="time constant of port inh"),
)

#: A membrane with conductances and hard reset; defaults as in NEST's iaf_cond models.
CONDUCTANCES = dict(
    v=state("mV", -70.0, doc="membrane potential"),
    g_ex=state("nS", 0.0, doc="conductance of port ex"),
    g_inh=state("nS", 0.0, doc="conductance of port inh"),
    wait=WAIT,
    c_m=param("pF", 250.0, low=0.0, low_open=True, doc="capacitance of the membrane"),
    g_leak=param("nS", 16.6667, low=0.0, doc="leak conductance"),
    v_rest=param("mV", -70.0, doc="reversal potential of the leak"),
    v_th=param("mV", -55.0, doc="a spike is where v reaches this"),
    v_reset=param("mV", -60.0, doc="v after a spike"),
    refractory=param("ms", 2.0, low=0.0, doc="v stays at v_reset after a spike for this long"),
    tau_ex=param("ms", 0.2, low=0.0, low_open=True, doc="time constant of port ex"),
    tau_inh=param("ms", 2.0, low=0.0, low_open=True, doc="time constant of port inh"),
    e_ex=param("mV", 0.0, doc="reversal potential of port ex"),
    e_inh=param("mV", -85.0, doc="reversal potential of port inh"),
)
