"""Statistics of spike trains on processes whose values are known, and the tests that compare simulators."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.analysis import statistics
from eqspike.core.errors import ConfigError

N, DURATION = 200, 20.0


def poisson(rate_hz: float = 20.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rate_hz * DURATION, N)
    return rng.uniform(0, DURATION, counts.sum()), np.repeat(np.arange(N), counts)


def regular(period_s: float = 0.05, *, together: bool = False) -> tuple[np.ndarray, np.ndarray]:
    offset = np.zeros(N) if together else np.arange(N) / N * period_s
    beats = np.arange(round(DURATION / period_s)) * period_s
    return (offset[:, None] + beats).ravel(), np.repeat(np.arange(N), len(beats))


def test_a_poisson_process_has_unit_cv_and_unit_count_variance() -> None:
    times, ids = poisson()
    assert statistics.mean_rate(times, ids, N, DURATION) == pytest.approx(20, rel=0.02)
    assert statistics.interval_cv(times, ids, N, DURATION) == pytest.approx(1, abs=0.01)
    assert statistics.synchrony(times, ids, N, DURATION) == pytest.approx(1, abs=0.06)
    assert statistics.synchrony(times, ids, N, DURATION, bin_s=0.02) == pytest.approx(1, abs=0.15)


def test_regular_trains_have_no_cv_and_no_count_variance_out_of_step() -> None:
    times, ids = regular()
    assert statistics.mean_rate(times, ids, N, DURATION) == 20
    assert statistics.interval_cv(times, ids, N, DURATION) == pytest.approx(0, abs=1e-9)
    assert statistics.synchrony(times, ids, N, DURATION, bin_s=0.005) == pytest.approx(0, abs=1e-3)


def test_neurons_that_fire_all_together_are_as_synchronous_as_can_be() -> None:
    times, ids = regular(together=True)
    empty = 9 / 10  # one bin of ten holds all N spikes
    assert statistics.synchrony(times, ids, N, DURATION, bin_s=0.005) == pytest.approx(N * empty, rel=1e-3)
    mixed = np.concatenate([times, poisson()[0]]), np.concatenate([ids, poisson()[1]])
    assert 1 < statistics.synchrony(*mixed, N, DURATION, bin_s=0.005) < N * empty


def test_the_cv_of_a_gamma_process_is_that_of_its_shape() -> None:
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.gamma(4, 1 / 80, (N, 390)), axis=1)
    found = statistics.interval_cv(times.ravel(), np.repeat(np.arange(N), 390), N, DURATION)
    assert found == pytest.approx(0.5, abs=0.005)


def test_only_neurons_with_three_spikes_count_and_order_does_not_matter() -> None:
    times, ids = np.array([5.0, 0.0, 1.0, 4.0, 0.0, 9.0]), np.array([0, 0, 0, 1, 1, 2])
    intervals = np.array([1.0, 4.0])  # of neuron 0; neuron 1 has one interval, neuron 2 none
    expected = intervals.std(ddof=1) / intervals.mean()
    assert statistics.interval_cv(times, ids, 3, 10.0) == pytest.approx(expected)
    assert np.isnan(statistics.interval_cv(times[3:], ids[3:], 3, 10.0))
    assert np.isnan(statistics.synchrony(times[:0], ids[:0], 3, 10.0))


def test_bins_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"0.004 s hold 1 bins .*Watch longer"):
        statistics.synchrony(np.array([0.001]), np.array([0]), 1, 0.004)


@pytest.mark.parametrize(
    ("level", "freedom", "quantile"),
    [(0.95, 1, 12.7062), (0.95, 9, 2.26216), (0.9, 4, 2.13185), (0.99, 2, 9.92484), (0.95, 1e6, 1.95997)],
)
def test_students_quantiles_are_those_of_the_tables(level: float, freedom: float, quantile: float) -> None:
    assert statistics.student_quantile(level, freedom) == pytest.approx(quantile, rel=5e-6)
    assert statistics.student_within(quantile, freedom) == pytest.approx(level, abs=1e-6)


def test_a_confidence_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    trials = rng.normal(3.0, 2.0, (2000, 5))
    intervals = [statistics.confidence_interval(values, level=0.9) for values in trials]
    assert np.mean([i.low <= 3.0 <= i.high for i in intervals]) == pytest.approx(0.9, abs=0.02)
    assert intervals[0].mean == pytest.approx(trials[0].mean())
    assert intervals[0].runs == 5


def test_intervals_overlap_where_they_share_a_value() -> None:
    one, touching, apart = (statistics.Interval(mean, 1.0, 3) for mean in (0.0, 2.0, 2.1))
    assert one.overlaps(touching) and touching.overlaps(one)
    assert not one.overlaps(apart) and not apart.overlaps(one)


def test_equivalence_needs_a_small_difference_known_well() -> None:
    rng = np.random.default_rng(3)
    ours, theirs = rng.normal(10, 0.1, 10), rng.normal(10, 0.1, 10)
    close = statistics.compare(ours, theirs, margin=0.2)
    assert close.equivalent and close.p_value > 0.05 and close.difference.low < 0 < close.difference.high
    assert not statistics.compare(ours, theirs, margin=0.01).equivalent  # too few runs to say
    assert not statistics.compare(rng.normal(10, 2, 10), rng.normal(10, 2, 10), margin=0.2).equivalent
    off = statistics.compare(ours + 0.5, theirs, margin=0.2)
    assert not off.equivalent and off.p_value < 1e-4
    assert statistics.compare(ours + 0.5, theirs, margin=0.8).equivalent


def test_equivalence_is_claimed_wrongly_no_more_often_than_its_level() -> None:
    rng = np.random.default_rng(4)
    pairs = rng.normal(0, 1, (1000, 2, 8)) + np.array([1.0, 0.0])[:, None]  # a difference of just the margin
    wrong = np.mean([statistics.compare(ours, theirs, margin=1.0).equivalent for ours, theirs in pairs])
    assert wrong == pytest.approx(0.05, abs=0.02)
    refuted = np.mean([statistics.compare(a, b + 1.0, margin=1.0).p_value < 0.05 for a, b in pairs])
    assert refuted == pytest.approx(0.05, abs=0.02)


def test_runs_that_are_all_the_same_are_compared_as_they_are() -> None:
    same = statistics.compare([2.0, 2.0], [2.0, 2.0], margin=0.1)
    assert same.equivalent and same.p_value == 1
    assert not statistics.compare([2.0, 2.0], [3.0, 3.0], margin=0.1).equivalent


@pytest.mark.parametrize("values", [[1.0], [1.0, float("nan")]])
def test_runs_without_a_spread_are_refused(values: list[float]) -> None:
    with pytest.raises(ConfigError, match="at least two runs"):
        statistics.confidence_interval(values)
    with pytest.raises(ConfigError, match="at least two runs"):
        statistics.compare([1.0, 2.0], values, margin=1.0)
