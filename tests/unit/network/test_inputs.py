"""Listed spikes are put in order; those that make no sense are refused with their field."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError
from eqspike.network.inputs import Poisson, SpikeList


def test_spikes_are_ordered_by_time_and_then_by_neuron() -> None:
    times, neurons = SpikeList(np.array([0.3, 0.1, 0.3, 0.2]), np.array([4, 1, 0, 3])).sorted(5, "inputs.in")
    assert times.tolist() == [0.1, 0.2, 0.3, 0.3]
    assert neurons.tolist() == [1, 3, 0, 4]


def test_a_list_may_be_empty() -> None:
    times, neurons = SpikeList(np.zeros(0), np.zeros(0)).sorted(5, "inputs.in")
    assert times.size == neurons.size == 0


@pytest.mark.parametrize(
    ("times", "neurons", "problem"),
    [
        ([0.1, 0.2], [0], "2 times, 1 neurons"),
        ([-0.1], [0], "a time is negative"),
        ([np.nan], [0], "a time is negative"),
        ([np.inf], [0], "a time is negative"),
        ([0.1], [5], "not in 0 to 4"),
        ([0.1], [-1], "not in 0 to 4"),
    ],
)
def test_spikes_that_make_no_sense_are_refused(times: list, neurons: list, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as error:
        SpikeList(np.array(times), np.array(neurons)).sorted(5, "inputs.in")
    assert error.value.field == "inputs.in"
    assert error.value.remedy


@pytest.mark.parametrize("rate", [-1.0, float("nan"), float("inf")])
def test_rates_out_of_range_are_refused(rate: float) -> None:
    with pytest.raises(ConfigError) as error:
        Poisson.parse({"rate_hz": rate})
    assert error.value.field == "rate_hz"
