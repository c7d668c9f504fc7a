"""Lanes mean in a kernel what the same words mean of NumPy arrays."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.jit import kernel
from eqspike.core.lanes import (
    LANES,
    append,
    at_least,
    at_most,
    below,
    filled,
    load,
    select,
    store,
    sum_lanes,
    tally,
    with_lane,
)

pytestmark = pytest.mark.kernels
BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@kernel
def calculate(a, b, out, scalar, lane):
    x, y = load(a, 1), load(b, 2)
    high = x * scalar + y - scalar >= y
    store(out, 0, select(high, at_most(at_least(x, y), scalar), with_lane(filled(scalar), lane, scalar * scalar)))
    return tally(high), tally(x != y)


@kernel
def find(a, limit, n, marks, counts, ids, at):
    inside = below(n)
    large = load(a, 0) >= limit
    store(marks, 0, large)
    store(counts, 0, load(counts, 0) + large)
    append(ids, at, 100, large)
    return tally(large), tally(inside)


@kernel
def count_large(a, limit):
    counts = filled(np.int32(0))
    for at in range(0, a.size, LANES):
        counts = counts + (load(a, at) >= limit)
    return sum_lanes(counts), sum_lanes(counts * -1)


@kernel
def count_down(left, out):
    store(out, 0, select(load(left, 0) >= left.dtype.type(2), at_least(load(left, 0) - left.dtype.type(3), 0), -9))
    return tally(select(below(3), load(left, 0) >= left.dtype.type(0), False))


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_signed_integers_compare_too(dtype: type) -> None:
    left = np.arange(-4, LANES - 4).astype(dtype)
    out = np.zeros(LANES, dtype)
    assert count_down(left, out) == 0
    assert count_down(-left, out) == 3
    count_down(left, out)
    np.testing.assert_array_equal(out, np.where(left >= 2, np.maximum(left - 3, 0), -9))


@BOTH
def test_counts_over_many_lanes_are_summed_once(dtype: type) -> None:
    a = np.random.default_rng(3).random(50 * LANES).astype(dtype)
    large = np.count_nonzero(a >= dtype(0.3))
    assert 0 < large < a.size
    assert count_large(a, dtype(0.3)) == (large, -large)


@BOTH
def test_arithmetic_choice_and_bounds(dtype: type) -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.integers(-3, 4, LANES + 3).astype(dtype) for _ in range(2))
    scalar, out = dtype(2), np.zeros(LANES + 1, dtype)
    counted = calculate(a, b, out, scalar, 5)
    x, y = a[1 : 1 + LANES], b[2 : 2 + LANES]
    high = 2 * x + y - 2 >= y
    other = np.where(np.arange(LANES) == 5, 4, 2)
    np.testing.assert_array_equal(out[:LANES], np.where(high, np.minimum(np.maximum(x, y), 2), other))
    assert out[LANES] == 0
    assert 0 < np.count_nonzero(high) < LANES
    assert counted == (np.count_nonzero(high), np.count_nonzero(x != y))


@BOTH
@pytest.mark.parametrize("limit", [-1.0, 0.5, 2.0])
def test_masks_count_mark_and_list(dtype: type, limit: float) -> None:
    a = np.random.default_rng(2).random(LANES).astype(dtype)
    marks, counts, ids = np.zeros(LANES, np.uint8), np.full(LANES, 7, np.int32), np.full(2 * LANES, -1, np.int32)
    found = find(a, dtype(limit), 5, marks, counts, ids, 3)
    large = np.flatnonzero(a >= limit)
    assert found == (large.size, 5)
    np.testing.assert_array_equal(np.flatnonzero(marks), large)
    np.testing.assert_array_equal(counts - 7, marks)
    np.testing.assert_array_equal(ids[3 : 3 + large.size], 100 + large)
    assert (ids[:3] == -1).all()
    assert (ids[3 + LANES :] == -1).all()
