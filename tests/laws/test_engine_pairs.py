"""The update of an isolated pair of spikes equals the closed form of its rule."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eqspike.learning.eqspike import EqSpike
from eqspike.learning.stdp import PairSTDP
from eqspike.network.description import Layer, Network, Neuron, Projection, Synapse
from eqspike.substrates.spiking.settings import Encoding, Phases
from eqspike.substrates.spiking.substrate import SpikingSubstrate

pytestmark = pytest.mark.kernels
FREE, NUDGED, RATE, BETA = 10, 60, 1e-6, 0.5
MIDDLE = FREE + 30
LAGS = [-29, -20, -8, -7, -3, -2, -1, 1, 2, 3, 7, 8, 20, 29]


def pair_engine(rule, commit: str, symmetric: bool) -> SpikingSubstrate:
    """Return neurons a and b joined by one weak plastic synapse, apart from the output and its nudge."""
    neuron, silent = Neuron(reset="hard"), Synapse(learning_rate=0, plastic=False)
    network = Network(
        (
            Layer("input", 1, "static"),
            Layer("a", 1, "lif", neuron),
            Layer("b", 1, "lif", neuron),
            Layer("output", 2, "lif", neuron),
        ),
        (
            Projection("input", "a", silent),
            Projection("a", "b", Synapse(learning_rate=RATE, commit=commit), symmetric=symmetric),
            Projection("b", "output", silent),
        ),
    )
    phases = Phases(free_ticks=FREE, nudged_ticks=NUDGED, readout_ticks=FREE)
    engine = SpikingSubstrate(network, rule.plasticity(), phases, Encoding(), beta=BETA, precision=64)
    weights, biases = engine.get_weights()
    engine.set_weights({name: np.zeros_like(w) for name, w in weights.items()}, biases)
    return engine


def asked(engine: SpikingSubstrate, a: list[int], b: list[int]) -> tuple[float, np.ndarray]:
    """Force spikes of a and b at the given ticks; return the sum of the updates asked for, and when."""
    injected = np.zeros((FREE + NUDGED, engine.compiled.n_neurons))
    for name, ticks in (("a", a), ("b", b)):
        injected[ticks, engine.compiled.block(name).start] = 2.0
    record = engine.observe(np.zeros((1, 1)), np.zeros(1, np.int64), 0, updates=100, injected=injected)
    for name, ticks in (("a", a), ("b", b)):
        assert np.flatnonzero(record.raster[:, engine.compiled.block(name).start]).tolist() == sorted(ticks)
    n = record.n_updates[0]
    return record.update_value[:n].sum(), record.update_place[:n, 0]


def delay_kernel(m: int, tau: float, delay: int) -> float:
    """Return the rate difference over ``delay`` ticks, per tick, m ticks after a lone spike."""
    keep = 1 - 1 / tau
    return (keep**m - (keep ** (m - delay) if m >= delay else 0.0)) / (tau * delay)


def slow_kernel(m: int, tau: float, slow: float) -> float:
    """Return (r - r_slow) / tau_slow m ticks after a lone spike, r_slow the smoothed r (a geometric sum)."""
    fast, keep = 1 - 1 / tau, 1 - 1 / slow
    share = (m + 1) * fast**m if fast == keep else (keep ** (m + 1) - fast ** (m + 1)) / (keep - fast)
    return (fast**m / tau - share / (tau * slow)) / slow


ESTIMATORS = [
    (EqSpike(tau_ticks=6, delay_ticks=8), lambda m: delay_kernel(m, 6, 8)),
    (EqSpike(tau_ticks=6, delay_ticks=1), lambda m: 1 / 6 if m == 0 else -((5 / 6) ** (m - 1)) / 36),
    (EqSpike(tau_ticks=5, derivative="slow_trace", tau_slow_ticks=9), lambda m: slow_kernel(m, 5, 9)),
    (EqSpike(tau_ticks=7, derivative="slow_trace", tau_slow_ticks=7), lambda m: slow_kernel(m, 7, 7)),
]


@pytest.mark.parametrize("commit", ["immediate", "end_of_phase"])
@pytest.mark.parametrize(("rule", "kernel"), ESTIMATORS)
def test_eqspike_pair_reads_the_impulse_response_of_the_derivative(rule, kernel, commit: str) -> None:
    engine = pair_engine(rule, commit, symmetric=True)
    for lag in LAGS:
        value, when = asked(engine, [MIDDLE], [MIDDLE + lag])
        assert value == pytest.approx(RATE / BETA * kernel(abs(lag) - 1), rel=1e-9, abs=1e-18)
        assert sorted(when) == sorted([MIDDLE, MIDDLE + lag])


@pytest.mark.parametrize(("rule", "kernel"), ESTIMATORS)
def test_eqspike_remembers_spikes_of_the_free_phase_but_learns_only_after_it(rule, kernel) -> None:
    engine = pair_engine(rule, "immediate", symmetric=True)
    value, when = asked(engine, [FREE - 4], [FREE + 2])
    assert value == pytest.approx(RATE / BETA * kernel(5), rel=1e-9)
    assert when.tolist() == [FREE + 2]
    assert asked(engine, [FREE - 7], [FREE - 1])[1].size == 0


@pytest.mark.parametrize("rule", [estimator for estimator, _ in ESTIMATORS] + [PairSTDP(tau_plus=20, tau_minus=20)])
def test_coincident_spikes_ask_for_nothing(rule) -> None:
    assert asked(pair_engine(rule, "immediate", symmetric=False), [MIDDLE], [MIDDLE])[0] == 0


def test_eqspike_updates_of_many_spikes_are_the_sum_over_their_pairs() -> None:
    """Both directions are linear in the other neuron's spikes: pairs add up."""
    rule, kernel = ESTIMATORS[0]
    a, b = [MIDDLE - 20, MIDDLE - 6, MIDDLE, MIDDLE + 9], [MIDDLE - 19, MIDDLE, MIDDLE + 3]
    value, _ = asked(pair_engine(rule, "end_of_phase", symmetric=True), a, b)
    wanted = sum(kernel(abs(i - j) - 1) for i in a for j in b if i != j)
    assert value == pytest.approx(RATE / BETA * wanted, rel=1e-9)


@pytest.mark.parametrize("symmetric", [True, False])
def test_pair_stdp_is_exponential_on_both_sides_and_keeps_its_rate_in_every_phase(symmetric: bool) -> None:
    rule = PairSTDP(tau_plus=7, tau_minus=11, A_plus=0.02, A_minus=0.03)
    engine = pair_engine(rule, "immediate", symmetric)
    for start in (FREE // 2, MIDDLE):
        for lag in [lag for lag in LAGS if start + lag >= 0]:
            window = 0.02 * math.exp(-lag / 7) if lag > 0 else -0.03 * math.exp(lag / 11)
            assert asked(engine, [start], [start + lag])[0] == pytest.approx(RATE * window, rel=1e-9)


def test_pair_stdp_counts_all_pairs() -> None:
    rule = PairSTDP(tau_plus=7, tau_minus=11, A_plus=0.02, A_minus=0.03)
    a, b = [3, 12, 30], [2, 8, 12, 41]
    window = [0.02 * math.exp((i - j) / 7) if j > i else -0.03 * math.exp((j - i) / 11) for i in a for j in b if i != j]
    value, _ = asked(pair_engine(rule, "immediate", symmetric=False), a, b)
    assert value == pytest.approx(RATE * sum(window), rel=1e-9)
