"""From networks to packed arrays: layout, signs either way round, initial weights, bits in memory."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eqspike.kernels import binary_layout as layout
from eqspike.network.layered import layered_binary
from eqspike.substrates.binary import program

LANES = 32


def compiled(*sizes: int) -> program.Compiled:
    return program.compile_network(layered_binary((sizes[0],), list(sizes[1:-1]), sizes[-1], "binary"))


@given(sizes=st.lists(st.integers(1, 70), min_size=3, max_size=4), seed=st.integers(0, 2**32))
def test_signs_come_back_from_rows_along_either_side(sizes: list, seed: int) -> None:
    """Projections lie apart, and no bit that only pads a row is ever set."""
    made, rng = compiled(*sizes), np.random.default_rng(seed)
    weights = program.new_weights(made)
    given_signs = [rng.choice(np.array([-1, 1], np.int8), pair) for pair in pairwise(sizes)]
    for index, signs in enumerate(given_signs):
        program.set_signs(made, weights, index, signs)
    for index, signs in enumerate(given_signs):
        found = program.get_signs(made, weights, index)
        assert found.dtype == np.int8 and np.array_equal(found, signs)
    assert sum(word.bit_count() for word in weights.bits.tolist()) == sum((s > 0).sum() for s in given_signs)


@pytest.mark.parametrize(
    ("sizes", "along_pre"),
    [((9, 40, 8), [0, 1]), ((9, 8, 40), [0, 0]), ((90, 40, 40), [0, 1]), ((9, 40, 8, 33), [0, 1, 0])],
)
def test_rows_lie_along_the_wider_side_but_pixels_have_rows_of_their_own(sizes: tuple, along_pre: list) -> None:
    made = compiled(*sizes)
    table = made.program.projections
    assert table[:, layout.ALONG_PRE].tolist() == along_pre
    first = 0
    for k, (pre, post) in enumerate(pairwise(sizes)):
        rows, lanes = (post, pre) if along_pre[k] else (pre, post)
        width = -(-lanes // LANES)
        assert table[k, [layout.OFFSET, layout.ROWS, layout.ROW]].tolist() == [first, rows, width]
        first += rows * width
    assert program.word_borders(made) == [*table[:, layout.OFFSET], first]


def test_neurons_stand_in_words_of_their_layer_and_those_that_pad_it_are_never_active() -> None:
    made = compiled(5, 33, 64, 3)
    blocks = [made.block(k) for k in (1, 2, 3)]
    assert [(block.start, block.stop) for block in blocks] == [(0, 33), (64, 128), (128, 131)]
    assert (made.n_neurons, made.n_words) == (160, 5)
    bias = program.initial_weights(made, 1, 1.0).bias
    padding = np.ones(160, bool)
    for block in blocks:
        padding[block] = False
    assert np.isneginf(bias[padding]).all() and np.isfinite(bias[~padding]).all()
    start = program.new_start(made)
    assert np.array_equal(start.s, ~padding)
    assert np.array_equal(program.unpack(start.on[None], 160)[0] > 0, ~padding)


def test_initial_weights_are_signs_of_uniform_ones_and_their_mean_modulus() -> None:
    """+-1 / sqrt(fan-in), whose moduli have the mean 1 / 2 sqrt(fan-in), to four decimals; 5 standard errors."""
    made = compiled(400, 90, 50)
    weights = program.initial_weights(made, 3, 0.5)
    for index, (fan_in, n) in enumerate([(400, 90), (90, 50)]):
        limit, signs = 1 / np.sqrt(fan_in), program.get_signs(made, weights, index)
        assert abs(signs.mean()) < 5 / np.sqrt(signs.size)
        error = limit / np.sqrt(12 * signs.size)
        assert weights.scale[index] == pytest.approx(limit / 2, abs=5 * error + 5e-5)
        assert weights.scale[index] == np.float32(round(float(weights.scale[index]), 4))
        biases = weights.bias[made.block(index + 1)]
        assert biases.size == n and 0.8 * 0.5 * limit < np.abs(biases).max() <= 0.5 * limit
    again, other = program.initial_weights(made, 3, 0.5), program.initial_weights(made, 4, 0.5)
    assert np.array_equal(again.bits, weights.bits)
    assert np.mean(other.bits != weights.bits) > 0.9


def test_pixels_count_in_steps_of_a_255th() -> None:
    weights = program.new_weights(compiled(9, 8, 4))
    for index in (0, 1):
        program.set_scale(weights, index, 0.1)
    assert weights.scale.tolist() == [np.float32(0.1)] * 2
    assert weights.unit.tolist() == [np.float32(float(np.float32(0.1)) / 255), np.float32(0.1)]
    assert [program.unit_of(index) for index in range(2)] == [255, 1.0]


def test_bits_in_memory_are_those_of_the_arrays() -> None:
    made = compiled(45, 70, 12)
    weights = program.new_weights(made)
    stored = 8 * sum(array.nbytes for array in weights)
    assert program.stored_bits(made) == stored / (45 * 70 + 70 * 12)


def test_the_published_network_needs_hardly_more_than_a_bit_a_weight() -> None:
    made = compiled(784, 8192, 100)
    assert 1 < program.stored_bits(made) < 1.1
    assert made.network.synapses == prod((784, 8192)) + prod((8192, 100))
