"""STDP in the simulator in ticks: pairs, triplets, order within a tick, bounds, and a user's own rule."""

from __future__ import annotations

from math import exp
from typing import NamedTuple

import numpy as np
import pytest

from eqspike.learning.stdp import PairSTDP, TripletSTDP
from eqspike.learning.trace_rule import Trace, TraceRule
from eqspike.network.connectivity import AllToAll, FixedProbability, OneToOne, Pairs
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import Poisson, SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked
from eqspike.substrates.spiking.simulation import Simulation, simulate

TICK_S = 1e-3
DOUBLE = Clocked(tick_s=TICK_S, precision=64)
JOINED = {"dense": AllToAll(), "one": OneToOne(), "sparse": Pairs(np.zeros(1, np.int64), np.zeros(1, np.int64))}
W = 0.25  # too small to make the post neuron fire


def pairing(pre_ms, post_ms, rule, *, delay_ms: float = 1, joined="dense", weight: float = W) -> Simulation:
    """Let a pre neuron fire so that its spikes arrive at ``pre_ms``, and a post neuron at ``post_ms``.

    The post neuron is driven over its threshold by a teacher one tick before it fires.
    """
    layers = (
        Layer("pre", 1, "source"),
        Layer("teacher", 1, "source"),
        Layer("post", 1, "lif", LIF(tau_membrane_s=None)),
    )
    network = Network(layers, (
        Projection("pre", "post", connectivity=JOINED[joined], weight=weight, delay_s=delay_ms * 1e-3, plastic=True),
        Projection("teacher", "post", connectivity=AllToAll(), weight=50.0),
    ))  # fmt: skip
    inputs = {
        "pre": SpikeList((np.array(pre_ms) - delay_ms) * 1e-3, np.zeros(len(pre_ms), np.int64)),
        "teacher": SpikeList((np.array(post_ms) - 2) * 1e-3, np.zeros(len(post_ms), np.int64)),
    }
    found = simulate(network, 0.4, clock=DOUBLE, inputs=inputs, rule=rule, max_rate_hz=1e9)
    assert np.rint(found.spikes["post"].t * 1e3).tolist() == sorted(post_ms)
    return found


def change(*arguments, **settings) -> float:
    return float(pairing(*arguments, **settings).weights()["pre->post"].item()) - W


PAIR = PairSTDP(tau_plus=17e-3, tau_minus=23e-3, A_plus=0.011, A_minus=0.013)
NEAREST = PAIR.model_copy(update={"pairs": "nearest-neighbour"})


@pytest.mark.parametrize("joined", JOINED)
@pytest.mark.parametrize("rule", [PAIR, NEAREST], ids=["all", "nearest"])
@pytest.mark.parametrize("dt", [1, 7, 40])
def test_a_pair_of_spikes_has_the_published_window(joined: str, rule: PairSTDP, dt: int) -> None:
    assert change([50], [50 + dt], rule, joined=joined) == pytest.approx(0.011 * exp(-dt / 17), rel=1e-12)
    assert change([50 + dt], [50], rule, joined=joined) == pytest.approx(-0.013 * exp(-dt / 23), rel=1e-12)


def test_the_delay_belongs_to_the_pre_spike() -> None:
    assert change([50], [58], PAIR, delay_ms=9) == pytest.approx(0.011 * exp(-8 / 17), rel=1e-12)
    assert change([58], [50], PAIR, delay_ms=9) == pytest.approx(-0.013 * exp(-8 / 23), rel=1e-12)


@pytest.mark.parametrize("rule", [PAIR, TripletSTDP()], ids=["pair", "triplet"])
def test_spikes_of_one_tick_do_not_see_each_other(rule) -> None:
    found = pairing([50], [50], rule)
    assert found.weights()["pre->post"].item() == W
    assert found.ledger().total("free", "suppressed_updates") == 2
    assert found.ledger().total("free", "weight_writes") == 0


def test_nearest_neighbours_pair_with_the_last_spike_alone() -> None:
    pre, post = [40, 47, 60], [52]
    paired = sum(0.011 * exp(-(52 - t) / 17) for t in (40, 47)) - 0.013 * exp(-8 / 23)
    assert change(pre, post, PAIR) == pytest.approx(paired, rel=1e-12)
    assert change(pre, post, NEAREST) == pytest.approx(0.011 * exp(-5 / 17) - 0.013 * exp(-8 / 23), rel=1e-12)
    assert change([60], [40, 52], NEAREST) == pytest.approx(-0.013 * exp(-8 / 23), rel=1e-12)


def test_triplets_have_their_closed_form() -> None:
    rule = TripletSTDP(A2_plus=0.003, A2_minus=0.007, A3_plus=0.0062, A3_minus=0.0023)
    plus, minus, x, y = 16.8, 33.7, 101, 125
    post_pre_post = 0.003 * exp(-6 / plus) + 0.0062 * exp(-6 / plus) * exp(-15 / y) - 0.007 * exp(-9 / minus)
    assert change([59], [50, 65], rule) == pytest.approx(post_pre_post, rel=1e-12)
    pre_post_pre = 0.003 * exp(-9 / plus) - exp(-6 / minus) * (0.007 + 0.0023 * exp(-15 / x))
    assert change([50, 65], [59], rule) == pytest.approx(pre_post_pre, rel=1e-12)


def test_a_spike_is_delivered_with_the_weight_before_its_own_change() -> None:
    """The arrival depresses the weight to nothing, and still brings all of it; the next one brings nothing."""
    rule = PairSTDP(A_minus=1e6, w_min=0.0)
    once, twice = pairing([60], [50], rule), pairing([60, 70], [50], rule)
    assert [run.weights()["pre->post"].item() for run in (once, twice)] == [0.0, 0.0]
    assert once.potentials()["post"][0] == twice.potentials()["post"][0] == W


def test_weights_stay_within_their_bounds_and_saturations_are_counted() -> None:
    found = pairing([50, 60], [55, 65], PairSTDP(A_plus=1.0, A_minus=1.0, w_min=0.1, w_max=0.3))
    counts = {counter: found.ledger().total("free", counter) for counter in ("weight_writes", "suppressed_updates")}
    assert found.weights()["pre->post"].item() == 0.3, "up, down, up: each beyond a bound"
    assert counts == {"weight_writes": 3, "suppressed_updates": 1}, "the first arrival found no post spike"
    assert found.ledger().total("free", "saturations") == 3


def driven(rule, joined=None) -> Simulation:
    layers = (Layer("in", 30, "source"), Layer("out", 20, "lif", LIF(refractory_s=2e-3)))
    network = Network(layers, (
        Projection(
            "in", "out", connectivity=joined or FixedProbability(probability=0.5), weight=0.15, plastic=True,
            delay_s=2e-3,
        ),
    ))  # fmt: skip
    return simulate(network, 0.5, clock=DOUBLE, inputs={"in": Poisson(rate_hz=60)}, rule=rule, seed=5)


def test_bounds_hold_for_every_synapse() -> None:
    weights = driven(PairSTDP(A_plus=0.05, A_minus=0.06, w_min=0.05, w_max=0.22)).weights()["in->out"]
    assert weights.min() == 0.05
    assert weights.max() == 0.22


class Homeostatic(NamedTuple):
    """Potentiation at arrivals, a cost at post spikes that grows with the weight."""

    gain: float
    cost: float


def on_pre(parameters, weight, pre, i, post, j):
    return parameters.gain * (1.0 - pre[0, i])


def on_post(parameters, weight, pre, i, post, j):
    return -parameters.cost * weight * post[1, j]


OWN = TraceRule(Homeostatic(0.01, 0.05), (Trace("last", 20e-3, nearest=True), Trace("sum", 0.1)), on_pre, on_post)


def test_a_rule_of_ones_own_runs_in_the_same_loop() -> None:
    """One neuron onto one: the changes follow by hand from the times of arrivals and post spikes."""
    found = pairing([50, 60, 90], [55, 80], OWN)
    up = [0.01, 0.01 * (1 - exp(-10 / 20)), 0.01 * (1 - exp(-30 / 20))]
    wanted = W + up[0]
    wanted += up[1]  # the post spike at 55 saw no earlier one
    wanted -= 0.05 * wanted * exp(-25 / 100)
    wanted += up[2]
    assert found.weights()["pre->post"].item() == pytest.approx(wanted, rel=1e-12)
    assert found.ledger().total("free", "trace_updates") == 2 * 2 * 400 + 3 + 2


def test_a_pair_joined_twice_learns_twice() -> None:
    twice = Pairs(np.zeros(2, np.int64), np.zeros(2, np.int64))
    layers = (Layer("in", 1, "source"), Layer("out", 1, "lif", LIF(drive=1.5)))
    rule = PairSTDP(A_plus=0.02, A_minus=0.0)
    finals = []
    for joined in (Pairs(np.zeros(1, np.int64), np.zeros(1, np.int64)), twice):
        network = Network(layers, (Projection("in", "out", connectivity=joined, weight=0.0, plastic=True),))
        found = simulate(network, 0.1, clock=DOUBLE, inputs={"in": Poisson(rate_hz=100)}, rule=rule)
        finals.append(found.weights()["in->out"])
    assert finals[1].shape == (2,)
    assert finals[1][0] == finals[1][1] > 0
