"""Adaptive exponential integrate-and-fire neuron with conductances."""

from treplica.model import arrival, current, exp, formula, minimum, neuron, param, spike, state, where
from treplica.model.formulas import whole_steps
from treplica.neurons.membrane import CONDUCTANCES


@formula
def slopes(v, w, g_ex, g_inh, i, moving, c_m, g_leak, v_rest, v_th, delta_t, v_peak, e_ex, e_inh, a, tau_w):
    """dv/dt in mV/ms (0 where not `moving`) and dw/dt in pA/ms.

    v counts up to v_peak only: beyond it the exponential overflows, and there is a spike anyway.
    """
    below = minimum(v, v_peak)
    upswing = g_leak * delta_t * exp((below - v_th) / delta_t)
    synaptic = g_ex * (e_ex - below) + g_inh * (e_inh - below)
    dv = (g_leak * (v_rest - below) + upswing + synaptic - w + i) / c_m
    return moving * dv, (a * (below - v_rest) - w) / tau_w


def constants(tau_ex, tau_inh, refractory, dt):
    """What is left of the conductances after half a step, and the refractory period in steps."""
    return dict(
        half_ex=exp(-0.5 * dt / tau_ex), half_inh=exp(-0.5 * dt / tau_inh), pause=whole_steps(refractory, dt)
    )


@neuron(
    **{
        **CONDUCTANCES,
        "v": state("mV", -70.6, doc="membrane potential"),
        "v_rest": param("mV", -70.6, doc="reversal potential of the leak"),
        "v_th": param("mV", -50.4, doc="where the exponential takes over; not where a spike is detected"),
        "c_m": param("pF", 281.0, low=0.0, low_open=True, doc="capacitance of the membrane"),
        "g_leak": param("nS", 30.0, low=0.0, doc="leak conductance"),
    },
    w=state("pA", 0.0, doc="adaptation current"),
    i=current("pA", doc="input current"),
    ex=arrival("nS", doc="the conductance of this port jumps by the weight, >= 0"),
    inh=arrival("nS", doc="likewise, also >= 0: it inhibits by its reversal potential"),
    delta_t=param("mV", 2.0, low=0.0, low_open=True, doc="slope factor: how sharp the upswing is"),
    a=param("nS", 4.0, doc="adaptation that follows v"),
    b=param("pA", 80.5, doc="adaptation gained at a spike"),
    tau_w=param("ms", 144.0, low=0.0, low_open=True, doc="time constant of the adaptation"),
    v_peak=param("mV", -40.0, doc="a spike is where v reaches this; from here to the top it takes 0.05 ms"),
    derive=constants,
    source="Brette & Gerstner 2005, doi:10.1152/jn.00686.2005",
)
def AdEx(
    v, w, g_ex, g_inh, wait, i, ex, inh, half_ex, half_inh, c_m, g_leak, v_rest, v_th, delta_t, a, b, tau_w,
    v_peak, v_reset, e_ex, e_inh, pause, dt,
):  # fmt: skip
    """Adaptive exponential integrate-and-fire neuron.

    c_m dv/dt = g_leak (v_rest - v) + g_leak delta_t exp((v - v_th) / delta_t) + synapses - w + i; tau_w dw/dt
    = a (v - v_rest) - w; at a spike v = v_reset and w grows by b. Runge-Kutta of order 4, conductances exact.
    w goes on during the refractory period. The equations of NEST's aeif_cond_exp, at most one spike in a
    step.
    """
    rest = wait > 0.0
    go = where(rest, 0.0, 1.0)
    ex1 = g_ex * half_ex
    inh1 = g_inh * half_inh
    ex2 = ex1 * half_ex
    inh2 = inh1 * half_inh
    h = 0.5 * dt
    p, q = slopes(v, w, g_ex, g_inh, i, go, c_m, g_leak, v_rest, v_th, delta_t, v_peak, e_ex, e_inh, a, tau_w)
    p2, q2 = slopes(
        v + h * p, w + h * q, ex1, inh1, i, go,
        c_m, g_leak, v_rest, v_th, delta_t, v_peak, e_ex, e_inh, a, tau_w,
    )  # fmt: skip
    p3, q3 = slopes(
        v + h * p2, w + h * q2, ex1, inh1, i, go,
        c_m, g_leak, v_rest, v_th, delta_t, v_peak, e_ex, e_inh, a, tau_w,
    )  # fmt: skip
    p4, q4 = slopes(
        v + dt * p3, w + dt * q3, ex2, inh2, i, go,
        c_m, g_leak, v_rest, v_th, delta_t, v_peak, e_ex, e_inh, a, tau_w,
    )  # fmt: skip
    v1 = v + dt * (p + 2.0 * p2 + 2.0 * p3 + p4) / 6.0
    w1 = w + dt * (q + 2.0 * q2 + 2.0 * q3 + q4) / 6.0
    # v is at its peak for an instant, on average in the middle of the step: w has half a step before and after.
    raised = w + h * q + b
    w_fired = raised + h * (a * (v_reset - v_rest) - raised) / tau_w
    s = spike(v1 - v_peak)
    fired = s > 0.0
    return dict(
        v=where(fired, v_reset, v1),
        w=where(fired, w_fired, w1),
        g_ex=ex2 + ex,
        g_inh=inh2 + inh,
        wait=where(fired, pause, where(rest, wait - 1.0, 0.0)),
        spike=s,
    )
