"""The ion channels of Hodgkin and Huxley's neuron, and one Runge-Kutta step through them."""

from treplica.model import exp, expm1, formula, where


@formula
def linoid(x):
    """x / (1 - exp(-x)), and its limit 1 at 0, where the rates of m and n would divide 0 by 0."""
    safe = where(x == 0.0, 1.0, x)
    return where(x == 0.0, 1.0, safe / (0.0 - expm1(-safe)))


@formula
def slopes(v, m, h, n, i, c_m, g_na, g_k, g_leak, e_na, e_k, e_leak):
    """dv/dt in mV/ms and the slopes of the gates m, h, n in 1/ms."""
    alpha_m = linoid((v + 40.0) / 10.0)
    beta_m = 4.0 * exp(-(v + 65.0) / 18.0)
    alpha_h = 0.07 * exp(-(v + 65.0) / 20.0)
    beta_h = 1.0 / (1.0 + exp(-(v + 35.0) / 10.0))
    alpha_n = 0.1 * linoid((v + 55.0) / 10.0)
    beta_n = 0.125 * exp(-(v + 65.0) / 80.0)
    ionic = g_na * m * m * m * h * (v - e_na) + g_k * n * n * n * n * (v - e_k) + g_leak * (v - e_leak)
    return (
        (i - ionic) / c_m,
        alpha_m * (1.0 - m) - beta_m * m,
        alpha_h * (1.0 - h) - beta_h * h,
        alpha_n * (1.0 - n) - beta_n * n,
    )


@formula
def substep(
    v, m, h, n, i_ex, rise_ex, i_inh, rise_inh, i, c_m, g_na, g_k, g_leak, e_na, e_k, e_leak, half_ex,
    half_inh, dt,
):  # fmt: skip
    """Give v, the gates and the currents of both ports dt later, by Runge-Kutta of order 4."""
    r = 0.5 * dt
    j0 = i + i_ex + i_inh
    j1 = i + (i_ex + r * rise_ex) * half_ex + (i_inh + r * rise_inh) * half_inh
    ex = (i_ex + dt * rise_ex) * half_ex * half_ex
    inh = (i_inh + dt * rise_inh) * half_inh * half_inh
    j2 = i + ex + inh
    v1, m1, h1, n1 = slopes(v, m, h, n, j0, c_m, g_na, g_k, g_leak, e_na, e_k, e_leak)
    v2, m2, h2, n2 = slopes(
        v + r * v1, m + r * m1, h + r * h1, n + r * n1, j1, c_m, g_na, g_k, g_leak, e_na, e_k, e_leak
    )
    v3, m3, h3, n3 = slopes(
        v + r * v2, m + r * m2, h + r * h2, n + r * n2, j1, c_m, g_na, g_k, g_leak, e_na, e_k, e_leak
    )
    v4, m4, h4, n4 = slopes(
        v + dt * v3, m + dt * m3, h + dt * h3, n + dt * n3, j2, c_m, g_na, g_k, g_leak, e_na, e_k, e_leak
    )
    return (
        v + dt * (v1 + 2.0 * v2 + 2.0 * v3 + v4) / 6.0,
        m + dt * (m1 + 2.0 * m2 + 2.0 * m3 + m4) / 6.0,
        h + dt * (h1 + 2.0 * h2 + 2.0 * h3 + h4) / 6.0,
        n + dt * (n1 + 2.0 * n2 + 2.0 * n3 + n4) / 6.0,
        ex,
        rise_ex * half_ex * half_ex,
        inh,
        rise_inh * half_inh * half_inh,
    )
