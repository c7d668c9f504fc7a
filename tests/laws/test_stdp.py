"""Laws of the spike-timing windows: replayed rules are the engine's, pairs have closed forms, ensembles their lag."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.analysis.closed_forms import estimator_lag, impulse_response, ramp_exact
from eqspike.analysis.stdp import isolated_pair, rate_ramp, replay
from eqspike.analysis.window import closed_form_zero
from eqspike.learning.eqspike import EqSpike
from eqspike.learning.stdp import PairSTDP
from eqspike.network.description import Layer, Network, Neuron, Projection, Synapse
from eqspike.substrates.spiking.settings import Encoding, Phases
from eqspike.substrates.spiking.substrate import SpikingSubstrate

RULE = EqSpike(tau_ticks=20, delay_ticks=20)


def _derivative_after_a_spike(rule: EqSpike, ticks: int) -> np.ndarray:
    """Follow the estimator of one spike by its own definition: a leaky rate and its reference, tick by tick."""
    rate, slow, rates, change = 0.0, 0.0, [], []
    for tick in range(ticks):
        rate += ((tick == 0) - rate) / rule.tau_ticks
        rates.append(rate)
        slow += (rate - slow) / rule.tau_slow_ticks
        before = rates[tick - rule.delay_ticks] if tick >= rule.delay_ticks else 0.0
        delayed = (rate - before) / rule.delay_ticks
        change.append(delayed if rule.derivative == "delay" else (rate - slow) / rule.tau_slow_ticks)
    return np.array(change)


@pytest.mark.parametrize(
    "rule",
    [RULE, EqSpike(tau_ticks=8, delay_ticks=1), EqSpike(tau_ticks=9, derivative="slow_trace", tau_slow_ticks=9),
     EqSpike(tau_ticks=9, derivative="slow_trace", tau_slow_ticks=14)],
)  # fmt: skip
def test_the_impulse_response_is_what_the_estimator_does(rule: EqSpike) -> None:
    np.testing.assert_allclose(impulse_response(rule, np.arange(90)), _derivative_after_a_spike(rule, 90), atol=1e-15)


def test_the_impulse_response_has_its_known_values() -> None:
    known = {0: 2.50e-3, 10: 1.50e-3, 19: 0.94e-3, 20: -1.60e-3, 30: -0.96e-3, 60: -0.21e-3}
    found = impulse_response(RULE, np.array(list(known)))
    np.testing.assert_allclose(found, list(known.values()), atol=0.006e-3)
    assert impulse_response(RULE, np.arange(2000)).sum() == pytest.approx(0, abs=1e-12)


def test_an_isolated_pair_changes_by_the_estimators_response_one_tick_late() -> None:
    window = isolated_pair(RULE, range(-40, 41))
    response = _derivative_after_a_spike(RULE, 40)
    wanted = np.concatenate([response[::-1], [0.0], response])
    np.testing.assert_allclose(window.mean, wanted, atol=1e-15)
    np.testing.assert_allclose(window.closed_form.values, wanted, atol=1e-15)


def test_pair_stdp_shows_its_own_window() -> None:
    rule = PairSTDP(tau_plus=15e-3, tau_minus=25e-3, A_plus=0.02, A_minus=0.01)
    dt = np.arange(-30, 31)
    for tick_s in (1e-3, 0.25e-3):
        window, ms = isolated_pair(rule, range(-30, 31), tick_s=tick_s), dt * tick_s * 1e3
        later, earlier = 0.02 * np.exp(-np.abs(ms) / 15), -0.01 * np.exp(-np.abs(ms) / 25)
        wanted = np.where(dt > 0, later, np.where(dt < 0, earlier, 0))
        np.testing.assert_allclose(window.mean, wanted, rtol=1e-12)
        np.testing.assert_allclose(window.closed_form.values, wanted, rtol=1e-12)


def test_the_reference_of_every_window_is_pair_stdp_in_seconds() -> None:
    curve = isolated_pair(RULE, range(-30, 31), tick_s=1e-3).reference
    assert curve.values[31:] == pytest.approx(0.01 * np.exp(-np.arange(1, 31) / 20), rel=1e-12)


@pytest.mark.kernels
@pytest.mark.parametrize("rule", [EqSpike(tau_ticks=5, delay_ticks=4), PairSTDP(tau_plus=20, tau_minus=20)])
def test_replayed_updates_are_those_that_the_engine_records(rule: EqSpike | PairSTDP) -> None:
    network = Network(
        (Layer("input", 3, "source"), Layer("output", 2, "lif", Neuron())),
        (Projection("input", "output", Synapse(learning_rate=0.5)),),
    )
    phases, encoding = Phases(free_ticks=20, nudged_ticks=30, readout_ticks=5), Encoding(kind="poisson", max_rate=0.4)
    substrate = SpikingSubstrate(network, rule.plasticity(), phases, encoding, beta=2.0, precision=64)
    weights = np.array([[0.7, 0.4], [0.5, 0.6], [0.3, 0.8]])
    substrate.set_weights({"input->output": weights}, {})
    record = substrate.observe(np.ones((1, 3)), np.array([1]), 0, updates=10_000)
    n = int(record.n_updates[0])
    assert n > 50
    contrastive = isinstance(rule, EqSpike)
    trains = [record.raster[:, substrate.compiled.block(name)] for name in ("input", "output")]
    found = replay(rule.plasticity(), *trains, triggers=("pre",) if contrastive else ("pre", "post"))
    kept = found.place[:, 0] >= (20 if contrastive else 0)
    assert np.array_equal(record.update_place[:n][:, [0, 2, 3, 4]], found.place[kept])
    gain = 0.5 / 2.0 if contrastive else 0.5
    np.testing.assert_allclose(record.update_value[:n], gain * found.value[kept], rtol=1e-12, atol=1e-18)


def test_with_the_exact_slope_the_ensemble_is_odd_in_time() -> None:
    window = rate_ramp(RULE, trials=4000, derivative="exact")
    wanted = ramp_exact(np.round(window.difference_s / 1e-3), 100, (0.02, 0.3))
    np.testing.assert_allclose(wanted, -wanted[::-1], atol=1e-18)
    assert wanted[-1] > 0, "potentiation where post follows pre"
    assert np.all(np.abs(window.mean - wanted) < 4 * window.standard_error)


def test_with_the_causal_estimator_the_ensemble_is_late_by_its_lag() -> None:
    assert estimator_lag(RULE) == pytest.approx(20 + 20 / 2, abs=0.6)
    window = rate_ramp(RULE, trials=4000)
    wanted = np.interp(window.difference_s, window.closed_form.difference_s, window.closed_form.values)
    assert np.all(np.abs(window.mean - wanted) < 4 * window.standard_error)
    assert closed_form_zero(window) == pytest.approx(-window.lag_s, abs=3e-3)
    crossing = window.crossing
    assert abs(crossing.difference_s + window.lag_s) < 3 * crossing.standard_error_s + 5e-3
    assert crossing.difference_s < -3 * crossing.standard_error_s, "the lag must show"


def test_an_ensemble_depends_on_its_seed_alone() -> None:
    first, again, other = (rate_ramp(RULE, trials=200, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.mean, again.mean, equal_nan=True)
    assert not np.array_equal(first.mean, other.mean, equal_nan=True)
