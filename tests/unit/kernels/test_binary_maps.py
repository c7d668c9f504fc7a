"""Events, pools and sign flips of convolutional binary networks, one kernel at a time."""

from __future__ import annotations

import numpy as np
import pytest
from reference.binary_maps import convolved, convolved_back

from eqspike.kernels.binary_maps import move_place
from eqspike.kernels.binary_maps_events import list_changes, pool_place, send_down, send_up
from eqspike.kernels.binary_maps_layout import MapNeurons
from eqspike.kernels.binary_maps_learning import accumulate
from eqspike.substrates.binary.program import pack

pytestmark = pytest.mark.kernels
ROWS, COLUMNS, BELOW, ABOVE, POOL = 6, 5, 3, 34, 2
LAYER = np.array([0, ROWS * COLUMNS * BELOW, ROWS, COLUMNS, BELOW, 0])
PROJECTION = np.array([0, 9 * BELOW, 2, 3, 3, 1, POOL, 0, 6, 4])  # 3 x 3, padding 1; the fifth column is dropped


def kernel_bits() -> tuple[np.ndarray, np.ndarray]:
    """Return signs (3, 3, c_in, c_out) and their words, (blocks, rows) flat."""
    signs = np.random.default_rng(0).choice([-1, 1], (3, 3, BELOW, ABOVE))
    return signs, np.ascontiguousarray(pack(signs.reshape(-1, ABOVE)).T).reshape(-1)


def test_what_goes_up_is_a_convolution_where_a_pool_looks() -> None:
    signs, bits = kernel_bits()
    maps = np.random.default_rng(1).integers(-2, 3, (1, ROWS, COLUMNS, BELOW))
    z, stale, reached = np.zeros(6 * 4 * 64, np.int32), np.zeros(6, np.uint8), 0
    listed, values = np.zeros(BELOW, np.int64), np.zeros(BELOW, np.int32)
    for y, x in np.ndindex(ROWS, COLUMNS):
        n = list_changes(maps[0, y, x], np.zeros(BELOW, np.int64), listed, values)
        assert n == np.count_nonzero(maps[0, y, x])
        reached += n * send_up(bits, PROJECTION, y, x, BELOW, n, listed, values, z, stale)
    expected = convolved(maps, signs, 1)[0, :6, :4]
    assert np.array_equal(z.reshape(6, 4, 64)[..., :ABOVE], expected)
    uses = convolved((maps != 0).astype(int), np.ones((3, 3, BELOW, 1), int), 1)[0, :6, :4]
    assert reached == uses.sum()
    assert stale.all()


def test_an_event_reaches_only_the_pools_within_its_kernel() -> None:
    _, bits = kernel_bits()
    z, stale = np.zeros(6 * 4 * 64, np.int32), np.zeros(6, np.uint8)
    one = np.zeros(1, np.int64), np.ones(1, np.int32)
    assert send_up(bits, PROJECTION, 0, 0, BELOW, 1, *one, z, stale) == 4
    assert stale.tolist() == [1, 0, 0, 0, 0, 0]
    assert send_up(bits, PROJECTION, 3, 4, BELOW, 1, *one, z, stale) == 3
    assert stale.tolist() == [1, 0, 0, 1, 0, 1]


def test_what_comes_down_is_the_convolution_transposed() -> None:
    signs, bits = kernel_bits()
    for place, at, c in [(0, 0, 0), (1, 3, 33), (5, 2, 31), (2, 1, 32)]:
        maps = np.zeros((1, ROWS, COLUMNS, ABOVE), int)
        maps[0, place // 2 * POOL + at // POOL, place % 2 * POOL + at % POOL, c] = 7
        sums = np.zeros(LAYER[1], np.int32)
        reached = send_down(bits, PROJECTION, LAYER, place, at, c, np.int32(7), sums)
        expected = convolved_back(maps, signs, 1)[0]
        assert np.array_equal(sums.reshape(ROWS, COLUMNS, BELOW), expected)
        assert reached == np.count_nonzero(expected)


def test_a_pool_takes_the_first_of_sums_that_are_equal_as_passed_on() -> None:
    z = np.zeros(6 * 4 * 64)
    square = z.reshape(6, 4, 64)[2:4, 2:4, :3]
    square[...] = [[[1, 5, 0.1], [3, 5, 0.1 + 1e-12]], [[3, 2, -1], [2, 5, 0]]]
    forward, where, rounded = np.zeros(3, np.float32), np.zeros(3, np.uint8), np.zeros(3, np.float32)
    pool_place(z, PROJECTION, 1, 1, forward, where, rounded)
    assert forward.tolist() == [3, 5, np.float32(0.1)]
    assert where.tolist() == [1, 0, 0]


def moved(s: float, drive: float, emitted: float, *, graded: bool, push: float = 0.0) -> tuple:
    """Return a neuron's new state and what it emits, and what moving returned."""
    kind = np.float32 if graded else np.int8
    state, out = np.array([s], np.float32), np.array([emitted], kind)
    one, none = np.ones(1, np.float32), np.zeros(1, np.float32)
    numbers = (0, 1, 0.5) if graded else (0.5, 0.5, 0.5)
    neurons = MapNeurons(*map(np.float32, numbers), graded)
    found = move_place(
        state, out, np.array([drive], np.float32), none, np.array([push], np.float32), one, none, np.float32(0),
        neurons, np.zeros(1, np.int64),
    )  # fmt: skip
    return state[0], out[0], found


def test_a_binary_neuron_flips_at_its_threshold_and_is_restless_while_its_drive_pulls_it_across() -> None:
    assert moved(1.0, 0.0, 1, graded=False) == (0.5, 1, (0, 1, 1))  # fires at the threshold, but will stop
    assert moved(0.5, 0.0, 1, graded=False) == (0.25, 0, (1, 1, 1))
    assert moved(0.25, 0.0, 0, graded=False) == (0.125, 0, (0, 1, 0))
    assert moved(0.0, -1.0, 0, graded=False) == (0, 0, (0, 0, 0))
    assert moved(0.625, 0.75, 1, graded=False)[2] == (0, 1, 0)
    assert moved(0.625, 0.5, 1, graded=False)[2] == (0, 1, 1)  # rounding may yet take it below
    assert moved(0.25, 0.25, 0, graded=False, push=0.5) == (0.5, 1, (1, 1, 1))


def test_a_real_neuron_leaves_its_bounds_by_the_nudge_alone_and_keeps_its_last_bit_to_itself() -> None:
    assert moved(0.5, 2.0, 0.5, graded=True) == (1, 1, (0, 1, 1))
    assert moved(0.5, 2.0, 0.5, graded=True, push=0.25) == (1.25, 1.25, (0, 1, 1))
    below = np.nextafter(np.float32(0.75), np.float32(0))
    assert moved(0.75, below, 0.75, graded=True) == (below, 0.75, (0, 1, 1))
    assert moved(0.75, 0.75 + 2.0**-23, 0.75, graded=True)[1] > 0.75


def test_signs_flip_at_the_limit_too_and_untouched_ones_where_noise_has_brought_them_there() -> None:
    block, held = np.array([0, 0b1111], np.uint32), np.zeros(64, np.float32)
    gradient = np.zeros((32, 2), np.int32)
    held[0], gradient[1, 0], gradient[2, 0] = 0.5, 1, -9  # three clear bits of the first row: noise, at, away
    gradient[:3, 1] = [-1, -2, 2]  # set bits of the second
    assert accumulate(block, held, gradient, np.float32(0.5), np.float32(0.5)) == 4
    assert block.tolist() == [0b11, 0b1100]
    np.testing.assert_array_equal(held[[0, 1, 2, 32, 33, 34]], np.float32([0.5, 0.5, -4.5, -0.5, -1, 1]))
