"""Estimates against the true gradient: orders of their errors, what is no gradient, and what is said of failures."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np
import pytest

from eqspike.analysis.gradients import Agreement, agreement
from eqspike.core.contrast import Contrast
from eqspike.core.errors import ConfigError, DataError
from eqspike.data import Dataset
from eqspike.learning.contrastive import ContrastiveRule
from eqspike.learning.holomorphic import HolomorphicEP
from eqspike.training.api import load_data, resolve
from eqspike.training.run import Run, new_run

KEYS = {"rule", "reference", "betas", "relative_errors", "slope", "angle_degrees"}
POOLED = [{"channels": 2, "size": 3, "padding": 1, "pool": "average"}]
BASE = {
    "name": "small",
    "substrate": "hopfield",
    "data": {"name": "digits", "train_limit": 20, "test_limit": 10, "validation": 0},
    "network": {"hidden": [7]},
    "dynamics": {"nudge": "outside"},
    "rule": {"name": "ep"},
    "optimiser": {"learning_rates": [0.1, 0.1]},
}
NETWORKS = {
    "outside": {},
    "real-time": {
        "network": {"hidden": [7], "activation": "tanh", "output_activation": "tanh"},
        "dynamics": {"kind": "real-time", "dt": 0.5},
        "rule.nudging": "centered",
    },
    "softmax": {"network": {"hidden": POOLED, "readout": "softmax"}, "dynamics": {}, "rule.nudging": "centered"},
    "kinked": {
        "network": {"hidden": [7], "activation": "hard-sigmoid", "output_activation": "identity"},
        "dynamics": {"update": "asynchronous"},
        "rule.nudging": "centered",
    },
    "kinked output": {
        "network": {"hidden": [7], "activation": "identity", "output_activation": "hard-sigmoid", "gains": [0.5]},
        "dynamics": {},
    },
    "separate": {"network": {"hidden": [7], "feedback": "separate", "feedback_angle_degrees": 40.0}},
}


def built(**changes: object) -> tuple[Run, Dataset]:
    spec = resolve(BASE, {key.replace("__", "."): value for key, value in changes.items()})
    dataset = load_data(spec)
    return new_run(spec, dataset), dataset


@lru_cache
def network(name: str) -> tuple[Run, Dataset]:
    return built(**NETWORKS[name])


@lru_cache
def compared(name: str, *references: str) -> dict[tuple[str, str], Agreement]:
    """Return all default rows of a network, by rule and reference."""
    found = agreement(*network(name), references=references or ("implicit",))
    return {(row.rule, row.reference): row for row in found}


def alone(name: str, rule: object, *betas: float) -> Agreement:
    """Return the one row of a rule against the implicit gradient."""
    (row,) = agreement(*network(name), rules=[rule], betas=betas or None, references=("implicit",))
    return row


ALL = ("implicit", "bptt", "finite-differences")
ORDERS = {
    "ep-positive": 1, "ep-negative": 1, "ep-centered": 2, "continual": 1,
    "holomorphic-1": 1, "holomorphic-2": 2, "holomorphic-4": 4, "holomorphic-8": 8,
}  # fmt: skip


@pytest.mark.parametrize("reference", ALL)
def test_errors_vanish_with_the_order_of_the_rule(reference: str) -> None:
    rows = {rule: row for (rule, name), row in compared("outside", *ALL).items() if name == reference}
    assert set(rows) == set(ORDERS) | {"coupled-centered", "contrastive"}
    for rule, order in ORDERS.items():
        assert rows[rule].slope == pytest.approx(order, abs=0.02 if order < 4 else 0.05), rule
        assert rows[rule].expected_slope == order
        assert all(error < 0.02 for error in rows[rule].relative_errors)
    assert [rule for rule, row in rows.items() if row.own] == ["ep-positive"]


@pytest.mark.parametrize("name", ["real-time", "softmax"])
def test_other_dynamics_and_costs_obey_the_same_orders(name: str) -> None:
    for rule in (ContrastiveRule(), ContrastiveRule(nudging="centered"), HolomorphicEP(points=4)):
        row = alone(name, rule)
        assert row.slope == pytest.approx(row.expected_slope, abs=0.05), row


def test_a_wrong_rule_is_found_out() -> None:
    class Wrong(ContrastiveRule):
        def contrast(self) -> Contrast:
            return Contrast((self.beta, -self.beta), (0.51 / self.beta, -0.5 / self.beta), -0.01 / self.beta)

    right, wrong = (alone("outside", rule(nudging="centered")) for rule in (ContrastiveRule, Wrong))
    assert right.slope == pytest.approx(2, abs=0.02)
    assert abs(wrong.slope) < 0.2
    assert wrong.relative_errors[0] > 1e-3 > 10 * right.relative_errors[0]


def test_coupled_and_contrastive_learning_keep_their_error() -> None:
    rows = compared("outside", *ALL)
    coupled, contrastive = (rows[rule, "implicit"] for rule in ("coupled-centered", "contrastive"))
    assert coupled.relative_errors[0] == pytest.approx(coupled.relative_errors[-1], rel=1e-3)
    assert coupled.relative_errors[0] > 0.02 and coupled.angle_degrees > 0.5
    assert abs(coupled.slope) < 0.01 and coupled.expected_slope is None
    assert contrastive.betas == (1.0,) and contrastive.relative_errors[0] > 0.02 and contrastive.slope is None


def test_continual_learning_at_rest_is_the_positive_estimate() -> None:
    rows = compared("outside", *ALL)
    continual, positive = (rows[rule, "implicit"] for rule in ("continual", "ep-positive"))
    assert continual.relative_error == pytest.approx(positive.relative_error, rel=1e-4)
    assert continual.angle_degrees == pytest.approx(positive.angle_degrees, rel=1e-4)


def test_references_agree_with_each_other() -> None:
    rows = compared("outside", *ALL)
    for rule in ORDERS:
        implicit, bptt, differences = (rows[rule, name] for name in ALL)
        assert bptt.relative_errors == pytest.approx(implicit.relative_errors, rel=1e-3)
        # A projection on few directions sees the error only roughly.
        assert np.array(differences.relative_errors) == pytest.approx(np.array(implicit.relative_errors), rel=0.9)
    assert "steps" in rows["ep-positive", "bptt"].reference_note


def test_slopes_leave_out_nudges_across_a_kink() -> None:
    row = alone("kinked", ContrastiveRule(nudging="centered"), 2e-4, 4e-4, 8e-4, 0.8, 0.9)
    assert row.kinks_crossed == (False, False, False, True, True)
    assert row.slope == pytest.approx(2, abs=0.02)
    assert np.polyfit(np.log(row.betas), np.log(row.relative_errors), 1)[0] < 1.98


def test_the_nudge_itself_may_cross_a_kink() -> None:
    """Hidden units without kinks: only the force on an output can lift it off its bound."""
    row = alone("kinked output", ContrastiveRule(), 1e-4, 2e-4, 4e-4, 0.4, 0.5)
    assert row.kinks_crossed == (False, False, False, True, True)
    assert row.slope == pytest.approx(1, abs=0.02)


def test_networks_with_kinks_run_no_complex_states() -> None:
    rules = {rule for rule, _ in compared("kinked")}
    assert rules == {"ep-positive", "ep-negative", "ep-centered", "coupled-centered", "contrastive", "continual"}
    assert compared("kinked")["ep-centered", "implicit"].own
    with pytest.raises(ConfigError, match="holomorphic-4: complex states need smooth activations"):
        alone("kinked", HolomorphicEP(points=4))


def test_nothing_is_expected_of_separate_backward_weights() -> None:
    row = alone("separate", ContrastiveRule(nudging="centered"))
    assert row.expected_slope is None and row.relative_error > 0.05


def test_the_nudges_of_high_orders_follow_the_weights() -> None:
    """Larger weights shorten the series in beta: the same nudges would say nothing."""
    run, dataset = built()
    weights, biases = run.substrate.get_weights()
    run.substrate.set_weights({name: 1.5 * values for name, values in weights.items()}, biases)
    (row,) = agreement(run, dataset, rules=[HolomorphicEP(points=8)], references=("implicit",))
    assert max(row.betas) < max(compared("outside", *ALL)["holomorphic-8", "implicit"].betas)
    assert row.slope == pytest.approx(8, abs=0.2) and max(row.relative_errors) < 3e-3


def test_what_does_not_settle_is_said_and_not_used() -> None:
    row = alone("kinked", ContrastiveRule(nudging="centered"), 1e-4, 2e-4, 4e-4, 1.5)  # 1.5 (s - y) drives s away
    assert not row.settled and row.relative_errors[-1] is None and row.kinks_crossed[:3] == (False,) * 3
    assert row.slope == pytest.approx(2, abs=0.05)
    assert row.angle_degrees is not None and row.samples == 4


@pytest.mark.parametrize(("activation", "gain", "resting"), [("sigmoid", 4.0, 0), ("tanh", 10.0, 1)])
def test_samples_that_never_rest_are_left_out(activation: str, gain: float, resting: int) -> None:
    layers = {"hidden": [7, 7], "activation": activation, "output_activation": activation, "bias_gain": 0.5}
    run, dataset = built(
        network={**layers, "gains": [0.5, gain, gain]}, dynamics={}, optimiser__learning_rates=[0.1] * 3
    )
    row, _ = agreement(run, dataset, rules=[ContrastiveRule()], references=("implicit", "finite-differences"))
    assert not row.settled and row.samples == resting
    if resting:
        assert row.slope == pytest.approx(1, abs=0.02)
    else:
        assert (row.slope, row.angle_degrees, set(row.relative_errors)) == (None, None, {None})


def test_the_run_stays_as_it_was() -> None:
    run, dataset = built()
    before, ledger = run.substrate.get_weights()[0], run.ledger.to_dict()
    agreement(run, dataset, samples=2, rules=[run.spec.rule], references=("implicit",))
    for name, values in run.substrate.get_weights()[0].items():
        assert values.dtype == np.float32 and np.array_equal(values, before[name])
    assert run.ledger.to_dict() == ledger


def test_rows_are_plain_json() -> None:
    rows = json.loads(json.dumps([row.to_dict() for row in compared("outside", *ALL).values()], allow_nan=False))
    assert all(set(row) >= KEYS for row in rows)
    assert all(len(row["betas"]) == len(row["relative_errors"]) == len(row["kinks_crossed"]) for row in rows)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"references": ["bpt"]}, "no reference 'bpt'. Known: implicit, bptt"),
        ({"betas": [0.1, 0.0]}, "betas: nudges are numbers above zero"),
        ({"betas": []}, "betas: nudges"),
        ({"samples": 0}, "samples: 0 is no number"),
        ({"samples": 21}, "Use 1 to 20"),
    ],
)
def test_a_wrong_argument_is_named(given: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        agreement(*network("outside"), **given)


def test_other_images_are_refused() -> None:
    run, dataset = network("outside")
    cut = Dataset(**{**vars(dataset), "x_train": dataset.x_train[:, :60].copy(), "image_shape": (60,)})
    with pytest.raises(DataError, match="60 pixels in 10 classes, the network takes 64"):
        agreement(run, cut)


def test_spiking_networks_are_refused() -> None:
    spec = resolve("eqspike-digits", {"data.train_limit": 5, "data.test_limit": 5})
    dataset = load_data(spec)
    with pytest.raises(ConfigError, match=r"eqspike-digits: a spiking network has no smooth energy.*ep-512"):
        agreement(new_run(spec, dataset), dataset)
