"""Plasticity in a chip's integers: stochastic rounding is unbiased, bounded, counted and independent of threads."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eqspike import LIF, FixedPoint, Layer, Network, OneToOne, PairSTDP, Projection, SpikeList, TripletSTDP, simulate
from eqspike.core.errors import ConfigError

N, GAP = 3_000, 5e-3
RULE = PairSTDP(A_plus=0.01, A_minus=0.02, tau_plus=12.8e-3, tau_minus=12.8e-3, w_min=0.0, w_max=0.5)


def changed(*, bits: int, gap: float = GAP, threads: int = 1, seed: int = 1, rule=RULE, weight: float = 0.125):
    """Return the changes of N synapses whose post neurons fire ``gap`` after the arrival of their pre spike."""
    neuron = LIF(tau_membrane_s=None)
    delay = 1e-3
    network = Network(
        (Layer("taught", N, "source"), Layer("forcing", N, "source"), Layer("neurons", N, "lif", neuron)),
        (
            Projection("taught", "neurons", connectivity=OneToOne(), weight=weight, delay_s=delay, plastic=True),
            Projection("forcing", "neurons", connectivity=OneToOne(), weight=2.0, delay_s=delay),
        ),
    )
    ids = np.arange(N)
    inputs = {"taught": SpikeList(np.full(N, 10e-3), ids), "forcing": SpikeList(np.full(N, 10e-3 + gap - 1e-4), ids)}
    clock = FixedPoint(tick_s=1e-4, weight_bits=bits, potential_bits=16)
    found = simulate(network, 0.03, clock=clock, inputs=inputs, rule=rule, seed=seed, threads=threads)
    return found.weights()["taught->neurons"], found.ledger()


@pytest.mark.parametrize(("gap", "amplitude"), [(GAP, 0.01), (-GAP, -0.02)])
@pytest.mark.parametrize("bits", [4, 8, 16])
def test_the_mean_change_is_that_of_the_window(bits: int, gap: float, amplitude: float) -> None:
    weights, ledger = changed(bits=bits, gap=gap)
    step = np.diff(np.unique(weights)).min()
    change = weights - np.round(0.125 / step) * step
    wanted = amplitude * np.exp(-GAP / 12.8e-3)
    low, high = stats.t.interval(0.999, N - 1, change.mean(), change.std(ddof=1) / np.sqrt(N))
    # a trace that decays by shifts loses 2^-7 of itself a tick where exp(-1/128) is meant, and is rounded
    assert low - 0.01 * abs(wanted) < wanted < high + 0.01 * abs(wanted)
    assert len(np.unique(weights)) == 2, "every weight takes one of the two steps around what is asked"
    moved = int((change != 0).sum())
    assert ledger.total("free", "weight_writes") == moved
    assert ledger.total("free", "suppressed_updates") == 2 * N - moved, "the other end's spike asked for nothing"


def test_results_belong_to_the_seed_and_not_to_threads() -> None:
    one, two, other = changed(bits=6)[0], changed(bits=6, threads=2)[0], changed(bits=6, seed=2)[0]
    np.testing.assert_array_equal(one, two)
    assert np.any(one != other)


def test_weights_stay_within_the_rules_bounds() -> None:
    rule = RULE.model_copy(update={"A_plus": 5.0})
    weights, ledger = changed(bits=6, rule=rule)
    assert weights.max() == pytest.approx(0.5, rel=0.02) and weights.max() <= 0.5
    assert ledger.total("free", "saturations") >= N


def test_rules_of_products_of_traces_are_refused() -> None:
    with pytest.raises(ConfigError, match="linear in its amplitudes") as error:
        changed(bits=8, rule=TripletSTDP())
    assert error.value.field == "taught->neurons.plastic" and "PairSTDP" in error.value.remedy
