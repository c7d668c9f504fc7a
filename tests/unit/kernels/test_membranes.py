"""One tick of membranes: thresholds, resets, rest, decays that end, and registers that saturate or wrap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eqspike.core.jit import kernel
from eqspike.core.lanes import LANES
from eqspike.kernels.membranes import adapt, adapt_at_spikes, advance, fire, in_one_pass, inflow, leak, limit
from eqspike.kernels.simulation_layout import FIRST, HARD, NO_LEAK, REFRACTORY, SIZE, FixedProgram, Program

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


def tick_at_once(of, channels, v, constant, pause, currents, ids, at):
    return advance(of, 0, channels, v, constant, pause, currents[0], currents[1], ids, at)


def tick_in_passes(of, v, constant, pause, currents, spikes, hard, refractory):
    leak(of, 0, v, constant)
    for c in range(len(currents)):
        inflow(of, c, v, currents[c])
    return fire(of, 0, v, pause, spikes, hard, refractory)


tick_at_once = kernel(tick_at_once, cache=False)
tick_in_passes = kernel(tick_in_passes, cache=False)


@pytest.mark.parametrize("pause_type", [np.int16, np.int32])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("hard", "refractory"), [(True, 3), (True, 0), (False, 0)])
@pytest.mark.parametrize("n_channels", [0, 1, 2])
def test_one_pass_is_all_passes_bit_for_bit(n_channels: int, hard, refractory, dtype, pause_type) -> None:
    n, first, rng = 2 * LANES + 5, 64, np.random.default_rng(n_channels)
    row = np.zeros((1, 10), np.int64)
    row[0, [SIZE, FIRST, HARD, REFRACTORY]] = n, first, hard, refractory
    neurons, filters = np.array([[0.9, 1, -0.25, 0, 0, 0, 0]], dtype), np.array([[0.8, 0.3], [0.7, -0.1]], dtype)
    of = program([0])._replace(layers=row, neurons=neurons, filters=filters)
    assert in_one_pass(of, 0, n_channels)
    v, pause = np.zeros(3 * LANES, dtype), np.zeros(3 * LANES, pause_type)
    v[:n], pause[:n] = rng.uniform(-0.5, 1, n), rng.integers(0, 3, n)
    v[n:] = 2  # what fills up the last lanes is no neuron, even at the threshold
    currents = np.zeros((2, 3 * LANES), dtype)
    slow_v, slow_pause, slow_currents, spikes = v.copy(), pause.copy(), currents.copy(), np.zeros(n, np.uint8)
    constant, channels = np.full(n, 0.2, dtype), (0 if n_channels > 0 else -1, 1 if n_channels > 1 else -1)
    fired = 0
    for _ in range(20):
        slow_currents[:] = currents[:] = rng.uniform(-1, 2, currents.shape)
        ids = np.full(1 + 4 * LANES, -1, np.int32)
        end = tick_at_once(of, channels, v, constant[0], pause, currents, ids, 1)
        n_spikes = tick_in_passes(
            of, slow_v[:n], constant, slow_pause[:n], slow_currents[:n_channels, :n], spikes, hard, refractory
        )
        assert ids[0] == -1
        assert ids[1:end].tolist() == (first + np.flatnonzero(spikes)).tolist()
        assert end - 1 == n_spikes
        for ours, theirs in ((v, slow_v), (pause, slow_pause), (currents.T, slow_currents.T)):
            assert ours[:n].tobytes() == theirs[:n].tobytes()
        fired += n_spikes
    assert fired > n


def test_adaptation_a_third_channel_and_integers_take_more_than_one_pass() -> None:
    assert not in_one_pass(program([1, 0, 0, 0, 0, 0, 0]), 0, 3)
    assert not in_one_pass(program([1, 0, 0, 0, 0, 0.5, 0]), 0, 0)
    assert not in_one_pass(program([1, 0, 0, 0, 0, 0, 0], limits=(0, 0, 0)), 0, 0)


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
