from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eqspike.sweeps.pareto import Point, chip_of, front, label, marked, points
from hw_models import Band


def point(accuracy: float, value: float, low: float | None = None, high: float | None = None) -> Point:
    return Point({}, accuracy, 0.0, Band(value, value if low is None else low, value if high is None else high), 1)


def dominated_slowly(one: Point, others: list[Point]) -> bool:
    """Return the definition itself, pair by pair."""
    return any(
        other.accuracy >= one.accuracy
        and other.energy.value <= one.energy.value
        and (other.accuracy > one.accuracy or other.energy.value < one.energy.value)
        for other in others
    )


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), max_size=30))
def test_the_front_is_what_no_pair_dominates(pairs):
    found = [point(accuracy / 10, energy) for accuracy, energy in pairs]
    kept = {(one.accuracy, one.energy.value) for one in front(found)}
    assert kept == {(one.accuracy, one.energy.value) for one in found if not dominated_slowly(one, found)}
    assert len(front(found)) == len(kept)


def test_the_front_rises_with_energy():
    found = front([point(0.9, 3), point(0.5, 1), point(0.7, 2), point(0.6, 2.5)])
    assert [(one.accuracy, one.energy.value) for one in found] == [(0.5, 1), (0.7, 2), (0.9, 3)]


def test_a_point_says_on_which_fronts_it_is():
    sure, unsure = point(0.9, 2, 1, 8), point(0.8, 1, 2, 3)
    assert [(one["accuracy"], one["front"]) for one in marked([sure, unsure, point(0.7, 5, 5, 9)])] == [
        (0.8, ["value", "high"]),
        (0.9, ["low", "value", "high"]),
        (0.7, []),
    ]


def test_seeds_are_joined_to_mean_and_sample_standard_deviation():
    cells = {"chip": "c", "size": 4}
    rows = [
        cells | {"seed": seed, "test_accuracy": accuracy, **energies(energy)}
        for seed, accuracy, energy in ((1, 0.8, 1.0), (2, 0.9, 3.0))
    ]
    (found,) = points(rows, ["size", "seed"])["c"]
    assert (found.accuracy, found.energy.value, found.seeds) == (pytest.approx(0.85), 2.0, 2)
    assert found.spread == pytest.approx(0.05 * 2**0.5)
    assert (found.energy.low, found.energy.high) == (1.0, 4.0)
    assert found.label == "size 4"


def energies(value: float) -> dict[str, float | None]:
    ends = {"": value, "_low": value and value / 2, "_high": value and value * 2}
    return {f"energy_per_inference{end}_j": joules for end, joules in ends.items()}


def test_runs_without_accuracy_or_energy_are_no_points():
    rows = [
        {"chip": "c", "test_accuracy": accuracy, **energies(value)}
        for accuracy, value in itertools.product((None, 0.5), (None, 1.0))
    ]
    assert len(points(rows, [])["c"]) == 1


def test_a_chip_with_turned_knobs_is_another_chip():
    assert chip_of({"chip": "c", "chip.vdd": None}) == "c"
    assert chip_of({"chip": "c", "chip.vdd": 0.70, "chip.node_nm": 28.0}) == "c, vdd 0.7, node_nm 28"


def test_a_label_says_as_much_of_a_field_as_tells_it_from_the_others():
    settings = {"network.projections.0.rate": 0.123456, "network.projections.1.rate": 2, "rule.beta": None, "rate": "x"}
    assert label(settings) == "0.rate 0.1235, 1.rate 2, beta None, rate x"
    assert label({"network.hidden": "[4]"}) == "hidden [4]"
