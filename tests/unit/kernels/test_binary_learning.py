"""A sign flips exactly when its low-passed gradient says so; what phases differ in is listed and added up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eqspike.kernels.binary_learning import accumulate, add_active, add_flips, align, compare
from eqspike.kernels.bits import LANES
from eqspike.learning.binary_ep import BinaryEP
from eqspike.substrates.binary.momentum import Momentum
from eqspike.substrates.binary.program import pack, unpack

pytestmark = pytest.mark.kernels
F = np.float32
SEEDS = st.integers(0, 2**32)


def learn(signs: np.ndarray, held: np.ndarray, gradient: np.ndarray, coefficient: float, limit: float, marked=None):
    """Accumulate a row's gradient; return its signs and accumulators after that, and how many flipped."""
    n = len(signs)
    words, accumulators = pack(signs[None])[0], np.zeros(len(pack(signs[None])[0]) * LANES, F)
    row = np.zeros(accumulators.size, gradient.dtype)
    accumulators[:n], row[:n] = held, gradient
    marks = np.ones(len(words), np.uint8) if marked is None else marked
    looked_at = np.repeat(marks, LANES).astype(bool)
    flips = accumulate(words, accumulators, row, marks, F(coefficient), F(limit))
    assert not marks.any() and not row[looked_at].any()  # ready for the next row
    return unpack(words[None], n)[0], accumulators[:n], flips


def test_a_sign_flips_beyond_the_limit_and_not_at_it() -> None:
    """M opposes a sign where it has the other one; at the limit, or just below it, the sign stays."""
    limit = F(0.375)
    above, below = np.nextafter(limit, F(1)), np.nextafter(limit, F(0))
    moved = np.array([above, limit, below, 0, -below, -limit, -above] * 2, F)
    signs = np.repeat(np.array([1, -1], np.int8), 7)
    for start in (np.zeros(14, F), moved):  # reached by this gradient, or held from before
        after, held, flips = learn(signs, start, moved - start, 1.0, limit)
        assert np.array_equal(held, moved)
        assert np.flatnonzero(after != signs).tolist() == [6, 7] and flips == 2
        assert after[[6, 7]].tolist() == [-1, 1]


@pytest.mark.parametrize("lane", [0, 30, 31, 32, 63])
def test_each_lane_flips_alone(lane: int) -> None:
    signs, gradient = np.ones(64, np.int8), np.zeros(64, np.int32)
    gradient[lane] = -3
    after, held, flips = learn(signs, np.zeros(64, F), gradient, 0.5, 1.0)
    assert np.flatnonzero(after < 0).tolist() == [lane] and flips == 1
    assert held[lane] == -1.5 and np.count_nonzero(held) == 1


def test_a_flip_leaves_the_momentum_alone() -> None:
    """So that the flipped sign, which now agrees with it, is not flipped back by a weaker gradient."""
    signs, held = np.ones(1, np.int8), np.zeros(1, F)
    signs, held, flips = learn(signs, held, np.array([-4], np.int32), 1.0, 1.0)
    assert (signs[0], held[0], flips) == (-1, -4, 1)
    signs, held, flips = learn(signs, held, np.array([2], np.int32), 1.0, 1.0)
    assert (signs[0], held[0], flips) == (-1, -2, 0)
    signs, held, flips = learn(signs, held, np.array([4], np.int32), 1.0, 1.0)
    assert (signs[0], held[0], flips) == (1, 2, 1)


def test_words_that_nothing_reached_are_left_alone() -> None:
    """Whatever they hold: a synapse without a gradient does not flip."""
    signs, held = np.ones(96, np.int8), np.full(96, -9, F)
    marked = np.array([0, 1, 0], np.uint8)
    after, kept, flips = learn(signs, held, np.full(96, -1, np.int32), 1.0, 1.0, marked)
    inside = np.arange(96) // 32 == 1
    assert np.array_equal(after < 0, inside) and flips == 32
    assert np.array_equal(kept, np.where(inside, -10, -9))


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize(("gamma", "renewed"), [(1e-3, 0), (0.05, 1), (0.5, 14), (0.97, 75)])
def test_scaled_accumulators_are_the_plain_low_pass(gamma: float, renewed: int, real: bool) -> None:
    """m <- (1 - gamma) m + gamma g and its flips over 300 mini-batches; a smaller gamma is renewed less often."""
    rng, n, tau = np.random.default_rng(3), 40, 2e-3 if gamma < 0.01 else 0.2
    rule = BinaryEP(low_passes=[gamma], flip_thresholds=[tau], bias_rates=[0.0])
    momentum = Momentum(rule, [0, 2], [1.0], lambda: np.zeros(2 * LANES, F))
    signs, m, flips, renewals = rng.choice(np.array([-1, 1], np.int8), n), np.zeros(n), 0, 0
    for _ in range(300):
        contrast = rng.choice([-1, 1]) * 1.4 * 5
        gradient = rng.integers(-9, 10, n).astype(np.int32)
        if real:
            gradient = (gradient * rng.random(n)).astype(F)
        gradient[rng.random(n) < 0.3] = 0
        m = (1 - gamma) * m + gamma / contrast * gradient
        near = np.abs(np.abs(m) - tau) < 1e-5  # rounding decides here: the compiled rule is right
        step = momentum.step(contrast)
        signs_after, held, count = learn(signs, momentum.values[:n], gradient, step.coefficients[0], step.limits[0])
        momentum.values[:n] = held
        expected = np.where(-signs * m > tau, -signs, signs)
        assert np.array_equal(signs_after[~near], expected[~near])
        assert count == (signs_after != signs).sum()
        momentum.renew()
        renewals += momentum.batches[0] == 0
        signs, flips = signs_after, flips + count
        np.testing.assert_allclose(momentum.values[:n] * (1 - gamma) ** momentum.batches[0], m, rtol=1e-4, atol=2e-6)
    assert renewals == renewed
    assert flips > 0


@given(seed=SEEDS, words=st.integers(1, 4), share=st.sampled_from([0.0, 0.02, 0.5, 1.0]))
def test_two_phases_are_compared_neuron_by_neuron(seed: int, words: int, share: float) -> None:
    rng, n = np.random.default_rng(seed), words * LANES
    free = rng.random(n) < 0.5
    nudged = free ^ (rng.random(n) < share)
    listed, active = np.full(n, 10**6, np.int32), np.zeros(2, np.int64)
    bits = [pack(np.where(phase, 1, -1)[None])[0] for phase in (free, nudged)]
    count = compare(*bits, listed, active)
    assert listed[:count].tolist() == [i if nudged[i] else -1 - i for i in np.flatnonzero(free != nudged)]
    assert active.tolist() == [free.sum(), nudged.sum()]

    gradient, marked = np.zeros(n, np.int32), np.zeros(words, np.uint8)
    add_flips(listed, count, np.int32(7), gradient, marked)
    assert np.array_equal(gradient, 7 * (nudged.astype(int) - free.astype(int)))
    assert np.array_equal(marked, (free != nudged).reshape(-1, LANES).any(axis=1))

    gradient[:], marked[:] = 0, 0
    add_active(bits[0], np.int32(-5), gradient, marked)
    assert np.array_equal(gradient, -5 * free)
    assert np.array_equal(marked, free.reshape(-1, LANES).any(axis=1))


@given(seed=SEEDS)
def test_a_gradient_is_summed_with_its_signs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    signs, gradient = rng.choice([-1, 1], 96), rng.integers(-999, 1000, 96).astype(np.int32)
    assert align(pack(signs[None])[0], gradient) == (signs * gradient).sum()
