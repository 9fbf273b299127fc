"""Hodgkin and Huxley's neuron with alpha-shaped synaptic currents."""

from treplica.model import arrival, current, exp, minimum, neuron, param, spike, state, where
from treplica.model.formulas import whole_steps
from treplica.neurons.channels import substep
from treplica.neurons.membrane import WAIT

E = 2.718281828459045


def constants(tau_ex, tau_inh, refractory, dt):
    """What is left of the currents after half a substep, their rise at a spike, and the refractory steps."""
    return dict(
        half_ex=exp(-0.125 * dt / tau_ex),
        half_inh=exp(-0.125 * dt / tau_inh),
        jump_ex=E / tau_ex,
        jump_inh=E / tau_inh,
        pause=whole_steps(refractory, dt),
    )


@neuron(
    v=state("mV", -65.0, doc="membrane potential"),
    m=state("1", 0.052932485257249577, doc="activation of sodium; default: equilibrium at -65 mV"),
    h=state("1", 0.5961207535084603, doc="inactivation of sodium; default: equilibrium at -65 mV"),
    n=state("1", 0.3176769140606974, doc="activation of potassium; default: equilibrium at -65 mV"),
    i_ex=state("pA", 0.0, doc="current of port ex"),
    rise_ex=state("pA/ms", 0.0, doc="what makes i_ex rise"),
    i_inh=state("pA", 0.0, doc="current of port inh"),
    rise_inh=state("pA/ms", 0.0, doc="what makes i_inh rise"),
    wait=WAIT,
    i=current("pA", doc="input current"),
    ex=arrival("pA", doc="the weight is the peak of the current, reached after tau_ex"),
    inh=arrival("pA", doc="likewise after tau_inh; the weight of an inhibitory synapse is negative"),
    c_m=param("pF", 100.0, low=0.0, low_open=True, doc="capacitance of the membrane"),
    g_na=param("nS", 12000.0, low=0.0, doc="peak conductance of sodium"),
    g_k=param("nS", 3600.0, low=0.0, doc="peak conductance of potassium"),
    g_leak=param("nS", 30.0, low=0.0, doc="leak conductance"),
    e_na=param("mV", 50.0, doc="reversal potential of sodium"),
    e_k=param("mV", -77.0, doc="reversal potential of potassium"),
    e_leak=param("mV", -54.402, doc="reversal potential of the leak"),
    tau_ex=param("ms", 0.2, low=0.0, low_open=True, doc="time to the peak of the current of port ex"),
    tau_inh=param("ms", 2.0, low=0.0, low_open=True, doc="time to the peak of the current of port inh"),
    refractory=param("ms", 2.0, low=0.0, doc="no second spike is seen for this long; nothing is held"),
    derive=constants,
    source="Hodgkin & Huxley 1952, doi:10.1113/jphysiol.1952.sp004764, with rest at -65 mV",
)
def HodgkinHuxley(
    v, m, h, n, i_ex, rise_ex, i_inh, rise_inh, wait, i, ex, inh, c_m, g_na, g_k, g_leak, e_na, e_k, e_leak,
    half_ex, half_inh, jump_ex, jump_inh, pause, dt,
):  # fmt: skip
    """Hodgkin and Huxley's neuron; synaptic currents are alpha functions.

    A spike of weight w supplies w (t/tau_ex) exp(1 - t/tau_ex) from its arrival on. Runge-Kutta of order 4 in
    four substeps: sodium rises too fast for a step of 0.1 ms (a single one diverges), with four the error of
    v is below 0.01 mV. A spike is where v, at 0 mV or above, begins to fall. The equations and the spike of
    NEST's hh_psc_alpha.
    """
    t = 0.25 * dt
    va, ma, ha, na, xa, ra, ya, qa = substep(
        v, m, h, n, i_ex, rise_ex, i_inh, rise_inh,
        i, c_m, g_na, g_k, g_leak, e_na, e_k, e_leak, half_ex, half_inh, t,
    )  # fmt: skip
    vb, mb, hb, nb, xb, rb, yb, qb = substep(
        va, ma, ha, na, xa, ra, ya, qa,
        i, c_m, g_na, g_k, g_leak, e_na, e_k, e_leak, half_ex, half_inh, t,
    )  # fmt: skip
    vc, mc, hc, nc, xc, rc, yc, qc = substep(
        vb, mb, hb, nb, xb, rb, yb, qb,
        i, c_m, g_na, g_k, g_leak, e_na, e_k, e_leak, half_ex, half_inh, t,
    )  # fmt: skip
    vd, md, hd, nd, xd, rd, yd, qd = substep(
        vc, mc, hc, nc, xc, rc, yc, qc,
        i, c_m, g_na, g_k, g_leak, e_na, e_k, e_leak, half_ex, half_inh, t,
    )  # fmt: skip
    rest = wait > 0.0
    s = where(rest, 0.0, spike(minimum(vd, v - vd)))
    return dict(
        v=vd,
        m=md,
        h=hd,
        n=nd,
        i_ex=xd,
        rise_ex=rd + jump_ex * ex,
        i_inh=yd,
        rise_inh=qd + jump_inh * inh,
        wait=where(s > 0.0, pause, where(rest, wait - 1.0, 0.0)),
        spike=s,
    )
