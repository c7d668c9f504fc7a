"""Synapses as arrays: order, widths, statistics and streams; what does not fit its layers is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eqspike.core.errors import ConfigError
from eqspike.learning.stdp import PairSTDP
from eqspike.network.connectivity import (
    AllToAll,
    FixedIndegree,
    FixedProbability,
    FixedTotal,
    Normal,
    OneToOne,
    Pairs,
    Uniform,
)
from eqspike.network.description import Kernel, Layer, Network, Projection
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking import wiring as module
from eqspike.substrates.spiking.wiring import Wiring, check_bounds, stored_synapses, wire


def between(n_pre: int, n_post: int, *, seed: int = 1, index: int = 0, spread: bool = False, **said) -> Wiring:
    network = Network((Layer("in", n_pre, "source"), Layer("out", n_post, "lif", LIF())), ())
    return wire(network, Projection("in", "out", **{"weight": 0.5} | said), index, seed, spread=spread)


def within(n: int, **said) -> Wiring:
    network = Network((Layer("out", n, "lif", LIF()),), ())
    return wire(network, Projection("out", "out", weight=0.5, **said), 0, 1)


def rows(found: Wiring) -> list[list[int]]:
    """Return the targets of every pre neuron."""
    return [found.targets[a:b].tolist() for a, b in zip(found.starts[:-1], found.starts[1:], strict=True)]


@given(pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=20))
def test_pairs_are_sorted_by_row_with_their_weights(pairs: list) -> None:
    pre, post = (np.array([pair[end] for pair in pairs], np.int64) for end in (0, 1))
    weights = 1.0 + np.arange(len(pairs))
    found = between(5, 7, connectivity=Pairs(pre, post), weight=weights if pairs else 1.0)
    assert rows(found) == [sorted(j for i, j in pairs if i == k) for k in range(5)]
    if len(pairs) > 1:
        owners = np.repeat(np.arange(5), np.diff(found.starts))
        kept = sorted(zip(owners.tolist(), found.targets.tolist(), found.weights.tolist(), strict=True))
        assert kept == sorted((i, j, w) for (i, j), w in zip(pairs, weights.tolist(), strict=True))


@pytest.mark.parametrize("rows_at_once", [1 << 22, 300])
def test_every_pair_is_joined_with_its_probability(monkeypatch: pytest.MonkeyPatch, rows_at_once: int) -> None:
    monkeypatch.setattr(module, "_ROWS", rows_at_once)
    found = between(200, 150, connectivity=FixedProbability(probability=0.3))
    table = np.zeros((200, 150))
    for i, targets in enumerate(rows(found)):
        assert np.all(np.diff(targets) > 0), "ascending, each pair at most once"
        table[i, targets] = 1
    assert abs(table.sum() - 9000) < 4 * np.sqrt(9000 * 0.7)
    for axis, n in ((0, 200), (1, 150)):
        spread = table.sum(axis=axis).var() / (n * 0.3 * 0.7)
        assert spread == pytest.approx(1, abs=4.5 * np.sqrt(2 / table.shape[1 - axis]))
    ends = table[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert np.array_equal(
        between(200, 150, connectivity=FixedProbability(probability=1.0)).starts, 150 * np.arange(201)
    )
    assert ends.size == 4


@pytest.mark.parametrize("rows_at_once", [1 << 22, 50])
def test_every_post_neuron_has_its_indegree(monkeypatch: pytest.MonkeyPatch, rows_at_once: int) -> None:
    monkeypatch.setattr(module, "_ROWS", rows_at_once)
    found = between(80, 60, connectivity=FixedIndegree(indegree=13))
    assert np.bincount(found.targets, minlength=60).tolist() == [13] * 60
    assert all(np.all(np.diff(targets) >= 0) for targets in rows(found))
    sent = np.diff(found.starts)
    assert sent.var() / (60 * 13 / 80) == pytest.approx(1, abs=4.5 * np.sqrt(2 / 80))


@pytest.mark.parametrize("chosen", [FixedProbability, FixedIndegree])
def test_neurons_may_leave_themselves_out(chosen) -> None:
    said = {"probability": 0.5} if chosen is FixedProbability else {"indegree": 9}
    with_self, without = (within(30, connectivity=chosen(**said, self_connections=own)) for own in (True, False))
    assert any(i in targets for i, targets in enumerate(rows(with_self)))
    assert not any(i in targets for i, targets in enumerate(rows(without)))
    if chosen is FixedIndegree:
        assert np.bincount(without.targets, minlength=30).tolist() == [9] * 30
        assert np.diff(without.starts).min() > 0, "the others are drawn, the last one too"


def test_a_lone_neuron_has_no_other() -> None:
    with pytest.raises(ConfigError) as error:
        within(1, connectivity=FixedIndegree(indegree=1, self_connections=False))
    assert error.value.field == "out->out.connectivity"


def test_streams_belong_to_seed_and_projection() -> None:
    said = {"connectivity": FixedProbability(probability=0.4), "weight": Normal(mean=0, sd=1)}
    one, same, other, next_one = (between(20, 20, **said, **key) for key in ({}, {}, {"seed": 2}, {"index": 1}))
    assert np.array_equal(one.targets, same.targets)
    assert np.array_equal(one.weights, same.weights)
    for different in (other, next_one):
        assert not np.array_equal(one.starts, different.starts)


def test_one_weight_is_stored_once_unless_it_must_be_spread() -> None:
    joined = FixedIndegree(indegree=4)
    assert between(5, 6, connectivity=joined).uniform
    assert between(5, 6, connectivity=joined, spread=True).weights.tolist() == [0.5] * 24
    assert between(5, 6, connectivity=AllToAll()).weights.shape == (5, 6)
    assert not between(1, 1, connectivity=AllToAll()).uniform


@pytest.mark.parametrize(("n_post", "kind"), [(65_536, np.uint16), (65_537, np.uint32)])
def test_targets_are_as_wide_as_the_layer_needs(n_post: int, kind: type) -> None:
    last = Pairs(np.array([0]), np.array([n_post - 1]))
    for joined in (last, FixedIndegree(indegree=1), FixedProbability(probability=0.9)):
        found = between(1, n_post, connectivity=joined)
        assert found.targets.dtype == kind
        assert found.targets[-1] >= n_post - 20


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"connectivity": OneToOne()}, "in->out.connectivity"),
        ({"connectivity": Pairs(np.array([5]), np.array([0]))}, "in->out.connectivity"),
        ({"connectivity": AllToAll(), "weight": None}, "in->out.weight"),
        ({"connectivity": AllToAll(), "weight": np.zeros((7, 5))}, "in->out.weight"),
        ({"connectivity": AllToAll(), "weight": np.full((5, 7), np.nan)}, "in->out.weight"),
        ({"connectivity": AllToAll(), "weight": float("inf")}, "in->out.weight"),
        ({"connectivity": FixedIndegree(indegree=2), "weight": np.zeros(14)}, "in->out.weight"),
        ({"connectivity": Pairs(np.array([1, 2]), np.array([0, 0])), "weight": np.zeros(3)}, "in->out.weight"),
        ({"connectivity": AllToAll(), "delay_s": np.zeros(4)}, "in->out.delay_s"),
        ({"connectivity": AllToAll(), "delay_s": -1e-3}, "in->out.delay_s"),
        ({"connectivity": AllToAll(), "delay_s": float("nan")}, "in->out.delay_s"),
    ],
)
def test_what_does_not_fit_the_layers_is_refused(said: dict, field: str) -> None:
    with pytest.raises(ConfigError) as error:
        between(5, 7, **said)
    assert error.value.field == field
    assert error.value.remedy


@pytest.mark.parametrize(
    ("pre", "post", "kernel", "problem"),
    [
        ((4, 4, 1), (4, 4, 3), Kernel(channels=2, pool="none"), "the layer has"),
        ((4, 4, 1), (2, 2, 2), Kernel(channels=2, pool="average"), "do not pool"),
        ((16,), (4, 4, 2), Kernel(channels=2, pool="none"), "a convolution needs"),
    ],
)
def test_convolutions_must_fit_their_maps(pre: tuple, post: tuple, kernel: Kernel, problem: str) -> None:
    layers = (
        Layer("in", int(np.prod(pre)), "source", shape=pre),
        Layer("out", int(np.prod(post)), "lif", LIF(), shape=post),
    )
    with pytest.raises(ConfigError, match=problem):
        wire(Network(layers, ()), Projection("in", "out", kernel=kernel, weight=0.1), 0, 1)


def test_delays_are_one_or_one_a_neuron() -> None:
    assert between(4, 2, connectivity=AllToAll()).delays_s.tolist() == [0]
    assert between(4, 2, connectivity=AllToAll(), delay_s=3e-3).delays_s.tolist() == [3e-3]
    drawn = between(400, 2, connectivity=AllToAll(), delay_s=Uniform(low=1e-3, high=5e-3)).delays_s
    assert drawn.shape == (400,)
    assert 1e-3 <= drawn.min() < 1.1e-3


def test_synapses_that_a_chip_stores_are_counted() -> None:
    network = Network((Layer("in", 5, "source"), Layer("out", 5, "lif", LIF())), ())
    for joined, n in ((AllToAll(), 25), (OneToOne(), 5), (FixedIndegree(indegree=3), 15)):
        p = Projection("in", "out", connectivity=joined, weight=0.1)
        assert stored_synapses(network, p, wire(network, p, 0, 1)) == n


def test_initial_weights_lie_within_the_rules_bounds() -> None:
    rule = PairSTDP(w_min=0.0, w_max=1.0).trace_rule()
    said = {"connectivity": AllToAll(), "plastic": True}
    for weight, fits in ((0.0, True), (1.0, True), (-0.1, False), (1.1, False)):
        p = Projection("in", "out", weight=weight, **said)
        found = between(3, 3, weight=weight, **said)
        if fits:
            check_bounds(p, found, rule)
            continue
        with pytest.raises(ConfigError, match="leave the bounds of the rule, 0 to 1") as error:
            check_bounds(p, found, rule)
        assert error.value.field == "in->out.weight"
    fixed = Projection("in", "out", connectivity=AllToAll(), weight=7.0)
    check_bounds(fixed, between(3, 3, connectivity=AllToAll(), weight=7.0), rule)


def test_a_fixed_total_draws_both_ends_and_keeps_rows_in_order() -> None:
    found = between(7, 5, connectivity=FixedTotal(number=70_000))
    table = np.zeros((7, 5))
    np.add.at(table, (np.repeat(np.arange(7), np.diff(found.starts)), found.targets), 1)
    assert table.sum() == 70_000
    np.testing.assert_allclose(table, 2_000, atol=5 * np.sqrt(2_000))
    assert rows(found) == [sorted(row) for row in rows(found)]
