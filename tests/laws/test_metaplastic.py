"""Laws of metaplastic hidden weights: plain Adam without m, resistance with it, signs kept, and a NumPy twin."""

from __future__ import annotations

import numpy as np
import optax
import pytest

from eqspike.energies import feedforward as functions
from eqspike.energies.backend import jax, jnp
from eqspike.learning.backprop import Backpropagation
from eqspike.learning.metaplastic import Metaplastic
from eqspike.training.api import resolve
from tests.reference.metaplastic import Twin

PIXELS, CLASSES, BATCH = 12, 4, 16


def made(weights="binary", rule=None, **network):
    """Return a small substrate."""
    changes = {"name": "small", "substrate": "feedforward", "training": {"batch": BATCH}}
    network = {"hidden": [7, 5], "weights": weights, "initial_range": 0.3, **network}
    spec = resolve(changes | {"network": network, "rule": rule or {"name": "metaplastic"}})
    return spec.build_substrate(spec.build_network((PIXELS,), CLASSES), (PIXELS,))


def samples(n, seed=0):
    """Return images of which some pixels are zero, and labels."""
    rng = np.random.default_rng(seed)
    images = rng.random((n, PIXELS)) * (rng.random((n, PIXELS)) > 0.3)
    return images.astype(np.float32), rng.integers(0, CLASSES, n)


def twin_of(substrate, **settings):
    """Return the twin of an untrained substrate, both with gains of at least 1/2 and shifts that are not zero.

    A neuron that is the same for all samples gets a gradient that normalisation makes zero but for rounding, which Adam
    turns into steps of full size, and sums of whole numbers can be zero but for rounding: no twin could follow.
    """
    shifts = np.random.default_rng(1).normal(0, 0.1, 16)
    substrate.set_weights({}, {layer.name: shifts[: layer.size] for layer in substrate.network.layers[1:]})
    state = substrate.training_state()
    substrate.set_training_state(state | {k: 0.5 + 0.5 * v for k, v in state.items() if k.startswith("gain.")})
    theta = substrate.learner.theta
    gains = [np.array(values, float) for values in theta.get("gains", ())]
    weights, biases = (list(found.values()) for found in substrate.get_weights())
    return Twin(substrate.form.weights, weights, biases, gains, **settings)


def learn(substrate, images, labels):
    return substrate.train(images, labels, np.arange(len(images)), 0, len(images), scale=1.0, offset=0)


def steps_of(m, seeds=range(20), decay=0.01, rate=0.05, start=None):
    """Return weights after each of some steps with random gradients."""
    rng, step = np.random.default_rng(3), jax.jit(functions.metaplastic_step, static_argnums=7)
    weights = jnp.asarray(rng.normal(0, 1, (6, 5)) if start is None else start, jnp.float32)
    first = second = jnp.zeros_like(weights)
    found = [weights]
    for count in seeds:
        gradient = jnp.asarray(rng.normal(0, 1, weights.shape), jnp.float32)
        counted = jnp.int32(count + 1)
        weights, first, second = step(weights, gradient, first, second, counted, jnp.float32(rate), m, decay)
        found.append(weights)
    return np.array(found)


def test_without_m_it_is_plain_adam() -> None:
    ours = steps_of(0.0)
    rng = np.random.default_rng(3)
    weights = jnp.asarray(rng.normal(0, 1, (6, 5)), jnp.float32)
    adam = optax.chain(optax.add_decayed_weights(0.01), optax.adam(0.05))
    memory, update = adam.init(weights), jax.jit(adam.update)
    for step in range(20):
        gradient = jnp.asarray(rng.normal(0, 1, weights.shape), jnp.float32)
        updates, memory = update(gradient, memory, weights)
        weights = optax.apply_updates(weights, updates)
        np.testing.assert_allclose(ours[step + 1], weights, rtol=2e-5, atol=1e-6)


def test_m_damps_steps_towards_zero_alone_and_by_the_formula() -> None:
    start = np.random.default_rng(5).normal(0, 1, (6, 5))
    plain, resisting = (steps_of(m, range(1), start=start)[1] - start for m in (0.0, 1.2))
    towards = np.sign(plain) == -np.sign(start)
    assert 0 < towards.sum() < towards.size
    np.testing.assert_allclose(resisting[~towards], plain[~towards], atol=1e-7)
    factor = 1 - np.tanh(1.2 * np.abs(start[towards])) ** 2
    np.testing.assert_allclose(resisting[towards], factor * plain[towards], atol=3e-7)


def test_a_large_m_freezes_the_signs_of_grown_weights() -> None:
    start = np.random.default_rng(5).normal(0, 1, (6, 5))
    start = np.where(np.abs(start) < 0.3, 0.3, start)
    rates = {"rate": 0.3, "decay": 0.0, "start": start}
    frozen, plain = (steps_of(m, range(60), **rates)[-1] for m in (50.0, 0.0))
    assert (np.sign(plain) != np.sign(start)).any()
    assert np.array_equal(np.sign(frozen), np.sign(start))
    assert (np.abs(frozen) >= np.abs(start) - 1e-6).all()


def test_the_rule_backprop_is_the_metaplastic_one_without_m() -> None:
    images, labels = samples(32)
    found = []
    for rule in ({"name": "metaplastic", "m": 0.0, "weight_decay": 0.0}, {"name": "backprop", "learning_rate": 0.005}):
        substrate = made(rule=rule)
        learn(substrate, images, labels)
        found.append(substrate.get_weights()[0]["hidden1->hidden2"])
    assert np.array_equal(*found)
    assert Metaplastic(m=[1.0, 2.0]).strengths(2) == (1.0, 2.0) and Backpropagation().strengths(3) == (0.0,) * 3


TWINS = {"binary": [0.9, 0.0, 2.0], "quantised": [0.0] * 3, "real": [0.5] * 3}


@pytest.mark.parametrize("kind", TWINS)
def test_a_twin_in_numpy_learns_the_same(kind: str) -> None:
    rule = {"name": "metaplastic", "m": TWINS[kind], "learning_rate": 0.01, "weight_decay": 1e-3}
    substrate = made(kind, rule, statistics="running", activation_range=1.5, weight_bits=4)
    twin = twin_of(substrate, rate=0.01, decay=1e-3, m=TWINS[kind], bits=4, limit=1.5)
    images, labels = samples(10 * BATCH)
    for at in range(0, len(images), BATCH):
        part = slice(at, at + BATCH)
        answers = learn(substrate, images[part], labels[part])
        assert np.array_equal(answers, twin.answers(images[part].astype(float)))
        twin.learn(images[part].astype(float), labels[part])
    weights, shifts = substrate.get_weights()
    for found, expected in zip([*weights.values(), *shifts.values()], twin.weights + twin.shifts, strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-5)
    moments = twin.running if kind != "quantised" else None
    for kept, expected in zip(substrate.learner.moments, twin.running, strict=kind != "quantised"):
        np.testing.assert_allclose(np.array(kept), expected, rtol=1e-4, atol=1e-6)
    assert np.array_equal(substrate.infer(images), twin.answers(images.astype(float), moments))
    _same_counts(substrate, twin, kind)


def _same_counts(substrate, twin, kind) -> None:
    ledger, counted = substrate.ledger(), "synaptic_events" if kind == "binary" else "macs"
    assert ledger.total("free", counted) == twin.counts["forward"]
    assert ledger.total("nudged", counted) == twin.counts["backward"]
    assert ledger.total("nudged", "accumulator_writes") == twin.counts["terms"]
    projections = ledger.phases["nudged"].projections
    assert projections[:3, ledger_column("weight_writes")].sum() == twin.counts["written"] > 0
    assert ledger.total("nudged", "weight_flips") == (twin.counts["written"] if kind == "binary" else 0)
    assert ledger.total("free", "synaptic_events" if kind != "binary" else "macs") == 0


def ledger_column(counter: str) -> int:
    from eqspike.core.ledger import PROJECTION_COUNTERS

    return PROJECTION_COUNTERS.index(counter)


def test_a_flip_is_a_changed_sign_and_nothing_else() -> None:
    images, labels = samples(5 * BATCH)
    substrate = made(rule={"name": "metaplastic", "learning_rate": 0.05, "m": 0.0})
    flipped = 0
    for at in range(0, len(images), BATCH):
        before = substrate.get_weights()[0]
        learn(substrate, images[at : at + BATCH], labels[at : at + BATCH])
        after = substrate.get_weights()[0]
        flipped += sum(int(((before[name] >= 0) != (after[name] >= 0)).sum()) for name in before)
        assert substrate.ledger().total("nudged", "weight_flips") == flipped
    assert flipped > 0
    assert substrate.diagnostics() == {
        "bits_per_weight": 1.0,
        "weight_flips_per_training_sample": flipped / len(images),
    }


def test_a_hidden_weight_of_zero_acts_as_plus_one() -> None:
    images, _ = samples(BATCH)
    zero, one = made(), made()
    for substrate, value in ((zero, 0.0), (one, 1.0)):
        weights = substrate.get_weights()[0]
        weights["input->hidden1"][::2] = value
        substrate.set_weights(weights, {})
    passes = [outputs(substrate, images) for substrate in (zero, one)]
    assert np.array_equal(*passes) and np.ptp(passes[0]) > 0


def outputs(substrate, images):
    """Return the drives of the outputs."""
    learner, form = substrate.learner, substrate.form

    @jax.jit
    def passed(theta, x):
        act = theta | {"weights": tuple(functions.acting(form, w) for w in theta["weights"])}
        return functions.forward(form, act, x, jnp.ones(len(x), bool), learner.moments).outputs

    return np.array(passed(learner.theta, jnp.asarray(images)))


def test_statistics_of_the_mini_batch_depend_on_company_and_running_ones_do_not() -> None:
    images, labels = samples(4 * BATCH)
    drives = {}
    for statistics in ("batch", "running"):
        substrate = made(statistics=statistics)
        learn(substrate, images, labels)
        drives[statistics] = [
            outputs(substrate, x)[0] for x in (images[:BATCH], images[[0, *range(BATCH, 2 * BATCH - 1)]])
        ]
    assert not np.allclose(*drives["batch"], atol=1e-3)
    assert np.allclose(*drives["running"], atol=1e-5)


def test_samples_that_fill_a_broken_mini_batch_change_nothing() -> None:
    images, labels = samples(5)
    substrate = made()
    twin = twin_of(substrate, rate=0.005, decay=1e-7, m=[1.5] * 3)
    answers = learn(substrate, images, labels)
    assert np.array_equal(answers, twin.answers(images.astype(float)))
    twin.learn(images.astype(float), labels)
    for found, expected in zip(substrate.get_weights()[0].values(), twin.weights, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.array_equal(substrate.infer(images), twin.answers(images.astype(float)))
    assert substrate.ledger().phases["nudged"].presentations == 5


@pytest.mark.parametrize("statistics", ["batch", "running"])
def test_a_finished_task_is_answered_with_its_own_normalisation(statistics: str) -> None:
    images, labels = samples(8 * BATCH)
    substrate = made(statistics=statistics, rule={"name": "metaplastic", "learning_rate": 0.0})
    substrate.begin_task(0)
    learn(substrate, images[: 4 * BATCH], labels[: 4 * BATCH])
    substrate.set_weights({}, {"output": np.array([1.0, 0, 0, 0])})
    answers = substrate.infer(images)
    substrate.begin_task(1)
    assert np.array_equal(substrate.infer(images), answers), "a new task goes on from the one before"
    substrate.set_weights({}, {"output": np.array([0, 0, 9.0, 0])})
    learn(substrate, images[4 * BATCH :], labels[4 * BATCH :])
    for task, expected in ((0, answers), (1, np.full(len(images), 2)), (2, np.full(len(images), 2))):
        substrate.face_task(task)
        assert np.array_equal(substrate.infer(images), expected)


def test_a_new_task_begins_with_a_new_optimiser_but_a_stream_goes_on() -> None:
    images, labels = samples(4 * BATCH)
    for separate in (True, False):
        substrate = made()
        substrate.separate_tasks = separate
        substrate.begin_task(0)
        learn(substrate, images, labels)
        weights, memory = substrate.get_weights()[0], jax.tree.leaves(substrate.learner.first)
        assert int(substrate.learner.count) == 4
        substrate.begin_task(1)
        assert (int(substrate.learner.count) == 0) == separate == (len(substrate.past) == 1)
        assert all(np.array_equal(substrate.get_weights()[0][name], weights[name]) for name in weights)
        kept = jax.tree.leaves(substrate.learner.first)
        assert all(np.any(now) != separate for now in kept) and all(np.any(then) for then in memory)
