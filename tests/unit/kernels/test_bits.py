"""Rows of bits give the sums of unpacked signs: bit for bit, in any width, word and lane."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eqspike.kernels.bits import (
    LANES,
    MASK,
    add_row,
    add_rows,
    add_signed,
    add_signed_row,
    clear,
    copy,
    count_bits,
    overlap,
    overlap_at,
)
from eqspike.substrates.binary.program import pack, unpack

pytestmark = pytest.mark.kernels
WIDTHS = st.sampled_from([1, 2, 31, 32, 33, 63, 64, 65, 100])
FILLS = st.sampled_from(["random", "all set", "all clear", "top bits", "last"])
SEEDS = st.integers(0, 2**32)


def signs_of(n: int, fill: str, rng: np.random.Generator) -> np.ndarray:
    """Return a row of +1 and -1."""
    signs = np.full(n, -1, np.int8)
    if fill == "random":
        return rng.choice(np.array([-1, 1], np.int8), n)
    if fill == "all set":
        signs[:] = 1
    elif fill == "top bits":
        signs[LANES - 1 :: LANES] = 1
    elif fill == "last":
        signs[-1] = 1
    return signs


def words_of(signs: np.ndarray) -> np.ndarray:
    """Return the words of a row, bit by bit."""
    words = [0] * (-(-len(signs) // LANES))
    for i, sign in enumerate(signs.tolist()):
        words[i // LANES] |= (sign > 0) << (i % LANES)
    return np.array(words, np.uint32)


def padded(values: np.ndarray) -> np.ndarray:
    """Return ``values`` up to whole words, zeros behind."""
    return np.concatenate([values, np.zeros(-len(values) % LANES, values.dtype)])


def test_a_lane_has_a_bit_of_its_own() -> None:
    assert MASK.tolist() == [2**lane for lane in range(32)] and MASK.dtype == np.uint32


@given(n=WIDTHS, fill=FILLS, seed=SEEDS)
def test_packing_is_word_by_word_and_comes_back(n: int, fill: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = np.array([signs_of(n, fill, rng) for _ in range(3)])
    words = pack(rows)
    assert words.dtype == np.uint32
    assert np.array_equal(words, [words_of(row) for row in rows])
    assert np.array_equal(unpack(words, n), rows) and unpack(words, n).dtype == np.int8


@given(n=WIDTHS, fill=FILLS, seed=SEEDS)
@example(n=32, fill="top bits", seed=0)
@example(n=64, fill="all set", seed=0)
def test_bits_are_counted(n: int, fill: str, seed: int) -> None:
    signs = signs_of(n, fill, np.random.default_rng(seed))
    assert count_bits(words_of(signs)) == (signs > 0).sum()


@given(n=WIDTHS, fill=FILLS, seed=SEEDS)
def test_a_row_adds_a_value_to_its_set_lanes(n: int, fill: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    signs, sums, value = signs_of(n, fill, rng), rng.integers(-999, 999, n).astype(np.int32), np.int32(seed % 511 - 255)
    found = padded(sums)
    add_row(words_of(signs), value, found)
    assert np.array_equal(found, padded(sums + value * (signs > 0)))


@given(n=WIDTHS, fills=st.tuples(FILLS, FILLS, FILLS, FILLS), seed=SEEDS)
def test_four_rows_at_once_are_four_rows(n: int, fills: tuple, seed: int) -> None:
    rng = np.random.default_rng(seed)
    signs, values = [signs_of(n, fill, rng) for fill in fills], rng.integers(-255, 256, 4).astype(np.int32)
    found = padded(rng.integers(-999, 999, n).astype(np.int32))
    expected = found + padded(sum(value * (row > 0) for value, row in zip(values, signs, strict=True)))
    add_rows(*map(words_of, signs), tuple(values), found)
    assert np.array_equal(found, expected)


@given(n=WIDTHS, fill=FILLS, fills=st.tuples(FILLS, FILLS), seed=SEEDS)
@example(n=32, fill="all set", fills=("all clear", "top bits"), seed=0)
def test_overlaps_count_shared_bits_of_all_words_or_of_those_listed(n: int, fill: str, fills: tuple, seed: int) -> None:
    rng = np.random.default_rng(seed)
    row, on, off = (signs_of(n, which, rng) > 0 for which in (fill, *fills))
    words = [words_of(np.where(bits, 1, -1)) for bits in (row, on, off)]
    assert overlap(*words) == (row & on).sum() - (row & off).sum()
    listed = np.flatnonzero(rng.random(len(words[0])) < 0.5).astype(np.int32)
    inside = np.isin(np.arange(n) // LANES, listed)
    places = np.concatenate([listed, np.full(len(words[0]) - len(listed), 10**6, np.int32)])  # the rest is stale
    assert overlap_at(*words, places, len(listed)) == (row & on & inside).sum() - (row & off & inside).sum()


@given(n=WIDTHS, fill=FILLS, seed=SEEDS)
def test_signed_sums_are_those_of_unpacked_signs(n: int, fill: str, seed: int) -> None:
    """Padding lanes count as -1: what lies there must never be used."""
    rng = np.random.default_rng(seed)
    signs, sums, value = signs_of(n, fill, rng), rng.normal(size=n).astype(np.float32), np.float32(rng.normal())
    found = padded(sums)
    add_signed_row(words_of(signs), value, found)
    assert np.array_equal(found[:n], sums + value * signs)
    values, parts = rng.normal(size=LANES).astype(np.float32), rng.normal(size=LANES).astype(np.float32)
    signs = signs_of(LANES, fill, rng)
    expected = parts + values * signs
    add_signed(words_of(signs)[0], values, parts)
    assert np.array_equal(parts, expected)


def test_values_are_copied_and_cleared_in_place() -> None:
    values, to = np.arange(1, 6, dtype=np.int32), np.zeros(5, np.int32)
    copy(values, to)
    assert to.tolist() == [1, 2, 3, 4, 5]
    clear(values)
    assert values.tolist() == [0] * 5 and to.tolist() == [1, 2, 3, 4, 5]
