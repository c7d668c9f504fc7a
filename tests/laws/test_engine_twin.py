"""The compiled engine equals its slow twin: spike for spike, weight for weight, count for count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from reference.cases import (
    EQSPIKE,
    PAIR_STDP,
    Case,
    assert_same_record,
    assert_same_weights,
    cases,
    counts_of,
    plain_case,
)

from eqspike.learning.eqspike import EqSpike
from eqspike.learning.stdp import PairSTDP
from eqspike.network.description import Network, Projection

pytestmark = pytest.mark.kernels
PRESENTATIONS = 3


def assert_same_learning(case: Case, rule) -> None:
    """Let both learn a few samples in an order that is not theirs, then compare everything that can be seen."""
    engine, twin = case.build_with(rule)
    images, labels = case.images(PRESENTATIONS + 1), case.labels(PRESENTATIONS + 1)
    order = np.array([2, 0, 3, 1])
    answers = engine.train(images, labels, order, 1, 1 + PRESENTATIONS, scale=0.5, offset=700)
    said = [twin.present(images[k], labels[k], 700 + s, scale=0.5).answer for s, k in list(enumerate(order))[1:]]
    assert list(answers) == said
    assert counts_of(engine.ledger()) == +twin.counts
    assert_same_weights(engine, twin)


def assert_same_sight(case: Case, rule) -> None:
    """Compare one presentation with all probes on, learning and not; the engine keeps its weights."""
    engine, twin = case.build_with(rule)
    images, labels = case.images(3), case.labels(3)
    before = engine.get_weights()
    record = engine.observe(images, None, 2)
    assert_same_record(engine, record, twin.present(images[2], None, 2))
    record = engine.observe(images, labels, 1, updates=40_000, scale=0.5)
    assert_same_record(engine, record, twin.present(images[1], labels[1], 1, scale=0.5))
    for kept, now in zip(before, engine.get_weights(), strict=True):
        assert all(np.array_equal(kept[name], now[name]) for name in kept)
    assert counts_of(engine.ledger()) == {}


@given(case=cases(), rule=EQSPIKE)
def test_eqspike_learns_as_its_twin(case: Case, rule) -> None:
    assert_same_learning(case, rule)


@given(case=cases(), rule=EQSPIKE)
def test_eqspike_looks_like_its_twin(case: Case, rule) -> None:
    assert_same_sight(case, rule)


@given(case=cases(), rule=PAIR_STDP)
def test_pair_stdp_learns_as_its_twin(case: Case, rule) -> None:
    assert_same_learning(case, rule)


@given(case=cases(), rule=PAIR_STDP)
def test_pair_stdp_looks_like_its_twin(case: Case, rule) -> None:
    assert_same_sight(case, rule)


@given(case=cases(), rule=EQSPIKE)
def test_inference_answers_and_counts_as_its_twin(case: Case, rule) -> None:
    engine, twin = case.build_with(rule)
    images = case.images(4)
    answers = engine.infer(images, threads=1)
    assert list(answers) == [twin.present(image, None, index).answer for index, image in enumerate(images)]
    assert counts_of(engine.ledger()) == +twin.counts


@pytest.mark.parametrize("commit", ["immediate", "end_of_phase"])
@pytest.mark.parametrize(
    "rule", [EqSpike(tau_ticks=4, delay_ticks=3), PairSTDP(tau_plus=20, tau_minus=20)], ids=["eqspike", "pair"]
)
def test_projections_from_one_input_commit_each_their_own(rule, commit: str) -> None:
    """An input that projects both onto the hidden layer and onto the output teaches both, and keeps nothing back."""
    plain = plain_case("regular", commit=commit)
    skip = Projection("input", "output", plain.network.projections[1].synapse)
    network = Network(plain.network.layers, (*plain.network.projections, skip))
    assert_same_learning(replace(plain, network=network), rule)
