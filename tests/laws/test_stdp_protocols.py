"""Laws of the plasticity protocols: closed forms of pairs, slow sums over histories, and the triplet rule's signs."""

from __future__ import annotations

from math import exp
from typing import NamedTuple

import numpy as np
import pytest

from eqspike.analysis.closed_forms import impulse_response
from eqspike.analysis.stdp import (
    Measurements,
    frequency_protocol,
    isolated_pair,
    pair_protocol,
    rate_ramp,
    triplet_protocol,
    weight_change,
)
from eqspike.core.errors import ConfigError
from eqspike.learning.eqspike import EqSpike
from eqspike.learning.plasticity import Plasticity
from eqspike.learning.stdp import PairSTDP, TripletSTDP
from eqspike.learning.trace_rule import Trace, TraceRule
from tests.reference.spike_rules import rule_twin_of

PAIR = PairSTDP(tau_plus=17e-3, tau_minus=34e-3, A_plus=0.011, A_minus=0.006)
NEAREST = PAIR.model_copy(update={"pairs": "nearest-neighbour"})
VISUAL = TripletSTDP()
VISUAL_NEAREST = TripletSTDP(
    A2_plus=8.8e-11, A2_minus=6.6e-3, A3_plus=5.3e-2, A3_minus=3.1e-3, tau_x=714e-3, tau_y=40e-3,
    pairs="nearest-neighbour",
)  # fmt: skip
# Sjöström, Turrigiano and Nelson, 2001, as Pfister and Gerstner, 2006, tabulate them.
RATES, AFTER, BEFORE = (0.1, 10, 20, 40, 50), (-0.04, 0.14, 0.29, 0.53, 0.56), (-0.29, -0.41, -0.34, 0.56, 0.75)
ERRORS = (0.05, 0.1, 0.14, 0.11, 0.26, 0.08, 0.11, 0.1, 0.32, 0.19)
SJOSTROM = Measurements(
    "Sjöström et al. 2001",
    {"rate_hz": np.array(RATES * 2, float), "difference_s": np.repeat([0.01, -0.01], 5)},
    np.array(AFTER + BEFORE),
    np.array(ERRORS),
)


def pairs_in_theory(rule: PairSTDP, dt: float, n: int, rate_hz: float) -> float:
    """Sum the window over all pairs of two regular trains, or over neighbours, 0 < abs(dt) < 1 / rate."""
    period = 1 / rate_hz
    if rule.pairs == "nearest-neighbour":
        later, earlier = (dt, period - dt) if dt > 0 else (period + dt, -dt)
        ups, downs = (n, n - 1) if dt > 0 else (n - 1, n)
        return ups * rule.A_plus * exp(-later / rule.tau_plus) - downs * rule.A_minus * exp(-earlier / rule.tau_minus)
    total = 0.0
    for k in range(-n + 1, n):  # a post spike k periods after the pre spike of its own pair
        lag = dt + k * period
        window = rule.A_plus * exp(-lag / rule.tau_plus) if lag > 0 else -rule.A_minus * exp(lag / rule.tau_minus)
        total += (n - abs(k)) * window
    return total


@pytest.mark.parametrize("rule", [PAIR, NEAREST], ids=["all", "nearest"])
@pytest.mark.parametrize("rate_hz", [1.0, 20.0, 43.0])
def test_repeated_pairs_have_their_closed_form(rule: PairSTDP, rate_hz: float) -> None:
    found = frequency_protocol(rule, [rate_hz], difference_s=(4e-3, -9.5e-3), pairs=25)
    for line, dt in zip(found.series, (4e-3, -9.5e-3), strict=True):
        assert line.change[0] == pytest.approx(pairs_in_theory(rule, dt, 25, rate_hz), rel=1e-9)


def test_few_pairs_far_apart_are_so_many_isolated_pairs() -> None:
    (line,) = pair_protocol(PAIR, (10e-3, -10e-3), pairs=60, rate_hz=0.5).series
    once = isolated_pair(PAIR, (10, -10)).mean
    assert line.change == pytest.approx(60 * once, rel=1e-9)


def test_bursts_far_apart_do_not_see_each_other_and_slow_ones_are_one_train() -> None:
    often = {"pairs": 15, "difference_s": (5e-3,)}
    bursts = frequency_protocol(PAIR, [0.1, 20.0], burst=5, burst_interval_s=10.0, **often).series[0].change
    one_train = frequency_protocol(PAIR, [0.1, 20.0], **often).series[0].change
    assert bursts[0] == pytest.approx(one_train[0], rel=1e-12)
    assert bursts[1] == pytest.approx(3 * pairs_in_theory(PAIR, 5e-3, 5, 20.0), rel=1e-9)
    assert abs(bursts[1] - one_train[1]) > 1e-4


@pytest.mark.parametrize("rule", [PAIR, NEAREST, VISUAL, VISUAL_NEAREST], ids=["all", "nearest", "triplet", "triplet1"])
def test_any_trains_change_a_synapse_as_sums_over_their_histories_do(rule: PairSTDP | TripletSTDP) -> None:
    draw = np.random.default_rng(3)
    pre, post = (np.sort(draw.choice(400, 40, replace=False)) for _ in range(2))
    twin, wanted = rule_twin_of(rule, 1e-3), 0.0
    for now in range(400):
        if now in pre:
            wanted += twin.at_arrival(pre.tolist(), post.tolist(), now)
        if now in post:
            wanted += twin.at_spike(pre.tolist(), post.tolist(), now)
    assert len(np.intersect1d(pre, post)) > 0, "coincident spikes belong to the test"
    assert weight_change(rule, pre * 1e-3, post * 1e-3) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.kernels
def test_the_clock_and_the_events_agree_on_pairs() -> None:
    draw = np.random.default_rng(5)
    pre, post = (np.sort(draw.choice(300, 25, replace=False)) * 1e-3 for _ in range(2))
    for rule in (PAIR, NEAREST):
        ticked = weight_change(rule.plasticity(1e-3), pre, post)
        assert ticked == pytest.approx(weight_change(rule, pre, post), rel=1e-9)


@pytest.mark.kernels
@pytest.mark.parametrize("rule", [EqSpike(tau_ticks=20, delay_ticks=20), EqSpike(derivative="slow_trace")])
def test_eqspike_is_the_sum_of_its_kernel_over_all_pairs(rule: EqSpike) -> None:
    draw = np.random.default_rng(7)
    pre, post = (np.sort(draw.choice(200, 20, replace=False)) for _ in range(2))
    lag = post[None, :] - pre[:, None]
    one_sided = impulse_response(rule, -lag - 1).sum()
    both = one_sided + impulse_response(rule, lag - 1).sum()
    assert weight_change(rule, pre * 1e-3, post * 1e-3) == pytest.approx(both, rel=1e-9)
    found = weight_change(rule, pre * 1e-3, post * 1e-3, weights="asymmetric")
    assert found == pytest.approx(one_sided, rel=1e-9)


def test_the_triplet_rule_has_the_frequency_dependence_of_visual_cortex() -> None:
    """Pfister and Gerstner, J. Neurosci. 26:9673, 2006: their fit explains the data to a mean of 0.34 (0.22)."""
    for rule, error in ((VISUAL, 0.34), (VISUAL_NEAREST, 0.22)):
        found = frequency_protocol(rule, measured=SJOSTROM)
        after, before = (line.change for line in found.series)
        assert np.all(np.diff(after) > -1e-12), "potentiation grows with the rate"
        assert before[0] < 0 < before[-1], "depression turns into potentiation"
        assert found.measured.chi_squared == pytest.approx(error, abs=0.02)
        assert found.measured.signs == (7, 7)


def test_pairs_alone_have_it_the_wrong_way_round() -> None:
    """With the window of hippocampal cultures pre-before-post turns to depression as the rate rises."""
    balance = PairSTDP(tau_plus=16.8e-3, tau_minus=33.7e-3, A_plus=7.8e-3, A_minus=7e-3)
    after, before = (line.change for line in frequency_protocol(balance).series)
    assert after[0] > 0 > after[-1]
    assert before[-1] < 0


def test_no_factor_fits_pair_stdp_to_the_frequency_data() -> None:
    found = frequency_protocol(PairSTDP(tau_plus=16.8e-3, tau_minus=33.7e-3), measured=SJOSTROM).measured
    scaled = (found.scale * found.predicted - np.array(AFTER + BEFORE)) / np.array(ERRORS)
    assert np.mean(scaled**2) > 3


@pytest.mark.kernels
def test_eqspike_does_not_tell_the_order_of_spikes() -> None:
    found = triplet_protocol(EqSpike(tau_ticks=20, delay_ticks=20), ((5e-3, -15e-3), (-5e-3, 15e-3)))
    pre_post_pre, post_pre_post = (line.change[0] for line in found.series)
    assert pre_post_pre == pytest.approx(post_pre_post, rel=1e-12)
    (line,) = pair_protocol(EqSpike(tau_ticks=20, delay_ticks=20), (-15e-3, 15e-3)).series
    assert line.change[0] == pytest.approx(line.change[1], rel=1e-12)


def test_with_asymmetric_weights_an_isolated_pair_sees_the_past_alone() -> None:
    window = isolated_pair(EqSpike(tau_ticks=20, delay_ticks=20), range(-40, 41), weights="asymmetric")
    assert not window.mean[40:].any()
    np.testing.assert_allclose(window.mean, window.closed_form.values, atol=1e-15)
    assert window.mean[39] > 0 > window.mean[10]


def test_a_symmetric_weight_gets_an_even_window_which_the_lag_makes() -> None:
    settings = {"trials": 3000, "seed": 4}
    one, both = rate_ramp(**settings), rate_ramp(weights="symmetric", **settings)
    np.testing.assert_allclose(both.mean, one.mean + one.mean[::-1], rtol=1e-9)
    theory = np.interp(both.difference_s, both.closed_form.difference_s, both.closed_form.values)
    assert np.all(np.abs(both.mean - theory) < 4 * both.standard_error)
    exact = rate_ramp(weights="symmetric", derivative="exact", **settings)
    assert np.all(np.abs(exact.mean) < 4 * exact.standard_error), "without a lag nothing is left"


def test_in_the_ensemble_stdp_sums_the_window_over_the_spikes_around_a_pair() -> None:
    """A post neuron that fires every 20 ms or so: sum over k of W(dt + 20 k), what lies within 60 ms after."""
    rule = PairSTDP(tau_plus=20e-3, tau_minus=10e-3, A_plus=0.01, A_minus=0.008)
    window = rate_ramp(rule, trials=2000, rates=(0.0499, 0.0501), window_ticks=60, bin_ticks=1)
    assert (window.rule, window.unit) == ("PairSTDP", "weight")
    for dt in (-13, -4, 4, 13):
        lags = [dt + 20 * k for k in range(-10, 4) if dt + 20 * k <= 60]
        wanted = sum(0.01 * exp(-lag / 20) if lag > 0 else -0.008 * exp(lag / 10) for lag in lags)
        (found,) = window.mean[np.isclose(window.difference_s, dt * 1e-3)]
        assert found == pytest.approx(wanted, abs=4e-4)
    assert window.mean.max() > 0 > window.mean.min()


class Homeostatic(NamedTuple):
    gain: float
    cost: float


def on_pre(parameters, weight, pre, i, post, j):
    return parameters.gain * (1.0 - pre[0, i])


def on_post(parameters, weight, pre, i, post, j):
    return -parameters.cost * weight * post[1, j]


def test_a_rule_of_ones_own_depends_on_its_weight_within_its_bounds() -> None:
    traces = (Trace("last", 20e-3, nearest=True), Trace("sum", 0.1))
    rule = TraceRule(Homeostatic(0.01, 0.05), traces, on_pre, on_post)
    wanted = 0.25 + 0.01 + 0.01 * (1 - exp(-10 / 20))
    wanted -= 0.05 * wanted * exp(-25 / 100)
    wanted += 0.01 * (1 - exp(-30 / 20))
    found = weight_change(rule, [0.05, 0.06, 0.09], [0.055, 0.08], weight=0.25)
    assert found == pytest.approx(wanted - 0.25, rel=1e-9)
    assert pair_protocol(rule, [0.01]).rule == "Homeostatic"
    bounded = PairSTDP(A_plus=1.0, w_max=1.5)
    assert weight_change(bounded, [0.01], [0.02], weight=1.4) == pytest.approx(0.1)


class Decay(NamedTuple):
    rate: float


def decay(parameters, traces, spikes, tick):
    for i in range(spikes.size):
        traces[0, i] += (spikes[i] - traces[0, i]) * parameters.rate


def post_rate(parameters, weight, pre, i, post, j):
    return weight * post[0, j]


def pre_rate(parameters, weight, pre, i, post, j):
    return 0.0


@pytest.mark.kernels
def test_a_plasticity_of_ones_own_runs_on_its_ticks() -> None:
    rule = Plasticity(Decay(0.1), ("rate",), decay, post_rate, pre_rate)
    assert weight_change(rule, [0.005], [0.002], weight=2.0) == pytest.approx(2.0 * 0.1 * 0.9**2)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (lambda: weight_change(PAIR, [-1.0], [0.0]), "pre_s"),
        (lambda: weight_change(EqSpike(), [0.0], [1e9]), "tick_s"),
        (lambda: weight_change(PAIR, [0.0], [0.0], weights="asymmetric"), "weights"),
        (lambda: pair_protocol(PAIR, []), "difference_s"),
        (lambda: pair_protocol(PAIR, [float("nan")]), "difference_s"),
        (lambda: pair_protocol(PAIR, pairs=0), "pairs"),
        (lambda: frequency_protocol(PAIR, [0.0]), "rate_hz"),
        (lambda: frequency_protocol(PAIR, [1.0], burst=0), "burst"),
        (lambda: triplet_protocol(PAIR, ((0.01, 0.02),)), "triplets_s"),
        (lambda: rate_ramp(PAIR, weights="asymmetric"), "weights"),
        (lambda: isolated_pair(EqSpike(), weights="lopsided"), "weights"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(asked, field: str) -> None:
    with pytest.raises(ConfigError) as error:
        asked()
    assert field in str(error.value)
