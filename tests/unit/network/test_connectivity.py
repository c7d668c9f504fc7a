"""Connectivities and distributions: how many synapses they make, what they refuse, what they draw."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError
from eqspike.network.connectivity import AllToAll, FixedIndegree, FixedProbability, Normal, OneToOne, Pairs, Uniform


@pytest.mark.parametrize(
    ("joined", "wanted"),
    [
        (AllToAll(), 35), (OneToOne(), 5), (FixedProbability(probability=0.2), 7), (FixedIndegree(indegree=3), 21),
        (Pairs(np.array([0, 1]), np.array([6, 6])), 2),
    ],
)  # fmt: skip
def test_the_number_of_synapses_is_told(joined, wanted: int) -> None:
    assert joined.synapses(5, 7) == wanted


@pytest.mark.parametrize(
    ("kind", "settings", "field"),
    [
        (FixedProbability, {"probability": 0}, "probability"),
        (FixedProbability, {"probability": 1.1}, "probability"),
        (FixedIndegree, {"indegree": 0}, "indegree"),
        (FixedIndegree, {"indegree": 2.5}, "indegree"),
        (Normal, {"mean": 0, "sd": -1}, "sd"),
        (Uniform, {"low": 0, "high": float("inf")}, "high"),
    ],
)
def test_fields_out_of_range_are_named(kind, settings: dict, field: str) -> None:
    with pytest.raises(ConfigError) as error:
        kind.parse(settings)
    assert error.value.field == field


@pytest.mark.parametrize(
    ("pre", "post", "problem"),
    [
        ([0, 1], [0], "2 pre and 1 post"),
        ([5], [0], "a pre neuron is not in 0 to 4"),
        ([-1], [0], "a pre neuron is not in 0 to 4"),
        ([0], [7], "a post neuron is not in 0 to 6"),
    ],
)
def test_pairs_must_be_of_neurons_that_exist(pre: list, post: list, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as error:
        Pairs(np.array(pre), np.array(post)).check(5, 7, "a->b.connectivity")
    assert error.value.field == "a->b.connectivity"


def test_normal_values_keep_the_sign_of_their_mean() -> None:
    rng = np.random.default_rng(0)
    positive, negative, both = (Normal(mean=mean, sd=1.0).draw(rng, (4000,)) for mean in (0.5, -0.5, 0.0))
    assert positive.min() == 0
    assert 0.25 < np.mean(positive == 0) < 0.37, "P(value < 0) is 0.31"
    assert negative.max() == 0
    assert both.min() < -1 < 1 < both.max()


def test_uniform_values_fill_their_interval() -> None:
    values = Uniform(low=-0.5, high=1.5).draw(np.random.default_rng(0), (20, 200))
    assert values.shape == (20, 200)
    assert -0.5 <= values.min() < -0.49
    assert 1.49 < values.max() < 1.5
    assert values.mean() == pytest.approx(0.5, abs=4 * 2 / np.sqrt(12 * 4000))
