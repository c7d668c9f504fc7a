"""The slow twins of binary Equilibrium Propagation against plain loops, each other and the exact gradient."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest
from reference.binary import RENEWAL, DenseStepping, Flips, classes_won, one_hot
from reference.binary_bptt import drives, gradient, loss, trajectory
from reference.binary_maps import (
    QUANTUM,
    MapStepping,
    convolved,
    convolved_back,
    correlated,
    padded,
    pooled,
    unpooled,
)

SIZES = (5, 4, 6, 4)
F = np.float32


def parameters(sizes, seed: int = 0, gain: float = 1.0) -> tuple[list, list, list]:
    """Return signs, scales and biases of a dense network."""
    rng = np.random.default_rng(seed)
    pairs = list(pairwise(sizes))
    signs = [rng.choice(np.array([-1, 1], np.int8), pair) for pair in pairs]
    scales = [gain * 0.5 / np.sqrt(n) for n, _ in pairs]
    return signs, scales, [rng.uniform(-0.3, 0.5, n).astype(F) for _, n in pairs]


def images(n: int, n_pixels: int = SIZES[0], seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, n_pixels), np.uint8)


def rule(depth: int, **changed) -> dict:
    """Return the numbers of settling and learning; one number of the rule serves all projections."""
    numbers = {"gamma": 0.01, "tau": 1e-4, "rate_bias": 0.02, "rate_scale": 0.0}
    each = {name: np.broadcast_to(changed.pop(name, value), depth).tolist() for name, value in numbers.items()}
    return {"free_steps": 6, "nudged_steps": 4, "beta": 0.7, **each, **changed}


def dense(setting: str, sizes=SIZES, *, gain: float = 1.0, expand: int = 2, **changed) -> DenseStepping:
    given = parameters(sizes, gain=gain)
    return DenseStepping(*given, setting=setting, expand=expand, **rule(len(sizes) - 1, **changed))


def stepped_by_hand(net: DenseStepping, setting: str, states: list, x8, target=None, beta: float = 0.0) -> list:
    """Return one sample's next states, neuron by neuron and synapse by synapse, whole numbers added as such."""
    fired = [[int(v >= F(0.5)) for v in s] if setting == "B" else list(s) for s in states]
    emitted, after = [[int(v) for v in x8], *fired], []
    for k, s in enumerate(states, start=1):
        unit = F(float(net.scales[0]) / 255) if k == 1 else net.scales[k - 1]
        for i, old in enumerate(s):
            h = unit * F(sum(int(sign[i]) * u for sign, u in zip(net.signs[k - 1], emitted[k - 1], strict=True)))
            h = h + net.biases[k - 1][i]
            if k < len(states):
                up = zip(net.signs[k][i], emitted[k + 1], strict=True)
                h = h + net.scales[k] * F(sum(int(sign) * u for sign, u in up))
            pull = F(beta) * (F(target[i]) - old) if k == len(states) and target is not None else F(0)
            if setting == "A":
                new = min(max(min(max(h, F(0)), F(1)) + pull, F(0)), F(1))
            else:
                new = min(max(F(0.5) * old + F(0.5) * (h + pull), F(0)), F(1))
            after.append(new)
    ends = np.cumsum([len(s) for s in states])[:-1]
    return np.split(np.array(after, F), ends)


@pytest.mark.parametrize("setting", ["A", "B"])
def test_matrix_products_are_sums_synapse_by_synapse(setting: str) -> None:
    """Bit for bit in setting B, where all sums are whole numbers."""
    net, x8, labels, seen = dense(setting), images(3), np.array([1, 0, 1]), []
    net.settle_nudged(net.settle_free(x8, seen), labels, -0.7, seen)
    assert len(seen) == 10
    tolerance = {"A": 1e-6, "B": 0.0}[setting]
    for n, x in enumerate(x8):
        states = [np.full(size, {"A": 0, "B": 1}[setting], F) for size in SIZES[1:]]
        for t, step in enumerate(seen):
            target = [0, 0, 1, 1] if labels[n] else [1, 1, 0, 0]
            states = stepped_by_hand(net, setting, states, x, target if t >= 6 else None, -0.7)
            for found, expected in zip(step, states, strict=True):
                np.testing.assert_allclose(found[n], expected, rtol=0, atol=tolerance)
    assert len({s.tobytes() for step in seen for s in step}) > 12  # the states do move, layer by layer


@pytest.mark.parametrize("setting", ["A", "B"])
def test_an_input_drive_computed_once_changes_no_bit(setting: str) -> None:
    nets = [dense(setting, cached_input=cached, rate_scale=0.01) for cached in (False, True)]
    for batch in range(4):
        x8, seen = images(3, seed=batch), ([], [])
        for net, steps in zip(nets, seen, strict=True):
            net.settle_nudged(net.settle_free(x8, steps), np.array([1, 0, 1]), 0.7, steps)
            net.learn(x8, np.array([1, 0, 1]), 1)
        assert all(np.array_equal(a, b) for p, q in zip(*seen, strict=True) for a, b in zip(p, q, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(nets[0].signs, nets[1].signs, strict=True))


def test_states_are_the_callers_own() -> None:
    net = dense("B")
    first = net.settle_free(images(3))
    kept = [s.copy() for s in first]
    net.settle_nudged(first, np.array([1, 0, 1]), 0.7)
    net.settle_free(images(3, seed=5))
    assert all(np.array_equal(a, b) for a, b in zip(first, kept, strict=True))


def test_a_state_at_the_threshold_fires() -> None:
    states = [np.array([[0.5, np.nextafter(F(0.5), F(0)), 1.0, 0.0]], F)]
    for net in (dense("B"), convolutional("B")):
        assert np.array_equal(net.emitted(states)[0], [[1, 0, 1, 0]])


def test_a_class_answers_by_the_sum_of_its_outputs_and_the_lowest_of_equals() -> None:
    output = np.array([[0.9, 0, 0.5, 0.5, 0, 0.9], [0, 0.25, 0.25, 0, 0.1, 0.1], [0, 0, 0, 0, 0, 0]], F)
    assert classes_won(output, 2).tolist() == [1, 0, 0]
    assert classes_won(output, 1).tolist() == [0, 1, 0]
    assert one_hot([2, 0], 6, 2).tolist() == [[0, 0, 0, 0, 1, 1], [1, 1, 0, 0, 0, 0]]


def test_signs_flip_exactly_where_the_low_passed_gradient_opposes_them_beyond_the_threshold() -> None:
    """Also when its scale starts anew, which a large gamma soon brings about."""
    rng, gamma, tau = np.random.default_rng(2), 0.3, 0.4
    signs = rng.choice([-1.0, 1.0], (8, 9))
    flips, m, renewed, total = Flips(signs, gamma, tau, divisor=2.0), np.zeros((8, 9)), 0, 0
    for _ in range(100):
        g = rng.integers(-9, 10, (8, 9)).astype(F)
        m = (1 - gamma) * m + gamma * 0.25 * g / 2
        opposed = -signs * m
        assert np.abs(opposed - tau).min() > 1e-6  # rounding decides nothing here
        signs[opposed > tau] *= -1
        assert flips.learn(g.copy(), 0.25) == (opposed > tau).sum()
        assert np.array_equal(flips.signs, signs)
        renewed, total = renewed + (flips.batches == 0), total + (opposed > tau).sum()
    assert renewed == 2  # 0.7^39 < 2^-20
    assert total > 100
    np.testing.assert_allclose(flips.momentum * 0.7**flips.batches, m, atol=1e-6)


def test_the_scale_of_the_low_pass_is_renewed_below_its_bound() -> None:
    flips = Flips(np.ones((1, 1)), 0.5, 1.0)
    batches = [flips.learn(np.zeros((1, 1), F), 1.0) or flips.batches for _ in range(22)]
    assert RENEWAL == 0.5**20
    assert batches == [*range(1, 21), 0, 1]


@pytest.mark.parametrize(("inclusive", "flipped"), [(False, 1), (True, 2)])
def test_a_dense_sign_stays_and_a_convolutions_flips_at_the_threshold_itself(inclusive: bool, flipped: int) -> None:
    flips = Flips(np.ones(3), 0.5, 0.25, inclusive=inclusive)
    assert flips.learn(np.array([-0.5, -0.75, 0.75], F), 1.0) == flipped


def test_a_sign_keeps_its_momentum_when_it_flips() -> None:
    flips = Flips(np.ones(1), 0.5, 0.25)
    assert flips.learn(np.array([-4.0], F), 1.0) == 1
    assert flips.momentum[0] == -4
    assert flips.learn(np.array([1.0], F), 1.0) == 0


@pytest.mark.parametrize("setting", ["A", "B"])
def test_learning_is_the_written_rule(setting: str) -> None:
    """Momentum, biases and scales of one mini-batch from per-sample sums in double precision."""
    net = dense(setting, (12, 30, 20, 4), beta=2.0, rate_scale=0.3)
    signs, scales, biases = ([np.array(a, np.float64) for a in part] for part in (net.signs, net.scales, net.biases))
    x8, labels, beta = images(5, 12), np.array([1, 0, 1, 1, 0]), -2.0
    free = net.settle_free(x8)
    nudged = net.settle_nudged(free, labels, beta)
    flips = net.learn(x8, labels, -1)
    phases = []
    for states in (free, nudged):
        emitted = [(s >= 0.5) * 1.0 if setting == "B" else s.astype(np.float64) for s in states]
        phases.append([x8 / 255, *emitted])
    for k in range(3):
        (pre0, post0), (pre1, post1) = ((p[k], p[k + 1]) for p in phases)
        g = sum(np.outer(pre1[n], post1[n]) - np.outer(pre0[n], post0[n]) for n in range(5)) / (beta * 5)
        m = 0.01 * g
        assert np.abs(m).max() > 1e-4
        np.testing.assert_allclose(net.flips[k].momentum * 0.99, m, rtol=1e-5, atol=1e-8)
        expected = np.where(-signs[k] * m > 1e-4, -signs[k], signs[k])
        assert np.array_equal(net.signs[k], expected)
        assert flips[k] == (expected != signs[k]).sum()
        np.testing.assert_allclose(
            net.biases[k], biases[k] + 0.02 * (post1 - post0).sum(axis=0) / (beta * 5), atol=1e-6
        )
        power = [np.einsum("ni,ij,nj->", p[k], scales[k] * signs[k], p[k + 1]) for p in phases]
        expected = scales[k] + 0.3 * 0.5 * (power[1] - power[0]) / (beta * 5)
        assert net.scales[k] == pytest.approx(expected, rel=1e-5)
        assert net.scales[k] != pytest.approx(scales[k], rel=1e-4) or np.isclose(power[0], power[1])
    assert sum(flips) > 0


@lru_cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    data = load_digits()
    return np.rint(data.data * 255 / 16).astype(np.uint8), data.target


DIGITS = {
    "A": ((64, 128, 10), 1, {"beta": 0.3, "free_steps": 20, "nudged_steps": 8, "gamma": [1e-3, 1e-4], "tau": 2e-5}),
    "B": ((64, 1024, 40), 4, {"beta": 2.0, "free_steps": 12, "nudged_steps": 6, "gamma": 1e-3, "tau": 1e-4}),
}


@pytest.mark.parametrize(("setting", "least"), [("A", 0.8), ("B", 0.7)])
def test_digits_are_learnt(setting: str, least: float) -> None:
    x8, labels = digits()
    sizes, expand, numbers = DIGITS[setting]
    rate = {"A": [0.05, 0.025], "B": 1e-7}[setting]
    net, rng = (
        dense(setting, sizes, cached_input=True, rate_bias=rate, expand=expand, **numbers),
        np.random.default_rng(0),
    )
    for _ in range(4):
        for batch in rng.permutation(1500).reshape(-1, 50):
            net.learn(x8[batch], labels[batch], rng.choice([-1, 1]))
    states = net.settle_free(x8[1500:])
    assert all(np.isfinite(s).all() and s.min() >= 0 and s.max() <= 1 for s in states)
    assert all(set(np.unique(s)) == {-1, 1} for s in net.signs)
    assert np.mean(net.answers(states) == labels[1500:]) > least


def maps_case(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return maps (2, 6, 5, 3), a kernel (3, 3, 3, 4) and maps above, as padded once."""
    rng = np.random.default_rng(seed)
    return rng.random((2, 6, 5, 3)), rng.choice([-1.0, 1.0], (3, 3, 3, 4)), rng.random((2, 6, 5, 4))


def test_a_convolution_is_its_sum_over_taps_written_out() -> None:
    below, kernel, _ = maps_case()
    found = convolved(below, kernel, 1)
    assert found.shape == (2, 6, 5, 4)
    wide = padded(below, 1)
    for n, y, x, o in np.ndindex(found.shape):
        expected = sum(
            kernel[a, b, i, o] * wide[n, y + a, x + b, i] for a in range(3) for b in range(3) for i in range(3)
        )
        assert found[n, y, x, o] == pytest.approx(expected, abs=1e-12)


def test_the_way_back_and_the_products_are_a_convolutions_derivatives() -> None:
    below, kernel, above = maps_case()
    total = (above * convolved(below, kernel, 1)).sum()
    assert (below * convolved_back(above, kernel, 1)).sum() == pytest.approx(total)
    assert (kernel * correlated(below, above, 3, 1)).sum() == pytest.approx(total)
    bump = np.zeros_like(kernel)
    bump[0, 2, 1, 3] = 1
    by_tap = (above * convolved(below, bump, 1)).sum()
    assert correlated(below, above, 3, 1)[0, 2, 1, 3] == pytest.approx(by_tap)
    bump = np.zeros_like(below)
    bump[1, 5, 0, 2] = 1
    by_pixel = (above * convolved(bump, kernel, 1)).sum()
    assert convolved_back(above, kernel, 1)[1, 5, 0, 2] == pytest.approx(by_pixel)


def test_a_pool_keeps_the_first_of_equals_and_drops_what_is_left_over() -> None:
    maps = np.array([[1, 3, 0, 0, 9], [3, 2, 0, 0, 9], [0, 5, 4, 4, 9], [6, 0, 4, 4, 9], [9, 9, 9, 9, 9]])
    values, where = pooled(maps[None, :, :, None], 2)
    assert values[0, :, :, 0].tolist() == [[3, 0], [6, 4]]
    assert where[0, :, :, 0].tolist() == [[1, 0], [2, 0]]
    back = unpooled(values, where, 2, (1, 5, 5, 1))[0, :, :, 0]
    assert back.tolist() == [[0, 3, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 4, 0, 0], [6, 0, 0, 0, 0], [0, 0, 0, 0, 0]]


def test_what_comes_down_through_a_pool_is_its_derivative() -> None:
    """Of sum post pool(convolution), by the pixels below and by the kernel."""
    below, kernel, _ = maps_case()
    post = np.random.default_rng(4).random((2, 3, 2, 4))

    def value(maps: np.ndarray, taps: np.ndarray) -> float:
        return (post * pooled(convolved(maps, taps, 1), 2)[0]).sum()

    spread = unpooled(post, pooled(convolved(below, kernel, 1), 2)[1], 2, (2, 6, 5, 4))
    for point, slopes, move in (
        (below, convolved_back(spread, kernel, 1), lambda bump: (below + bump, kernel)),
        (kernel, correlated(below, spread, 3, 1), lambda bump: (below, kernel + bump)),
    ):
        for at in list(np.ndindex(point.shape))[::7]:
            bump = np.zeros_like(point)
            bump[at] = 1e-6
            assert slopes[at] == pytest.approx((value(*move(bump)) - value(*move(-bump))) / 2e-6, abs=1e-6)


def unrolled(kernel: np.ndarray, rows: int, columns: int, padding: int) -> np.ndarray:
    """Return the dense matrix (n_pre, n_post) of a convolution: 0 where no tap joins two places."""
    c_in = kernel.shape[2]
    each = np.eye(rows * columns * c_in, dtype=np.int64).reshape(-1, rows, columns, c_in)
    return convolved(each, kernel.astype(np.int64), padding).reshape(len(each), -1)


QUANTA = (60_001, 70_003)
OWN_QUANTA = ([60_001, 75_011, 52_345], [70_003, 91_107])  # one per channel


def convolutional(setting: str, pool: int = 1, *, quanta=QUANTA, momenta=None, **changed) -> MapStepping:
    """Return two 3x3 convolutions of 5x4x2 images, of 3 and 2 maps, and two outputs for each of 2 classes."""
    rng = np.random.default_rng(53)
    kernels = [rng.choice(np.array([-1, 1], np.int8), (3, 3, *ends)) for ends in ((2, 3), (3, 2))]
    signs = [rng.choice(np.array([-1, 1], np.int8), (2 * 5 * 4 if pool == 1 else 2, 4))]
    quanta = [np.broadcast_to(q, n) for q, n in zip(quanta, (3, 2), strict=True)]
    biases = [rng.uniform(0, 0.6, n) for n in (3, 2, 4)]
    fixed = {"image_shape": (5, 4, 2), "padding": 1, "pool": pool, "momenta": momenta, "expand": 2}
    return MapStepping(kernels, quanta, signs, [0.1], biases, setting=setting, **fixed, **rule(3, **changed))


def as_dense(net: MapStepping, setting: str, **changed) -> DenseStepping:
    """Return a network without pools as a dense one of shared weights."""
    signs = [*(unrolled(kernel, 5, 4, 1) for kernel in net.signs[:2]), net.signs[2]]
    biases = [np.tile(net.biases[0], 20), np.tile(net.biases[1], 20), net.biases[2]]
    scales = [*(QUANTUM * q for q in QUANTA), net.scales[0]]
    return DenseStepping(signs, scales, biases, setting=setting, expand=2, **rule(3, **changed))


def flat(states: list) -> list:
    return [s.reshape(len(s), -1) for s in states]


def shared(kernel: np.ndarray, products: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return the sum over all uses of each tap of ``products`` (n_pre, n_post) of the unrolled kernel."""
    sums = np.zeros(kernel.shape)
    for tap in np.ndindex(kernel.shape):
        single = np.zeros(kernel.shape)
        single[tap] = 1
        sums[tap] = (unrolled(single, rows, columns, 1) * products).sum()
    return sums


def test_a_convolution_is_a_dense_layer_of_shared_weights() -> None:
    """Bit for bit in setting B: quanta in the sums downwards round as the scale would have rounded after them."""
    net, x8, labels = convolutional("B", nudged_steps=1, beta=2.0), images(3, 40), np.array([1, 0, 1])
    twin = as_dense(net, "B", nudged_steps=1)
    seen = [], []
    free = [m.settle_free(x8, steps) for m, steps in zip((net, twin), seen, strict=True)]
    nudged = [m.settle_nudged(s, labels, 2.0, t) for m, s, t in zip((net, twin), free, seen, strict=True)]
    assert len(seen[0]) == 7
    assert all(np.array_equal(a, b) for p, q in zip(*seen, strict=True) for a, b in zip(flat(p), q, strict=True))
    assert all(0 < np.mean(s >= 0.5) < 1 for s in free[1][:2])
    own = net.contrast(free[0], nudged[0])
    whole = twin.contrast(twin.emitted(free[1]), twin.emitted(nudged[1]))
    assert np.any(own[2])
    assert np.array_equal(own[2], whole[2])
    for kernel, found, products in zip(net.signs[:2], own, whole, strict=False):
        assert np.array_equal(found, shared(kernel, products, 5, 4))


def test_convolutions_and_dense_layers_settle_to_the_same_real_states() -> None:
    """From 1/2 and from 0; a nudge towards the target leaves no bound, be it clipped or not."""
    numbers = {"free_steps": 200, "nudged_steps": 200}
    net, x8, labels = convolutional("A", **numbers), images(3, 40), np.array([1, 0, 1])
    twin = as_dense(net, "A", **numbers)
    free = net.settle_free(x8), twin.settle_free(x8)
    nudged = net.settle_nudged(free[0], labels, 0.5), twin.settle_nudged(free[1], labels, 0.5)
    for pair in (free, nudged):
        for a, b in zip(flat(pair[0]), pair[1], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)
            assert np.mean((b > 0) & (b < 1)) > 0.1
    assert np.abs(nudged[1][0] - free[1][0]).max() > 1e-3
    products = net.contrast(free[0], nudged[0]), twin.contrast(free[1], nudged[1])
    for kernel, found, whole in zip(net.signs[:2], *products, strict=False):
        np.testing.assert_allclose(found, shared(kernel, whole, 5, 4), rtol=1e-3, atol=1e-3 * np.abs(found).max())


def test_a_nudge_away_from_the_target_takes_a_convolutional_output_out_of_its_bounds() -> None:
    net, labels = convolutional("A", free_steps=50), np.array([1, 0, 1])
    output = net.settle_nudged(net.settle_free(images(3, 40)), labels, -0.5)[-1]
    assert output.min() < 0 or output.max() > 1


def looked_by_hand(net: MapStepping, layers: list) -> tuple[list, list]:
    """Return one sample's drives, and which of the places (columns of the unrolled kernel) every map's neuron heeds.

    ``layers`` are the input, of 5x4x2 pixels, and what the layers emit: whole numbers.
    """
    drives, heeded, links = [], [], []
    for k, ((rows, columns), quanta) in enumerate(zip([(5, 4), (2, 2)], net.quanta, strict=True)):
        links.append(unrolled(net.signs[k], rows, columns, 1))
        sums, c_out = layers[k].ravel() @ links[k], len(quanta)
        chosen, h = [], []
        for y, x, c in np.ndindex(rows // 2, columns // 2, c_out):
            square = [((2 * y + a) * columns + 2 * x + b) * c_out + c for a in (0, 1) for b in (0, 1)]
            chosen.append(max(square, key=lambda place: sums[place]))
            unit = F(quanta[c] * QUANTUM / (1 if k else 255))
            h.append(unit * F(sums[chosen[-1]]) + net.biases[k][c])
        drives.append(np.array(h, F))
        heeded.append(chosen)
    drives.append(net.scales[0] * (layers[2].ravel() @ net.signs[2]).astype(F) + net.biases[2])
    sent = sum(
        links[1][:, place] * int(net.quanta[1][place % 2]) * u
        for place, u in zip(heeded[1], layers[2].ravel(), strict=True)
    )
    drives[0] = drives[0] + sent.astype(F) * F(QUANTUM)
    drives[1] = drives[1] + net.scales[0] * (net.signs[2] @ layers[3]).astype(F)
    return drives, heeded


def test_pools_and_channel_scales_are_followed_neuron_by_neuron() -> None:
    """Setting B, bit for bit: every step, and what the kernels are to learn of both phases."""
    net, x8, labels, seen = convolutional("B", 2, quanta=OWN_QUANTA), images(12, 40), np.arange(12) % 2, []
    free = net.settle_free(x8, seen)
    nudged = net.settle_nudged(free, labels, 2.0, seen)
    products = [np.zeros((40, 60)), np.zeros((12, 8))]
    for n, x in enumerate(x8):
        states = [np.ones(s[0].size, F) for s in free]
        for t, step in enumerate(seen):
            layers = [x.astype(np.int64), *((s >= F(0.5)).astype(np.int64) for s in states)]
            drives, heeded = looked_by_hand(net, layers)
            if t >= 6:
                drives[2] = drives[2] + F(2.0) * (one_hot(labels, 4, 2)[n] - free[-1][n])
            states = [np.clip(F(0.5) * s + F(0.5) * h, 0, 1) for s, h in zip(states, drives, strict=True)]
            assert all(np.array_equal(a[n].ravel(), b) for a, b in zip(step, states, strict=True))
            if t in (5, 9):
                emitted = [x.astype(np.int64), *((s >= F(0.5)).astype(np.int64) for s in states)]
                for k in (0, 1):
                    np.add.at(products[k].T, heeded[k], (1 if t == 9 else -1) * np.outer(emitted[k + 1], emitted[k]))
    assert len({step[k].tobytes() for step in seen for k in (0, 1)}) > 8
    found = net.contrast(free, nudged)
    assert all(np.any(g) for g in found)
    assert any(np.any(a != b) for a, b in zip(net.where_free, net.where_nudged, strict=True))
    for k, (rows, columns) in enumerate([(5, 4), (2, 2)]):
        assert np.array_equal(found[k], shared(net.signs[k], products[k], rows, columns))


def test_a_channel_learns_for_all_its_places() -> None:
    """Its bias as the sum over places; all scales together twice as much as one dense scale, whose rate is halved."""
    numbers = {"rate_scale": 0.1, "beta": 0.2}
    net, x8, labels = convolutional("A", **numbers), images(3, 40), np.array([1, 0, 1])
    twin, free = as_dense(net, "A", **numbers), net.settle_free(x8)
    twin.settle_free(x8)
    nudged = net.settle_nudged(free, labels, 0.2)
    before = [[a.copy() for a in part] for part in (net.quanta, net.biases, twin.scales, twin.biases)]
    net.update(free, nudged, 0.2)
    twin.update(flat(free), flat(nudged), 0.2)
    after = net.quanta, net.biases, twin.scales, twin.biases
    quanta, biases, scales, dense_biases = (
        [a - b for a, b in zip(*pair, strict=True)] for pair in zip(after, before, strict=True)
    )
    for k in (0, 1):
        assert np.abs(quanta[k]).min() > 100
        assert quanta[k].sum() * QUANTUM == pytest.approx(2 * scales[k], abs=3 * QUANTUM)
        np.testing.assert_allclose(biases[k], dense_biases[k].reshape(20, -1).sum(axis=0), atol=1e-6)
    assert net.scales[0] == pytest.approx(twin.scales[2], abs=1e-6)
    assert np.abs(scales[2]) > 1e-4
    np.testing.assert_allclose(biases[2], dense_biases[2], atol=1e-6)


def test_a_change_of_less_than_half_a_quantum_is_lost() -> None:
    net = convolutional("A", rate_scale=1e-7)
    old = [q.copy() for q in net.quanta]
    net.learn(images(3, 40), np.array([1, 0, 1]), 1)
    assert all(np.array_equal(a, b) for a, b in zip(net.quanta, old, strict=True))


def test_real_states_of_convolutional_networks_start_at_one_half() -> None:
    net = convolutional("A", free_steps=1)
    output = net.settle_free(images(1, 40))[-1][0]
    expected = net.scales[0] * 0.5 * net.signs[2].sum(axis=0) + net.biases[2]
    np.testing.assert_allclose(output, np.clip(expected, 0, 1), atol=1e-6)
    assert np.any((output > 0) & (output < 1))


def test_kernels_learn_from_where_their_momentum_starts() -> None:
    """M = m_0 + coefficient G, the input's over 255; a sign flips where -sign m >= tau."""
    shapes, rng = [(3, 3, 2, 3), (3, 3, 3, 2), (40, 4)], np.random.default_rng(8)
    momenta = [2e-3 * rng.normal(size=shape).astype(F) for shape in shapes]
    net, x8, labels = convolutional("A", momenta=momenta, tau=1e-3), images(3, 40), np.array([1, 0, 1])
    signs = [s.copy() for s in net.signs]
    free = net.settle_free(x8)
    products = net.contrast(free, net.settle_nudged(free, labels, 0.7))
    counts = net.learn(x8, labels, 1)
    for k, (start, g, sign) in enumerate(zip(momenta, products, signs, strict=True)):
        m = 0.99 * start.astype(np.float64) + 0.01 * g / (0.7 * 3) / (1 if k else 255)
        np.testing.assert_allclose(0.99 * net.flips[k].momentum, m, rtol=1e-5, atol=1e-8)
        assert np.array_equal(net.signs[k], np.where(-sign * m >= 1e-3, -sign, sign))
        assert 0 < counts[k] == (net.signs[k] != sign).sum() < sign.size


@pytest.mark.parametrize("make", [dense, convolutional])
def test_at_a_threshold_of_zero_untouched_dense_signs_stay_and_untouched_kernels_flip(make) -> None:
    net = make("B", tau=0.0, beta=1e-3)
    x8 = np.zeros((2, 40 if make is convolutional else SIZES[0]), np.uint8)
    before = net.signs[0].copy()
    net.learn(x8, np.array([0, 1]), 1)  # dark images: the first projection's gradient is 0
    assert np.array_equal(net.signs[0], -before if make is convolutional else before)


def test_a_momentum_that_starts_from_noise_decays_with_the_first_mini_batch() -> None:
    flips = Flips(np.ones(2), 0.5, 0.25, momentum=[-0.4, -0.6])
    assert flips.learn(np.zeros(2, F), 1.0) == 1
    assert flips.signs.tolist() == [1, -1]


@pytest.mark.parametrize("last", [9, 3])
def test_time_reversal_is_the_slope_of_the_loss(last: int) -> None:
    """By finite differences of weights and biases in the last steps alone."""
    sizes, rng = (5, 6, 4, 3), np.random.default_rng(3)
    weights = [rng.normal(0, 0.4, pair) for pair in pairwise(sizes)]
    biases, x, y = [rng.uniform(0, 0.4, n) for n in sizes[1:]], rng.random((4, 5)), np.eye(3)[[0, 2, 1, 1]]
    start = trajectory(weights, biases, x, 9 - last)[-1]

    def value() -> float:
        layers = start
        for _ in range(last):
            layers = [x, *(np.clip(h, 0, 1) for h in drives(weights, biases, layers))]
        return loss(layers[-1], y)

    found = gradient(weights, biases, x, y, steps=9, last=last)
    for arrays, slopes in zip((weights, biases), found, strict=True):
        for array, slope in zip(arrays, slopes, strict=True):
            for at in np.ndindex(array.shape):
                here, sides = array[at], []
                for bump in (1e-6, -1e-6):
                    array[at] = here + bump
                    sides.append(value())
                array[at] = here
                assert slope[at] == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-8)
    assert all(np.any(slopes) for slopes in found[0])
    assert any(np.any((s == 0) | (s == 1)) for s in start[1:])  # clip counts


def estimates(beta: float, sizes: tuple, *, lift: float = 0.0, error_passes: bool = False) -> list[tuple]:
    """Return (estimate, -dL/dW) of every projection for 64 digits; ``lift`` is added to the output's biases."""
    x8, labels = digits()
    signs, scales, biases = parameters(sizes, gain=0.7)
    scales, biases = [float(F(a)) for a in scales], [*biases[:-1], biases[-1] * F(0.2) + F(lift)]
    numbers = {"setting": "A", "free_steps": 200, "nudged_steps": 10}
    net = DenseStepping(signs, scales, biases, **{**rule(len(signs)), **numbers})
    free = net.settle_free(x8[:64])
    nudged = net.settle_nudged(free, labels[:64], beta)
    weights = [a * s.astype(np.float64) for a, s in zip(scales, signs, strict=True)]
    given = [b.astype(np.float64) for b in biases], x8[:64] / 255, np.eye(10)[labels[:64]]
    exact, _ = gradient(weights, *given, steps=200, last=10, error_passes=error_passes)
    found = [g / (beta * 64) / (1 if k else 255) for k, g in enumerate(net.contrast(free, nudged))]
    return list(zip(found, (-g for g in exact), strict=True))


def apart(found: np.ndarray, exact: np.ndarray) -> float:
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def degrees(found: np.ndarray, exact: np.ndarray) -> float:
    return float(np.degrees(np.arccos((found * exact).sum() / np.linalg.norm(found) / np.linalg.norm(exact))))


def agreeing_signs(found: np.ndarray, exact: np.ndarray) -> float:
    return float(np.mean(np.sign(found) == np.sign(exact)))


DEPTHS = [(64, 64, 10), (64, 64, 64, 10)]


@pytest.mark.parametrize("sizes", DEPTHS)
@pytest.mark.parametrize(
    ("lift", "passes"), [(0.5, False), (0.0, True)], ids=["outputs within their bounds", "an error that passes clip"]
)
def test_the_estimate_becomes_the_gradient_of_time_reversal_as_the_nudge(
    sizes: tuple, lift: float, passes: bool
) -> None:
    """Whatever hidden neurons stand at their bounds; outputs there are nudged although their own slope is 0."""
    found = [estimates(beta, sizes, lift=lift, error_passes=passes) for beta in (0.1, 0.05, 0.025)]
    for k in range(len(sizes) - 1):
        errors = [apart(*pairs[k]) for pairs in found]
        assert errors[-1] < 0.04
        assert np.polyfit(np.log([0.1, 0.05, 0.025]), np.log(errors), 1)[0] == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("sizes", DEPTHS)
def test_at_the_published_nudge_signs_and_angle_still_agree(sizes: tuple) -> None:
    within = estimates(0.3, sizes, lift=0.5)
    assert max(degrees(*pair) for pair in within) < 10
    assert min(agreeing_signs(*pair) for pair in within) > 0.95


@pytest.mark.parametrize("sizes", DEPTHS)
def test_outputs_at_their_bounds_learn_what_time_reversal_misses(sizes: tuple) -> None:
    """The nudge beside clip moves them; both still point the same way."""
    at_bounds = estimates(0.3, sizes)
    assert all(20 < degrees(*pair) < 75 for pair in at_bounds)
    assert min(agreeing_signs(*pair) for pair in at_bounds) > 0.5
