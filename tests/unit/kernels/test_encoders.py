"""Input spike trains: rate, evenness, statistics, order; equal to the twin's trains, spike for spike."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.encoders import spike_trains

from eqspike.kernels.encoders import POISSON, REGULAR, encode

pytestmark = pytest.mark.kernels
KINDS = {"regular": REGULAR, "poisson": POISSON}
BRIGHTNESS = st.one_of(st.sampled_from([0.0, 1.0, 0.5, 0.1]), st.floats(1e-3, 1))


def events(
    image, kind: str, max_rate: float, steps: int, index: int = 0, seed: int = 11
) -> tuple[np.ndarray, np.ndarray]:
    """Return (starts, ids) of one presentation."""
    image = np.array(image, np.float64)
    starts, ids = np.full(steps + 1, 7, np.int64), np.zeros(image.size * steps, np.int32)
    scratch = np.zeros((2, image.size * steps), np.int32)
    total = encode(image, KINDS[kind], max_rate, steps, seed, 4, index, starts, ids, scratch)
    return starts, ids[:total]


def table(image, kind: str, max_rate: float, steps: int, index: int = 0, seed: int = 11) -> np.ndarray:
    """Return the same as spikes (steps, n_pixels)."""
    starts, ids = events(image, kind, max_rate, steps, index, seed)
    trains = np.zeros((steps, len(image)), np.int64)
    for step in range(steps):
        trains[step, ids[starts[step] : starts[step + 1]]] += 1
    return trains


@pytest.mark.parametrize("kind", KINDS)
@given(
    image=st.lists(BRIGHTNESS, min_size=1, max_size=9),
    max_rate=st.sampled_from([1.0, 0.37]),
    steps=st.integers(1, 40),
    index=st.integers(0, 2**40),
)
def test_trains_equal_the_twins(kind: str, image: list, max_rate: float, steps: int, index: int) -> None:
    wanted = spike_trains(image, kind, max_rate, steps, 11, 4, index)
    assert np.array_equal(table(image, kind, max_rate, steps, index), wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_events_are_ordered_by_step_and_then_by_neuron(kind: str) -> None:
    starts, ids = events([0.9, 0.2, 0.0, 1.0, 0.6], kind, 0.8, 50)
    assert starts[0] == 0
    assert starts[-1] == ids.size > 0
    for first, last in pairwise(starts):
        assert np.all(np.diff(ids[first:last]) > 0)


@pytest.mark.parametrize("kind", KINDS)
def test_rate_zero_never_spikes_and_rate_one_always(kind: str) -> None:
    trains = table([0.0, 1.0, 0.0, 1.0], kind, 1.0, 60)
    assert np.array_equal(trains, np.tile([0, 1, 0, 1], (60, 1)))


@given(rate=st.floats(1e-3, 1), index=st.integers(0, 10**6))
def test_regular_trains_are_even(rate: float, index: int) -> None:
    """Any window of n steps holds floor(n rate) or ceil(n rate) spikes."""
    train = table([rate], "regular", 1.0, 80, index)[:, 0]
    assert train.max() <= 1
    passed = np.concatenate([[0], np.cumsum(train)])
    for width in (1, 7, 33, 80):
        held = passed[width:] - passed[:-width]
        assert held.min() >= np.floor(width * rate - 1e-9)
        assert held.max() <= np.ceil(width * rate + 1e-9)


def test_regular_phases_are_uniform() -> None:
    """The first spike of a train of one spike in ten steps falls into each of them equally often."""
    first = [events([0.1], "regular", 1.0, 10, index)[0].tolist().index(1) - 1 for index in range(2000)]
    counts = np.bincount(first, minlength=10)
    assert np.sum((counts - 200) ** 2 / 200) < 27.9  # chi squared, 9 degrees of freedom, 0.1 %


def test_poisson_counts_are_binomial_and_gaps_geometric() -> None:
    rate, steps, n = 0.3, 50, 400
    trains = np.concatenate([table([1.0] * 5, "poisson", rate, steps, index) for index in range(n)], axis=1)
    counts, variance = trains.sum(axis=0), steps * rate * (1 - rate)
    assert abs(counts.mean() - steps * rate) < 4 * np.sqrt(variance / counts.size)
    assert abs(counts.var() / variance - 1) < 4 * np.sqrt(2 / counts.size)
    per_step = trains.mean(axis=1)
    assert np.all(np.abs(per_step - rate) < 4.5 * np.sqrt(rate * (1 - rate) / trains.shape[1]))
    gaps = np.concatenate([np.diff(np.flatnonzero(train)) for train in trains.T])
    early = gaps[gaps <= 6]
    # a gap of g ticks can begin at steps - g of the ticks: the end of the train cuts longer ones off more often
    wanted = rate * (1 - rate) ** np.arange(6) * (steps - np.arange(1, 7))
    assert np.bincount(early, minlength=7)[1:] / early.size == pytest.approx(wanted / wanted.sum(), abs=0.01)


def test_poisson_pixels_and_presentations_are_independent() -> None:
    trains = [table([1.0] * 6, "poisson", 0.5, 400, index) for index in (0, 1)]
    correlation = np.corrcoef(np.concatenate(trains, axis=1).T) - np.eye(12)
    assert np.all(np.abs(correlation) < 4.5 / np.sqrt(400))
