"""One tick of membranes: thresholds, resets, rest, decays that end, and registers that saturate or wrap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eqspike.kernels.membranes import adapt, adapt_at_spikes, fire, inflow, leak, limit
from eqspike.kernels.simulation_layout import NO_LEAK, FixedProgram, Program

pytestmark = pytest.mark.kernels


def program(neurons: list, filters: list = (0, 0), *, limits=None) -> Program | FixedProgram:
    """Return a program of one layer and one channel, in real numbers or, with ``limits``, in integers."""
    dtype, kind = (np.float64, Program) if limits is None else (np.int64, FixedProgram)
    given = {"neurons": np.array([neurons], dtype), "filters": np.array([filters], dtype)}
    given |= {} if limits is None else {"limits": np.array(limits, np.int64)}
    return kind(*(given.get(name, np.zeros(0, np.int64)) for name in kind._fields))


def one_tick(v, pause, *, threshold=1.0, reset=-0.25, hard=True, refractory=0):
    v, pause, spikes = np.array(v, float), np.array(pause, np.int32), np.zeros(len(v), np.uint8)
    fired = fire(program([1, threshold, reset, 0, 0, 0, 0]), 0, v, pause, spikes, hard, refractory)
    assert fired == spikes.sum()
    return v.tolist(), pause.tolist(), spikes.tolist()


def test_neurons_fire_at_the_threshold_and_above() -> None:
    below = np.nextafter(1.0, 0)
    assert one_tick([1.0, below, 3.0], [0, 0, 0]) == ([-0.25, below, -0.25], [0, 0, 0], [1, 0, 1])


def test_a_soft_reset_keeps_what_is_beyond() -> None:
    assert one_tick([1.0, 0.5, 3.0], [0, 0, 0], hard=False)[0] == [-0.25, 0.5, 1.75]


def test_resting_neurons_stand_at_reset_and_count_down() -> None:
    found = one_tick([5.0, 5.0, 5.0, 0.3], [2, 1, 0, 0], refractory=2)
    assert found == ([-0.25, -0.25, -0.25, 0.3], [1, 0, 2, 0], [0, 0, 1, 0])


def test_real_numbers_move_by_their_propagators() -> None:
    of = program([0.5, 1, 0, 0.9, 0.25, 2.0, 0], [0.75, 0.125])
    v, g, a = np.array([0.8, -0.4]), np.array([1.0, 2.0]), np.array([0.4, 0.0])
    leak(of, 0, v, np.array([0.1, 0.2]))
    assert v == pytest.approx([0.5, 0.0])
    inflow(of, 0, v, g)
    assert v == pytest.approx([0.625, 0.25])
    assert g == pytest.approx([0.75, 1.5])
    adapt(of, 0, v, a)
    assert v == pytest.approx([0.525, 0.25])
    assert a == pytest.approx([0.36, 0.0])
    adapt_at_spikes(of, 0, a, np.array([0, 1], np.uint8))
    assert a == pytest.approx([0.36, 2.0])
    assert limit(of, v) == 0


INTEGERS = st.lists(st.integers(-(2**20), 2**20), min_size=1, max_size=9)


@given(values=INTEGERS, shift=st.integers(1, 12))
def test_a_shift_takes_the_share_rounded_away_from_zero(values: list[int], shift: int) -> None:
    v = np.array(values, np.int64)
    leak(program([shift, 0, 0, 0, 0, 0, 0], limits=(0, 0, 0)), 0, v, np.zeros(v.size, np.int64))
    wanted = [value - (-(-value // 2**shift) if value > 0 else value // 2**shift) for value in values]
    assert v.tolist() == wanted
    assert all(abs(after) < abs(before) for before, after in zip(values, wanted, strict=True) if before)


def test_without_a_leak_only_the_constant_adds() -> None:
    v = np.array([5, -5], np.int64)
    leak(program([NO_LEAK, 0, 0, 0, 0, 0, 0], limits=(0, 0, 0)), 0, v, np.array([3, 3]))
    assert v.tolist() == [8, -2]


@given(values=INTEGERS, into=st.integers(0, 12), decay=st.integers(1, 12))
def test_currents_add_their_share_to_nearest_and_vanish(values: list[int], into: int, decay: int) -> None:
    v, g = np.zeros(len(values), np.int64), np.array(values, np.int64)
    of = program([1, 0, 0, decay, into, 1, 0], [decay, into], limits=(0, 0, 0))
    inflow(of, 0, v, g)
    assert v.tolist() == [(2 * value + 2**into) // 2 ** (into + 1) for value in values]
    assert np.all(np.abs(g) <= np.abs(values))
    a, down = np.array(values, np.int64), np.zeros(len(values), np.int64)
    adapt(of, 0, down, a)
    assert down.tolist() == (-v).tolist()
    assert a.tolist() == g.tolist()


@given(values=INTEGERS, bits=st.integers(4, 16), wraps=st.booleans())
def test_registers_hold_their_bits(values: list[int], bits: int, wraps: bool) -> None:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    v = np.array(values, np.int64)
    outside = limit(program([0] * 7, limits=(low, high, wraps)), v)
    assert outside == sum(not low <= value <= high for value in values)
    for value, held in zip(values, v.tolist(), strict=True):
        assert low <= held <= high
        assert (held - value) % 2**bits == 0 if wraps else held == min(max(value, low), high)
