"""What the windows are in theory: the derivative estimator's impulse response, its lag, and the ramps' covariance."""

from __future__ import annotations

import numpy as np

from eqspike.learning.eqspike import EqSpike
from eqspike.learning.stdp import PairSTDP


def impulse_response(rule: EqSpike, age: np.ndarray) -> np.ndarray:
    r"""Return the rate derivative that EqSpike estimates ``age`` ticks after a single spike, spikes / tick^2.

    With h(k) = (1 - 1/tau)^k / tau for k >= 0 the estimator with a delayed copy responds
    K(k) = [h(k) - h(k - D)] / D, that with a slow trace K(k) = [h(k) - (h * h_slow)(k)] / tau_slow. K(k) = 0 for k < 0.

    Parameters
    ----------
    age : whole ticks since the spike, any shape; 0 in the tick of the spike, after its traces have advanced.
    """
    age = np.asarray(age)
    if rule.derivative == "delay":
        delayed = _decay(rule.tau_ticks, age - rule.delay_ticks)
        return (_decay(rule.tau_ticks, age) - delayed) / rule.delay_ticks
    keep, slow = 1 - 1 / rule.tau_ticks, 1 - 1 / rule.tau_slow_ticks
    k = np.maximum(age, 0)
    mixed = (k + 1) * keep**k if keep == slow else (keep ** (k + 1) - slow ** (k + 1)) / (keep - slow)
    mixed = np.where(age >= 0, mixed, 0.0) / (rule.tau_ticks * rule.tau_slow_ticks)
    return (_decay(rule.tau_ticks, age) - mixed) / rule.tau_slow_ticks


def memory_ticks(rule: EqSpike) -> int:
    """Return after how many ticks the estimator has forgotten a spike to within exp(-10)."""
    slowest = rule.tau_ticks if rule.derivative == "delay" else max(rule.tau_ticks, rule.tau_slow_ticks)
    return int(np.ceil(10 * slowest)) + (rule.delay_ticks if rule.derivative == "delay" else 0)


def estimator_lag(rule: EqSpike) -> float:
    r"""Return by how many ticks the derivative that a spike reads is late.

    A rate that is quadratic in time gives its exact slope, late by L = -sum (k+1)^2 K(k) / (2 g) with the gain
    g = -sum (k+1) K(k); k+1 because a spike reads the traces of the tick before. With a delayed copy L = tau + D/2.
    """
    age = np.arange(4 * memory_ticks(rule))
    response = impulse_response(rule, age)
    gain = -((age + 1) * response).sum()
    return float(-((age + 1) ** 2 * response).sum() / (2 * gain))


def isolated_eqspike(rule: EqSpike, difference: np.ndarray) -> np.ndarray:
    r"""Return the update of an isolated pair, both spikes together, in units of eta / beta: K(|dt| - 1), 0 at dt = 0.

    The later spike finds the other neuron's estimator |dt| - 1 ticks after its spike; the earlier finds it at rest.
    """
    return impulse_response(rule, np.abs(difference) - 1)


def isolated_pair_stdp(rule: PairSTDP, difference: np.ndarray) -> np.ndarray:
    r"""Return A_plus exp(-dt / tau_plus) for dt > 0, -A_minus exp(dt / tau_minus) for dt < 0, and 0 at dt = 0.

    Parameters
    ----------
    difference : dt = t_post - t_pre in seconds, any shape.
    """
    later = rule.A_plus * np.exp(-np.abs(difference) / rule.tau_plus)
    earlier = -rule.A_minus * np.exp(-np.abs(difference) / rule.tau_minus)
    return np.where(difference > 0, later, np.where(difference < 0, earlier, 0.0))


def ramp_exact(difference: np.ndarray, ramp_ticks: int, rates: tuple[float, float]) -> np.ndarray:
    r"""Return the mean exact slope at a pre spike of pairs dt apart, over the ensemble of ramps: -C'(dt) / r.

    The rate of the ensemble is rho(t) = sum_n a_n Lambda(t / T + phi - n), straight ramps of T ticks between knots a_n
    drawn uniformly from [a, b], phi uniform: a stationary process of mean r = (a + b) / 2 and autocovariance
    C(x) = v B(x / T), with v = (b - a)^2 / 12 and the cubic B-spline B = Lambda * Lambda,
    B(u) = 2/3 - u^2 + |u|^3 / 2 for |u| < 1, (2 - |u|)^3 / 6 for 1 <= |u| < 2, else 0.
    A pair is met with probability rho(t + dt), so the mean is E[rho(t + dt) rho'(t)] / E[rho(t + dt)]; stationarity
    makes the numerator -C'(dt): odd, positive where post follows pre.
    """
    u, v = np.abs(difference) / ramp_ticks, (rates[1] - rates[0]) ** 2 / 12
    slope = np.where(u < 1, 2 * u - 1.5 * u**2, np.where(u < 2, 0.5 * (2 - u) ** 2, 0.0))
    return np.sign(difference) * slope * v / (ramp_ticks * 0.5 * sum(rates))


def ramp_causal(rule: EqSpike, difference: np.ndarray, ramp_ticks: int, rates: tuple[float, float]) -> np.ndarray:
    r"""Return the mean estimated slope at a pre spike of pairs dt apart: sum_k K(k) C(dt + 1 + k) / r.

    The estimate at the pre spike is sum_k K(k) s(t - 1 - k), a spike reading the traces of the tick before. Replacing
    s by its rate, and dropping the mean rate because K sums to zero, leaves the autocovariance C of :func:`ramp_exact`
    filtered by K: the odd curve, late by the estimator's lag.

    Notes
    -----
    A spike train is more than its rate: the spikes around the pair's own post spike ring at dt near 0 and, through the
    delayed copy, near -D, by about K(0) a tick and with zero sum. Bins of about a dozen ticks average this out.
    """
    age = np.arange(memory_ticks(rule))
    u = np.abs(np.asarray(difference)[..., None] + 1 + age) / ramp_ticks
    spline = np.where(u < 1, 2 / 3 - u**2 + u**3 / 2, np.where(u < 2, (2 - u) ** 3 / 6, 0.0))
    variance = (rates[1] - rates[0]) ** 2 / 12
    return variance * (spline @ impulse_response(rule, age)) / (0.5 * sum(rates))


def _decay(tau: float, age: np.ndarray) -> np.ndarray:
    return np.where(age >= 0, (1 - 1 / tau) ** np.maximum(age, 0) / tau, 0.0)
