"""Leaky integrate-and-fire neuron with alpha-shaped conductances; the method is that of `lif_cond`."""

from treplica.model import arrival, current, exp, neuron, spike, state, where
from treplica.model.formulas import whole_steps
from treplica.neurons.lif_cond import runge_kutta
from treplica.neurons.membrane import CONDUCTANCES

E = 2.718281828459045


def constants(tau_ex, tau_inh, refractory, dt):
    """What is left of the conductances after half a step, their rise at a spike, and the refractory steps."""
    return dict(
        half_ex=exp(-0.5 * dt / tau_ex),
        half_inh=exp(-0.5 * dt / tau_inh),
        jump_ex=E / tau_ex,
        jump_inh=E / tau_inh,
        pause=whole_steps(refractory, dt),
    )


@neuron(
    **CONDUCTANCES,
    rise_ex=state("nS/ms", 0.0, doc="what makes g_ex rise"),
    rise_inh=state("nS/ms", 0.0, doc="what makes g_inh rise"),
    i=current("pA", doc="input current"),
    ex=arrival("nS", doc="the weight, >= 0, is the peak of the conductance, reached after tau_ex"),
    inh=arrival("nS", doc="likewise after tau_inh, also >= 0: it inhibits by its reversal potential"),
    derive=constants,
    source="Meffin, Burkitt & Grayden 2004, doi:10.1023/B:JCNS.0000014108.03012.81",
)
def LIFCondAlpha(
    v, g_ex, rise_ex, g_inh, rise_inh, wait, i, ex, inh, half_ex, half_inh, jump_ex, jump_inh, c_m, g_leak,
    v_rest, e_ex, e_inh, v_th, v_reset, pause, dt,
):  # fmt: skip
    """Leaky integrate-and-fire neuron whose conductances are alpha functions.

    A spike of weight w opens w (t/tau_ex) exp(1 - t/tau_ex) from its arrival on. c_m dv/dt = g_leak (v_rest -
    v) + g_ex (e_ex - v) + g_inh (e_inh - v) + i. The equations of NEST's iaf_cond_alpha.
    """
    rest = wait > 0.0
    ex1 = (g_ex + 0.5 * dt * rise_ex) * half_ex
    inh1 = (g_inh + 0.5 * dt * rise_inh) * half_inh
    ex2 = (g_ex + dt * rise_ex) * half_ex * half_ex
    inh2 = (g_inh + dt * rise_inh) * half_inh * half_inh
    moved = runge_kutta(v, g_ex, ex1, ex2, g_inh, inh1, inh2, i, c_m, g_leak, v_rest, e_ex, e_inh, dt)
    v1 = where(rest, v, moved)
    s = spike(v1 - v_th)
    fired = s > 0.0
    return dict(
        v=where(fired, v_reset, v1),
        g_ex=ex2,
        rise_ex=rise_ex * half_ex * half_ex + jump_ex * ex,
        g_inh=inh2,
        rise_inh=rise_inh * half_inh * half_inh + jump_inh * inh,
        wait=where(fired, pause, where(rest, wait - 1.0, 0.0)),
        spike=s,
    )
