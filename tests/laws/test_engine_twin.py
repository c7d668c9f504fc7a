"""The compiled engine equals its slow twin: spike for spike, weight for weight, count for count."""

from __future__ import annotations

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
)

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
