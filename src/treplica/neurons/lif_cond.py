"""Leaky integrate-and-fire neuron with conductances that decay exponentially.

The conductances do not depend on v and are propagated exactly: no charge is lost where they decay faster than
dt. v is advanced by the classical Runge-Kutta method with the exact conductances at the beginning, middle and
end of the step.
"""

from treplica.model import arrival, current, exp, formula, neuron, spike, where
from treplica.model.formulas import whole_steps
from treplica.neurons.membrane import CONDUCTANCES


@formula
def slope(v, g_ex, g_inh, i, c_m, g_leak, v_rest, e_ex, e_inh):
    """dv/dt in mV/ms."""
    return (g_leak * (v_rest - v) + g_ex * (e_ex - v) + g_inh * (e_inh - v) + i) / c_m


@formula
def runge_kutta(v, ex0, ex1, ex2, inh0, inh1, inh2, i, c_m, g_leak, v_rest, e_ex, e_inh, dt):
    """Give v after a step in which the conductances are ex0, ex1, ex2 at its beginning, middle and end."""
    k1 = slope(v, ex0, inh0, i, c_m, g_leak, v_rest, e_ex, e_inh)
    k2 = slope(v + 0.5 * dt * k1, ex1, inh1, i, c_m, g_leak, v_rest, e_ex, e_inh)
    k3 = slope(v + 0.5 * dt * k2, ex1, inh1, i, c_m, g_leak, v_rest, e_ex, e_inh)
    k4 = slope(v + dt * k3, ex2, inh2, i, c_m, g_leak, v_rest, e_ex, e_inh)
    return v + dt * (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0


def constants(tau_ex, tau_inh, refractory, dt):
    """What is left of the conductances after half a step, and the refractory period in steps."""
    return dict(
        half_ex=exp(-0.5 * dt / tau_ex), half_inh=exp(-0.5 * dt / tau_inh), pause=whole_steps(refractory, dt)
    )


@neuron(
    **CONDUCTANCES,
    i=current("pA", doc="input current"),
    ex=arrival("nS", doc="the conductance of this port jumps by the weight, >= 0"),
    inh=arrival("nS", doc="likewise, also >= 0: it inhibits by its reversal potential"),
    derive=constants,
    source="Meffin, Burkitt & Grayden 2004, doi:10.1023/B:JCNS.0000014108.03012.81",
)
def LIFCondExp(
    v, g_ex, g_inh, wait, i, ex, inh, half_ex, half_inh, c_m, g_leak, v_rest, e_ex, e_inh, v_th, v_reset,
    pause, dt,
):  # fmt: skip
    """Leaky integrate-and-fire neuron whose conductances jump by the weight and decay exponentially.

    c_m dv/dt = g_leak (v_rest - v) + g_ex (e_ex - v) + g_inh (e_inh - v) + i. The equations of NEST's
    iaf_cond_exp.
    """
    rest = wait > 0.0
    ex1 = g_ex * half_ex
    inh1 = g_inh * half_inh
    ex2 = ex1 * half_ex
    inh2 = inh1 * half_inh
    moved = runge_kutta(v, g_ex, ex1, ex2, g_inh, inh1, inh2, i, c_m, g_leak, v_rest, e_ex, e_inh, dt)
    v1 = where(rest, v, moved)
    s = spike(v1 - v_th)
    fired = s > 0.0
    return dict(
        v=where(fired, v_reset, v1),
        g_ex=ex2 + ex,
        g_inh=inh2 + inh,
        wait=where(fired, pause, where(rest, wait - 1.0, 0.0)),
        spike=s,
    )
