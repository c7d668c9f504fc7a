"""Verdicts: who needs less, shared constants cancelled, and which constant decides."""

from __future__ import annotations

import pytest

from eqspike.costing.verdict import Contender, compared, times
from hw_models import LayerShape, PhaseCounts, ProjectionShape, Workload, price
from hw_models.chips import parse_chip

KNOWN = 'includes = "x", evidence = "measured", source = "a paper", year = 2020'
CHIP = f"""
schema = 1
name = "plain"
title = "t"
description = "d"
device = "digital"
node_nm = 28
not_modelled = ["nothing"]
parts = {{ static = "none", dynamic = "events", periphery = "none" }}
transposition = {{ policy = "crossbar", reason = "r" }}
[constants]
event = {{ value = 2, low = 1, high = 10, unit = "pJ", {KNOWN} }}
update = {{ value = 3, low = 3, high = 3.3, unit = "pJ", {KNOWN} }}
[[actions.synaptic_events]]
component = "synapse"
price = "event"
[[actions.neuron_updates]]
component = "neuron"
price = "update"
"""


def report(events: int, updates: int = 0, chip: str = CHIP, presentations: int = 10):
    counts = {("a->b", "synaptic_events_forward"): events, ("b", "neuron_updates"): updates}
    layers = (LayerShape("a", 4, False), LayerShape("b", 2))
    shape = ProjectionShape("a->b", "a", "b", 8, 8, False, False)
    phase = PhaseCounts("inference", presentations, 10, counts)
    return price(Workload("w", layers, (shape,), (phase,), 1e-3), parse_chip(chip, "plain"))


def contender(name: str, found, samples: int | None = 100) -> Contender:
    return Contender(name, found.chip, 0.9, found, found, samples)


def test_what_both_share_cancels() -> None:
    against = compared(contender("own", report(100)), contender("other", report(300, presentations=5)))
    gain = against.ratios["inference"]
    assert (gain.value, gain.low, gain.high) == pytest.approx((6, 6, 6)), "per presentation, and events alone"
    assert against.swings["inference"] == ()
    sentence = against.sentence("inference")
    assert "own wins" in sentence and "6 (6 to 6) times" in sentence and "100% of what other takes" in sentence


def test_the_constant_that_moves_the_ratio_most_is_named() -> None:
    against = compared(contender("own", report(300)), contender("other", report(0, 100)))
    gain = against.ratios["inference"]
    assert gain.value == pytest.approx(300 / 600)
    assert (gain.low, gain.high) == pytest.approx((300 / 3000, 330 / 300))
    swings = against.swings["inference"]
    assert [name for name, _, _ in swings] == ["event", "update"]
    assert swings[0][1:] == pytest.approx((300 / 300, 300 / 3000))
    sentence = against.sentence("inference")
    assert "own trails, but the band holds 1" in sentence and "it needs 2 (0.91 to 10) times" in sentence
    assert "what decides is event (ratio 1 at its low, 0.1 at its high)" in sentence


def test_equal_names_of_unequal_constants_are_told_apart() -> None:
    other = CHIP.replace('"plain"', '"fine"').replace("value = 2, low = 1, high = 10", "value = 4, low = 4, high = 5")
    against = compared(contender("own", report(100)), contender("other", report(100, 0, other)))
    assert [name for name, _, _ in against.swings["inference"]] == ["event of plain", "event of fine"]
    gain = against.ratios["inference"]
    assert (gain.value, gain.low, gain.high) == pytest.approx((2, 4 / 10, 5 / 1))


def test_a_loss_is_said_with_its_size() -> None:
    sentence = compared(contender("own", report(300)), contender("other", report(100))).sentence("training_sample")
    assert sentence.startswith("a training sample: own loses, it needs 3 (3 to 3) times the opponent's energy")


def test_learning_to_an_accuracy_counts_the_samples_it_takes() -> None:
    own, other = contender("own", report(100), 100), contender("other", report(100), 50)
    assert own.energy("to_accuracy").value == pytest.approx(100 * 20e-12)
    assert compared(own, other).ratios["to_accuracy"].value == pytest.approx(0.5)
    never = compared(own, contender("other", report(100), None))
    assert never.ratios["to_accuracy"] is None and never.sentence("to_accuracy") is None


def test_without_a_price_nothing_is_compared() -> None:
    none = Contender("other", "plain", 0.9, report(100), None, 10, ("learning: no price",))
    against = compared(contender("own", report(100)), none).to_dict()
    assert against["ratios"]["training_sample"] is None and against["ratios"]["inference"]["value"] == 1
    assert none.to_dict()["energy_training_sample_j"] is None and none.to_dict()["not_priced"]


@pytest.mark.parametrize(("factor", "said"), [(3.478, "3.48"), (402_345, "402,000"), (2.49e-6, "2.49e-06"), (1, "1")])
def test_factors_are_written_out(factor, said) -> None:
    assert times(factor, 3) == said
