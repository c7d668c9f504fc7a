from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eqspike.data.splits import SPLIT_SEED, stratified_counts, stratified_split

CLASS_SIZES = st.lists(st.integers(1, 40), min_size=2, max_size=8)


@given(CLASS_SIZES, st.data())
def test_counts_add_up_and_spare_every_class(sizes, data):
    total = data.draw(st.integers(0, sum(sizes) - len(sizes)))
    counts = stratified_counts(np.array(sizes), total)
    assert counts.sum() == total
    assert (counts >= 0).all()
    assert (counts < sizes).all()


def test_counts_follow_the_proportions_and_the_largest_remainder():
    # Shares of 7 among 10, 20, 5: 2, 4, 1 exactly; of 8: 2.29, 4.57, 1.14, so the second class gets the eighth.
    np.testing.assert_array_equal(stratified_counts(np.array([10, 20, 5]), 7), [2, 4, 1])
    np.testing.assert_array_equal(stratified_counts(np.array([10, 20, 5]), 8), [2, 5, 1])
    np.testing.assert_array_equal(stratified_counts(np.array([4, 4, 4]), 4), [2, 1, 1])


@given(CLASS_SIZES, st.integers(0, 5))
def test_parts_are_disjoint_complete_and_ascending(sizes, spread):
    labels = np.repeat(np.arange(len(sizes)), sizes)[:: 1 if spread % 2 else -1]
    first = (len(labels) - len(sizes)) // 3
    parts = stratified_split(labels, (first, first))
    assert [len(part) for part in parts] == [first, first, len(labels) - 2 * first]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(labels)))
    assert all((np.diff(part) > 0).all() for part in parts)
    assert set(labels[parts[-1]]) == set(range(len(sizes)))


@pytest.mark.parametrize("label", [0, 1])
def test_the_written_procedure_by_hand(label):
    """The four samples of the class with the smallest raw Philox numbers make up its share of the first part."""
    labels = np.tile([0, 1], 10)
    raw = [int(np.random.Philox(key=[SPLIT_SEED, label]).random_raw(10)[k]) for k in range(10)]
    positions = [2 * k + label for k in range(10)]
    smallest = [position for _, position in sorted(zip(raw, positions, strict=True))[:4]]
    first, _ = stratified_split(labels, (8,))
    assert sorted(smallest) == [position for position in first.tolist() if position % 2 == label]


def test_the_raw_stream_is_the_published_one():
    """Computed apart from numpy by Philox4x64-10 (Salmon et al. 2011), counter 1."""
    stream = np.random.Philox(key=np.array([SPLIT_SEED, 0], np.uint64)).random_raw(2)
    assert stream.tolist() == [3354803860292936510, 13284460689099728073]
