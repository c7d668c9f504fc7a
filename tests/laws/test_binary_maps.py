"""Convolutional binary networks by events against the slow twin that sums every tap at every step."""

from __future__ import annotations

import numpy as np
import pytest
from reference.binary_maps import QUANTUM, MapStepping

from eqspike.core.errors import DataError
from eqspike.core.ledger import PROJECTION_COUNTERS
from eqspike.kernels.binary_layout import EVENTS_BACKWARD, EVENTS_FORWARD
from eqspike.learning.binary_ep import BinaryEP
from eqspike.network.description import PooledKernel
from eqspike.network.layered import layered_binary
from eqspike.substrates.binary.settings import BinaryDynamics
from eqspike.substrates.binary.substrate import BinarySubstrate

pytestmark = pytest.mark.kernels

BATCH, CLASSES = 3, 3
ACTIVATIONS, BETAS = {"A": "real", "B": "binary"}, {"A": 0.4, "B": 2.0}
SHAPES = {
    "pools": {},
    "no pools": {"pool": "none"},
    "a dense layer, rows left over": {"image": (9, 8, 2), "dense": [7]},
    "more channels than a word": {"channels": (34,), "kernel": 5, "square": 3, "image": (10, 8, 1)},
}


def build(setting: str, *, image=(8, 6, 2), channels=(4, 3), kernel=3, square=2, pool="max", dense=(), **changed):
    """Return a small network of convolutions and dense layers on its substrate; settings by name in ``changed``."""
    hidden = [PooledKernel(channels=c, size=kernel, padding=1, pool_size=square, pool=pool) for c in channels]
    depth = len(hidden) + len(dense) + 1
    dynamics = {"free_steps": 8, "nudged_steps": 4, "stop": "rest"}
    dynamics |= {name: changed.pop(name) for name in list(changed) if name in dynamics}
    rates = {"low_passes": 1e-2, "flip_thresholds": 1e-4, "bias_rates": 0.02, "scale_rates": 1e-3}
    lists = {name: [rate] * depth for name, rate in rates.items()}
    rule = {"beta": BETAS[setting], "learn_scales": True, **lists, **changed}
    return BinarySubstrate(
        layered_binary(image, [*hidden, *dense], 2 * CLASSES, ACTIVATIONS[setting]),
        BinaryDynamics(activation=ACTIVATIONS[setting], **dynamics),
        BinaryEP(**rule),
        expand=2,
        batch=BATCH,
        seed=3,
    )


def twin_of(substrate: BinarySubstrate, setting: str) -> MapStepping:
    """Return the twin with the same signs, scales, biases and first momentum."""
    network, rule, moving = substrate.network, substrate.rule, substrate.dynamics
    (weights, biases), storage = substrate.get_weights(), substrate.storage
    values, kernel = list(weights.values()), network.projections[0].kernel
    n_maps = sum(projection.kernel is not None for projection in network.projections)
    first, momenta = storage.first_momentum(substrate.seed, rule.low_passes), []
    for index, array in enumerate(values):
        own = storage.accumulators(first, index).transpose(1, 0, 2)
        momenta.append(own.reshape(len(own), -1)[:, : array.shape[-1]].reshape(array.shape))
    return MapStepping(
        [np.sign(v) for v in values[:n_maps]],
        [np.rint(np.abs(v[0, 0, 0]) / QUANTUM) for v in values[:n_maps]],
        [np.sign(v) for v in values[n_maps:]],
        [np.abs(v.flat[0]) for v in values[n_maps:]],
        list(biases.values()),
        setting=setting, image_shape=network.layers[0].shape, padding=kernel.padding, pool=kernel.square,
        free_steps=moving.free_steps, nudged_steps=moving.nudged_steps, beta=rule.beta, gamma=rule.low_passes,
        tau=rule.flip_thresholds, rate_bias=rule.bias_rates, rate_scale=rule.scale_rates, momenta=momenta, expand=2,
    )  # fmt: skip


def samples(substrate: BinarySubstrate, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, pixels) in [0, 1], a third of whose pixels are dark, and labels."""
    rng = np.random.default_rng(batch)
    x8 = rng.integers(0, 256, (BATCH, substrate.network.layers[0].size)) * (
        rng.random((BATCH, substrate.network.layers[0].size)) > 0.3
    )
    return x8 / 255, rng.integers(0, CLASSES, BATCH)


def presented(substrate: BinarySubstrate, images: np.ndarray, labels: np.ndarray, beta: float):
    """Return what the phases of ``images`` end with."""
    phases, x8 = substrate._phases, np.rint(images * 255).astype(np.uint8)
    ends = phases.new_ends(len(x8))
    phases.present(
        substrate.weights, substrate.counts, ends, x8, substrate._targets(labels), beta, substrate.dynamics.nudged_steps
    )
    return ends


def flat(parts: list) -> np.ndarray:
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


def learn_one(substrate: BinarySubstrate, batch: int) -> int:
    """Learn from one mini-batch; return the sign of its nudge."""
    images, labels = samples(substrate, batch)
    before = substrate.rule
    sign = 1 if batch % 2 else -1
    substrate._learn(np.rint(images * 255).astype(np.uint8), labels, sign * before.beta, 1.0)
    return sign


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("setting", ["A", "B"])
def test_states_and_places_in_pools_are_the_twins(setting: str, shape: str) -> None:
    """In setting B bit for bit, after some learning too; real ones to 1e-5."""
    substrate = build(setting, **SHAPES[shape])
    twin, tolerance, moved = twin_of(substrate, setting), {"A": 1e-5, "B": 0}[setting], 0
    for batch in range(3):
        images, labels = samples(substrate, batch)
        beta = (1 if batch % 2 else -1) * substrate.rule.beta
        ends = presented(substrate, images, labels, beta)
        free = twin.settle_free(np.rint(images * 255))
        nudged = twin.settle_nudged(free, labels, beta)
        np.testing.assert_allclose(ends.output, free[-1], rtol=0, atol=tolerance)
        for turn, (states, where) in enumerate([(free, twin.where_free), (nudged, twin.where_nudged)]):
            np.testing.assert_allclose(ends.emitted[turn], flat(twin.emitted(states)), rtol=0, atol=tolerance)
            places = flat(where)
            assert np.array_equal(ends.where[turn][:, : places.shape[1]], places)
        moved += int((ends.emitted[0] != ends.emitted[1]).any())
        learn_one(substrate, batch)
        twin.update(free, nudged, beta)
    assert moved > 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("setting", ["A", "B"])
def test_signs_scales_and_biases_learn_as_the_twins(setting: str, shape: str) -> None:
    substrate = build(setting, **SHAPES[shape])
    twin, first = twin_of(substrate, setting), substrate.get_weights()[0]
    for batch in range(3):
        sign = learn_one(substrate, batch)
        images, labels = samples(substrate, batch)
        twin.learn(np.rint(images * 255), labels, sign)
    weights, biases = substrate.get_weights()
    flips = 0
    for index, (name, values) in enumerate(weights.items()):
        assert np.array_equal(np.sign(values), twin.signs[index])
        np.testing.assert_allclose(np.abs(values).reshape(-1, values.shape[-1])[0], twin._scale(index), rtol=1e-5)
        flips += int((np.sign(values) != np.sign(first[name])).sum())
    assert flips > 0
    assert any(np.abs(values).max() != np.abs(first[name]).max() for name, values in weights.items())
    for values, expected in zip(biases.values(), twin.biases, strict=True):
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("setting", ["A", "B"])
def test_a_phase_that_ends_at_rest_has_the_states_of_the_whole_schedule(setting: str) -> None:
    runs = [build(setting, free_steps=80, nudged_steps=60, stop=stop) for stop in ("rest", "schedule")]
    images, labels = samples(runs[0], 1)
    early, late = (presented(run, images, labels, 0.4) for run in runs)
    for name, values in early._asdict().items():
        assert np.array_equal(values, getattr(late, name)), name
    assert runs[0].counts.run[0, 0] < runs[1].counts.run[0, 0] == 80 * BATCH
    assert np.array_equal(runs[0].counts.projections, runs[1].counts.projections)  # nothing happens after rest


def taps(shape: tuple[int, ...], kernel: np.ndarray, pool: int, layer: tuple[int, ...]) -> np.ndarray:
    """Return how many synapses join each place below with each sum that a pool reads, (below, sums); padding 1."""
    (rows, columns), k = shape[:2], len(kernel)
    down, across = layer[0] * pool, layer[1] * pool
    joined = np.zeros((rows * columns, down * across), int)
    for v, u, a, b in np.ndindex(down, across, k, k):
        y, x = v + a - 1, u + b - 1
        if 0 <= y < rows and 0 <= x < columns:
            joined[y * columns + x, v * across + u] += 1
    return joined


@pytest.mark.parametrize("setting", ["A", "B"])
def test_events_are_those_of_a_recount_by_every_synapse(setting: str) -> None:
    """From the twin's states step by step: what changed, and what stands elsewhere in its pool, at every tap."""
    substrate = build(setting, channels=(4, 3), image=(9, 8, 2), stop="schedule")
    twin, (images, labels) = twin_of(substrate, setting), samples(substrate, 1)
    images, labels = images[:1], labels[:1]
    presented(substrate, images, labels, 0.4)
    network, seen = substrate.network, []
    below, above, output = (layer.shape for layer in network.layers[1:])
    joined = taps(below, twin.signs[1], 2, above)
    twin.settle_nudged(twin.settle_free(np.rint(images * 255), seen), labels, 0.4, seen)
    start = twin._start(1)
    history = [twin.emitted(states) for states in [start, *seen]]
    places = [twin._look(states).where[1][0] for states in history]
    old = [np.zeros_like(part) for part in history[0]], places[0]
    up = down = up_last = down_last = spikes = 0
    for step, (states, where) in enumerate(zip(history, places, strict=True)):
        changed = (states[0] != old[0][0])[0].reshape(-1, below[2]).sum(axis=1)
        up += int((changed @ joined).sum()) * above[2]
        for y, x, c in np.ndindex(above):
            before, now = old[0][1][0, y, x, c], states[1][0, y, x, c]
            if where[y, x, c] == old[1][y, x, c]:
                sent = [(where[y, x, c], now != before)]
            else:
                sent = [(old[1][y, x, c], before != 0), (where[y, x, c], now != 0)]
            for at, is_sent in sent:
                v, u = y * 2 + at // 2, x * 2 + at % 2
                down += int(is_sent) * int(joined[:, v * above[1] * 2 + u].sum()) * below[2]
        up_last += int((states[1] != old[0][1]).sum()) * output[0]
        down_last += int((states[2] != old[0][2]).sum()) * int(np.prod(above))
        spikes += sum(int((a != b).sum()) for a, b in zip(states, old[0], strict=True))
        old = states, where
        assert step > 0 or up > 0
    counted = substrate.counts.projections[:2].sum(axis=0)
    assert counted[1, [EVENTS_FORWARD, EVENTS_BACKWARD]].tolist() == [up, down]
    assert counted[2, [EVENTS_FORWARD, EVENTS_BACKWARD]].tolist() == [up_last, down_last]
    lit = np.count_nonzero(images[0].reshape(9, 8, 2), axis=2).ravel()
    from_pixels = int((lit @ taps((9, 8), twin.signs[0], 2, below)).sum()) * below[2]
    assert counted[0, [EVENTS_FORWARD, EVENTS_BACKWARD]].tolist() == [from_pixels, 0]
    assert substrate.counts.layers[:2, :, 0].sum() == (spikes if setting == "B" else 0)
    assert substrate.ledger().total("free", "macs") == 0


@pytest.mark.parametrize("setting", ["A", "B"])
def test_accumulators_are_written_where_one_samples_contrast_is_not_zero(setting: str) -> None:
    substrate = build(setting, beta=2.0)
    images, labels = samples(substrate, 1)
    column, expected = PROJECTION_COUNTERS.index("accumulator_writes"), np.zeros(3, int)
    for image, label in zip(images, labels, strict=True):
        twin = twin_of(substrate, setting)
        free = twin.settle_free(np.rint(image[None] * 255))
        products = twin.contrast(free, twin.settle_nudged(free, label[None], 2.0))
        expected += [int((np.abs(g) > 1e-4).sum()) for g in products]
    learn_one(substrate, 1)
    found = substrate.counts.projections[1, :3, column]
    if setting == "B":
        assert found.tolist() == expected.tolist()
    else:  # a term that rounds to nothing in the twin is one here
        assert np.all(found >= expected)
        assert np.all(found <= [substrate.network.stored(p)[-1] * 9 * 4 * BATCH for p in substrate.network.projections])


@pytest.mark.parametrize("setting", ["A", "B"])
def test_training_goes_on_bit_for_bit_where_it_stopped(setting: str) -> None:
    whole, half, rest = (build(setting, dense=[5]) for _ in range(3))
    for batch in range(4):
        learn_one(whole, batch)
        if batch < 2:
            learn_one(half, batch)
    rest.set_weights(*half.get_weights())
    rest.set_training_state(half.training_state())
    rest.set_counts(half.ledger(), half.spikes_per_neuron())
    for batch in (2, 3):
        learn_one(rest, batch)
    for part, expected in zip(
        (*rest.get_weights(), rest.training_state()), (*whole.get_weights(), whole.training_state()), strict=True
    ):
        assert all(np.array_equal(values, expected[name]) for name, values in part.items())
    assert rest.ledger().to_dict() == whole.ledger().to_dict()
    for name, values in rest.spikes_per_neuron().items():
        assert np.array_equal(values, whole.spikes_per_neuron()[name])


def test_answers_do_not_depend_on_threads_and_are_the_twins() -> None:
    substrate = build("B", channels=(34,))
    images = np.concatenate([samples(substrate, batch)[0] for batch in range(30)])
    twin = twin_of(substrate, "B")
    expected = twin.answers(twin.settle_free(np.rint(images * 255)))
    assert len(np.unique(expected)) > 1
    assert np.array_equal(substrate.infer(images, threads=1), expected)
    assert np.array_equal(substrate.infer(images, threads=2), expected)


def test_a_scale_stays_above_zero_and_each_time_it_is_held_counts_as_a_saturation() -> None:
    substrate = build("A", scale_rates=[1e9] * 3)
    column = PROJECTION_COUNTERS.index("saturations")
    learn_one(substrate, 0)
    moduli = [np.abs(values).reshape(-1, values.shape[-1])[0] for values in substrate.get_weights()[0].values()]
    least, most = QUANTUM, (2**31 - 1) // (9 * np.array([4, 3])) * QUANTUM
    held = [int(((m == least) | np.isclose(m, top)).sum()) for m, top in zip(moduli, most, strict=False)]
    assert substrate.counts.projections[1, :2, column].tolist() == held
    assert all(m.min() >= least for m in moduli)
    assert min(m.min() for m in moduli[:2]) == least


def test_weights_set_are_weights_got_and_a_channel_has_one_modulus() -> None:
    first, second = build("B", dense=[5]), build("B", dense=[5])
    learn_one(first, 0)
    weights, biases = first.get_weights()
    second.set_weights(weights, biases)
    assert all(np.array_equal(values, weights[name]) for name, values in second.get_weights()[0].items())
    assert np.array_equal(second.weights.bits, first.weights.bits)
    for name, place in (("input->hidden1", (0, 0, 1, 2)), ("hidden3->output", (1, 2))):
        broken = {name: weights[name].copy()}
        broken[name][place] *= 2
        with pytest.raises(DataError, match="one scale"):
            second.set_weights(broken, {})
