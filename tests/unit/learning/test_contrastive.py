"""Equilibrium Propagation and its siblings as phases and weights."""

from __future__ import annotations

import pytest

from eqspike.core.errors import ConfigError
from eqspike.learning.contrastive import ContrastiveRule


@pytest.mark.parametrize("name", ["ep", "coupled"])
@pytest.mark.parametrize(
    ("nudging", "betas", "coefficients", "free"),
    [
        ("positive", (0.2,), (5.0,), -5.0),
        ("negative", (-0.2,), (-5.0,), 5.0),
        ("centered", (0.2, -0.2), (2.5, -2.5), 0.0),
    ],
)
def test_three_forms(name: str, nudging: str, betas, coefficients, free) -> None:
    found = ContrastiveRule(name=name, beta=0.2, nudging=nudging).contrast()
    assert found.betas == betas and found.free_coefficient == pytest.approx(free)
    assert found.coefficients == pytest.approx(coefficients)
    assert found.clamped == (name == "coupled")
    assert sum(found.coefficients) + found.free_coefficient == pytest.approx(0)
    assert found.terms == 2 and found.settlings == len(betas) and not found.is_complex


def test_contrastive_learning_clamps_the_target_itself() -> None:
    found = ContrastiveRule(name="contrastive", beta=1.0).contrast()
    assert (found.betas, found.coefficients, found.free_coefficient) == ((1.0,), (1.0,), -1.0)
    assert found.clamped


def test_a_random_sign_is_asked_for() -> None:
    assert ContrastiveRule(random_sign=True).contrast().random_sign
    assert not ContrastiveRule().contrast().random_sign


@pytest.mark.parametrize(
    ("settings", "field", "said"),
    [
        ({"beta": 0}, "beta", "greater than 0"),
        ({"nudging": "both"}, "nudging", "centered"),
        ({"name": "hebbian"}, "name", "contrastive"),
        ({"name": "contrastive"}, "", "beta 1"),
        ({"name": "contrastive", "beta": 1.0, "nudging": "negative"}, "", "positive"),
        ({"name": "contrastive", "beta": 1.0, "random_sign": True}, "", "no random sign"),
        ({"name": "coupled", "beta": 1.5}, "", "at most 1"),
        ({"feedback": "fixed"}, "feedback", "kolen-pollack"),
    ],
)
def test_what_is_no_rule_is_refused(settings: dict, field: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        ContrastiveRule.parse(settings)
    assert error.value.field == field
