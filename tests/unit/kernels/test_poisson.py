"""Poisson counts: their distribution, the twin's numbers, and independence of neurons, ticks and streams."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.simulation import poisson_events
from scipy.stats import poisson

from eqspike.core.rng import Purpose
from eqspike.kernels.poisson import poisson_counts
from eqspike.kernels.simulation_layout import GROUP
from eqspike.substrates.spiking.clocks import Clocked
from eqspike.substrates.spiking.units import Units

pytestmark = pytest.mark.kernels


def counts(mean: float, ticks: range, *, group: int = 0, seed: int = 7, stream: int = 3) -> np.ndarray:
    """Return counts (ticks, GROUP)."""
    tails = np.array(Units(Clocked(tick_s=1.0)).poisson_tails(mean, "in") or [0], np.uint32)
    drawn, counted = np.zeros(GROUP, np.uint32), np.zeros(GROUP, np.int32)
    found = []
    for tick in ticks:
        poisson_counts(tails, tails.size, seed, stream, tick, group, drawn, counted)
        found.append(counted.copy())
    return np.array(found)


@given(
    mean=st.sampled_from([0.003, 0.4, 6.0]),
    tick=st.one_of(st.integers(0, 9), st.integers(2**32 - 1, 2**34)),
    neuron=st.integers(0, 200),
    seed=st.integers(0, 2**63 - 1),
)
def test_counts_equal_the_twins(mean: float, tick: int, neuron: int, seed: int) -> None:
    stream = (int(Purpose.SOURCES) << 16) + 5
    group, place = divmod(neuron, GROUP)
    found = counts(mean, range(tick, tick + 1), group=group, seed=seed, stream=stream)[0, place]
    assert found == poisson_events(mean, tick, neuron, seed, Purpose.SOURCES, 5)


@pytest.mark.parametrize("mean", [0.02, 1.3])
def test_counts_are_poisson(mean: float) -> None:
    found = counts(mean, range(300)).reshape(-1)
    seen = np.bincount(found, minlength=4)[:4]
    wanted = poisson.pmf(np.arange(4), mean) * found.size
    assert np.all(np.abs(seen - wanted) <= 4.5 * np.sqrt(wanted) + 3)
    assert abs(found.mean() - mean) < 4.5 * np.sqrt(mean / found.size)


def test_nothing_happens_at_rate_zero() -> None:
    assert not counts(0.0, range(50)).any()


@pytest.mark.parametrize("other", [{"group": 1}, {"seed": 8}, {"stream": 4}])
def test_streams_are_independent(other: dict) -> None:
    one, two = counts(0.5, range(200)), counts(0.5, range(200), **other)
    assert abs(np.corrcoef(one.reshape(-1), two.reshape(-1))[0, 1]) < 4.5 / np.sqrt(one.size)


def test_neighbours_and_ticks_are_independent() -> None:
    found = counts(0.5, range(400)) - 0.5
    for shifted in (np.roll(found, 1, axis=1), np.roll(found, 16, axis=1), np.roll(found, 1, axis=0)):
        assert abs(np.corrcoef(found.reshape(-1), shifted.reshape(-1))[0, 1]) < 4.5 / np.sqrt(found.size)
