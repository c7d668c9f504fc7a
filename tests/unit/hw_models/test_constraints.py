"""Limits of a chip beside what a network needs: walls, budgets, and how each is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.mapping import chip

from hw_models.constraints import MEANINGS, Constraint, Demand, Need, check, weigh

WALLS = [name for name in MEANINGS if name != "queue_depth"]


def demand(**needs: float) -> Demand:
    return Demand({name: Need(amount, f"the {name} place") for name, amount in needs.items()}, {})


@given(name=st.sampled_from(WALLS), limit=st.integers(0, 10**9), kind=st.sampled_from(("wall", "budget")))
def test_a_demand_at_its_limit_passes_and_one_past_it_does_not(name: str, limit: int, kind: str) -> None:
    limits = chip(**{name: (limit, kind)}).limits
    assert check(demand(**{name: limit}), limits) == []
    (violation,) = check(demand(**{name: limit + 1}), limits)
    assert (violation.name, violation.kind, violation.demand, violation.limit) == (name, kind, limit + 1, limit)
    assert violation.where == f"the {name} place" and violation.remedy


def test_every_limit_of_the_schema_has_words() -> None:
    assert {name for name, _ in chip(**dict.fromkeys(MEANINGS, 1)).limits.items()} == set(MEANINGS)


def test_walls_come_before_budgets_and_the_fullest_limit_first() -> None:
    limits = chip(fan_in=10, neurons_per_core=(10, "budget"), weight_bits=8).limits
    needs = demand(fan_in=20, neurons_per_core=30, weight_bits=4)
    assert [violation.name for violation in check(needs, limits)] == ["fan_in", "neurons_per_core"]
    assert [(one.name, one.utilisation) for one in weigh(needs, limits)] == [
        ("neurons_per_core", 3.0),
        ("fan_in", 2.0),
        ("weight_bits", 0.5),
    ]


def test_a_wall_names_demand_and_limit_and_a_budget_says_by_how_much_it_is_passed() -> None:
    limits = chip(fan_in=256, synapse_bits_per_core=(1_000_000, "budget")).limits
    wall, budget = check(demand(fan_in=794, synapse_bits_per_core=1_500_000), limits)
    assert str(wall) == "fan_in: the fan_in place needs 794 synapses onto one neuron, the wall is 256"
    assert "1,500,000" in str(budget) and "1.5 times" in str(budget)


def test_what_the_chip_has_nothing_of_is_infinitely_full() -> None:
    none = Constraint("delay_ticks", "wall", 3, 0, "a", "b")
    assert none.utilisation == float("inf") and none.to_dict()["utilisation"] is None
    assert Constraint("delay_ticks", "wall", 0, 0, "a", "b").utilisation == 0


def test_a_queue_is_a_risk_and_never_a_wall() -> None:
    (violation,) = check(demand(queue_depth=40.5), chip(queue_depth=32).limits)
    assert violation.kind == "budget"


def test_limits_that_are_not_stated_are_not_weighed() -> None:
    assert weigh(demand(fan_in=10**9), chip(weight_bits=1).limits) == []
    assert check(demand(), chip(weight_bits=0).limits) == []


def test_violations_are_json() -> None:
    (violation,) = check(demand(fan_in=3), chip(fan_in=2).limits)
    assert violation.to_dict() == {
        "name": "fan_in",
        "kind": "wall",
        "where": "the fan_in place",
        "demand": 3,
        "limit": 2,
        "remedy": violation.remedy,
    }
    with pytest.raises(AttributeError):
        violation.name = "other"
