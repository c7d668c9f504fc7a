"""The Hopfield substrate as an object: what it refuses, hands out and takes back, and what it does not learn from."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError, DataError
from eqspike.energies.images import augment
from eqspike.learning.contrastive import ContrastiveRule
from eqspike.network.layered import layered_rate
from eqspike.substrates.hopfield.settings import Dynamics, Images, Optimiser
from eqspike.substrates.hopfield.substrate import HopfieldSubstrate

SHAPE, CLASSES, BATCH = (4, 4), 3, 4
RULE = ContrastiveRule(beta=0.5, nudging="centered")


def build(rule=RULE, *, images=None, softmax=False, tied=True, sigma="sigmoid", optimiser=None, dynamics=None, **settings):  # fmt: skip # noqa: E501
    network = layered_rate(SHAPE, [5], CLASSES, (sigma, sigma), softmax=softmax, tied=tied)
    return HopfieldSubstrate(
        network, dynamics or Dynamics(free_steps=8, nudged_steps=4), rule,
        optimiser or Optimiser(learning_rates=[0.2, 0.2]), images or Images(),
        image_shape=SHAPE, batch=BATCH, **settings,
    )  # fmt: skip


def samples(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    return rng.random((n, 16)).astype(np.float32), rng.integers(0, CLASSES, n)


def train(made, images, labels, *, scale=1.0, offset=0) -> np.ndarray:
    n = len(images)
    return made.train(images, labels, np.arange(n), 0, n, scale=scale, offset=offset)


def all_of(made) -> dict[str, np.ndarray]:
    weights, biases = made.get_weights()
    return weights | biases


def same(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(
    ("images", "shape", "field", "said"),
    [
        (Images(flip=True), (16,), "images", "no images"),
        (Images(size=3), (4, 4), "images.size", "cannot be padded to less"),
        (Images(mean=[0.5, 0.5], std=[1, 1]), (4, 4), "images.mean", "1 channels"),
        (Images(mean=[0.5], std=[1]), (4, 4, 3), "images.mean", "3 channels"),
    ],
)
def test_images_that_do_not_fit_are_refused(images, shape, field: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        HopfieldSubstrate(
            layered_rate(shape, [2], 2, ("tanh", "tanh")), Dynamics(), RULE,
            Optimiser(learning_rates=[0.1, 0.1]), images, image_shape=shape,
        )  # fmt: skip
    assert error.value.field == field


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        (Images, {"mean": [0.5]}, "one value for each channel"),
        (Images, {"mean": [0.5], "std": [0.0]}, "std must be positive"),
        (Optimiser, {"learning_rates": []}, "at least 1"),
        (Optimiser, {"learning_rates": [-0.1]}, "not be negative"),
        (Optimiser, {"learning_rates": [0.1], "name": "adam", "momentum": 0.5}, "no momentum"),
        (Dynamics, {"kind": "real-time", "update": "asynchronous"}, "all layers at once"),
        (Dynamics, {"early_stop": True}, "tolerance above 0"),
        (Dynamics, {"persistent": "layer"}, "sample"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(kind, settings: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        kind.parse(settings)


def test_samples_that_do_not_fit_are_refused() -> None:
    made, images = build(), samples(4)[0]
    with pytest.raises(DataError, match="takes \\(n, 16\\)") as error:
        made.infer(images[:, 1:])
    assert error.value.field == "images"
    for wrong in (CLASSES, -1):
        with pytest.raises(DataError, match="no class") as error:
            train(made, images, np.full(4, wrong))
        assert error.value.field == "labels"


@pytest.mark.parametrize("softmax", [False, True])
def test_weights_come_back_as_set_and_are_copies(softmax: bool) -> None:
    made, rng = build(softmax=softmax), np.random.default_rng(1)
    weights, biases = (
        {name: rng.normal(size=values.shape).astype(np.float32) for name, values in group.items()}
        for group in made.get_weights()
    )
    assert set(weights) == {"input->hidden", "hidden->output"} and set(biases) == {"hidden", "output"}
    made.set_weights(weights, biases)
    kept = {name: values.copy() for name, values in (weights | biases).items()}
    for values in (*weights.values(), *biases.values(), *all_of(made).values()):
        values[:] = 0
    assert same(all_of(made), kept)
    made.set_weights({}, {"output": np.ones(CLASSES)})
    assert same(all_of(made), kept | {"output": np.ones(CLASSES, np.float32)})


@pytest.mark.parametrize(
    ("weights", "biases", "field"),
    [({"input->hidden": np.zeros((5, 16))}, {}, "input->hidden"), ({"a->b": np.zeros(1)}, {}, "a->b"),
     ({}, {"hidden": np.zeros(6)}, "hidden"), ({}, {"input": np.zeros(16)}, "input")],
)  # fmt: skip
def test_weights_of_the_wrong_shape_or_name_are_refused(weights, biases, field: str) -> None:
    with pytest.raises(DataError) as error:
        build().set_weights(weights, biases)
    assert error.value.field == field


def test_a_training_state_that_does_not_fit_is_refused() -> None:
    made = build(tied=False)
    state = made.training_state()
    with pytest.raises(ValueError, match=r"backward\.0"):
        made.set_training_state({name: values for name, values in state.items() if not name.startswith("backward")})
    with pytest.raises(ValueError, match="another size"):
        made.set_training_state(state | {"backward.0": np.zeros(3)})


def test_answers_do_not_depend_on_how_images_are_handed_over() -> None:
    """Samples that stop at different steps; 201 are more than are settled together."""
    dynamics = Dynamics(free_steps=60, tolerance=1e-4, early_stop=True)
    made, images = build(dynamics=dynamics), samples(201)[0]
    images[::3] *= 3
    whole, ledger = made.infer(images), made.ledger().to_dict()
    made.clear_counts("inference")
    parts = [made.infer(part) for part in np.split(images, [1, 4, 77])]
    assert np.array_equal(np.concatenate(parts), whole)
    assert made.ledger().to_dict() == ledger
    assert made.infer(images[:0]).size == 0
    made.infer(images, counted=False)
    assert made.ledger().to_dict() == ledger


def test_samples_that_do_not_settle_are_counted_and_not_learnt_from() -> None:
    """Bright images drive two inhibiting units to and fro; dark ones let them rest."""
    made = build(dynamics=Dynamics(free_steps=30, nudged_steps=4, tolerance=1e-3))
    weights, biases = ({name: 0 * v for name, v in group.items()} for group in made.get_weights())
    weights["input->hidden"][:] = 3 / 16
    weights["hidden->output"][:] = -9 / 5
    biases["output"][:] = 1
    made.set_weights(weights, biases)
    before, labels = all_of(made), np.array([0, 1, 2, 0])
    bright = np.ones((4, 16), np.float32)
    train(made, bright, labels)
    assert made.unsettled == {"free": 4, "nudged": 0, "inference": 0}
    assert same(all_of(made), before)
    mixed = bright * np.array([1, 0, 1, 0], np.float32)[:, None]
    train(made, mixed, labels)
    assert made.unsettled["free"] == 6
    learnt = all_of(made)
    made.set_weights(weights, biases)
    train(made, mixed[[1, 3, 3, 1]], labels[[1, 3, 3, 1]])
    assert not np.array_equal(learnt["output"], before["output"])
    for name, values in all_of(made).items():
        np.testing.assert_allclose(learnt[name], values, rtol=1e-6, atol=1e-7)
    made.infer(mixed)
    assert made.unsettled["inference"] == 2
    made.clear_counts("free")
    assert made.unsettled == {"free": 0, "nudged": 0, "inference": 2}


def test_persistent_states_start_where_they_ended() -> None:
    """Without learning, two epochs of 3 steps are one of 6: of the mini-batch, or of each sample wherever it comes."""
    images, labels = samples(8)

    def made(persistent: str, steps: int) -> HopfieldSubstrate:
        dynamics = Dynamics(free_steps=steps, nudged_steps=1, persistent=persistent)
        return build(dynamics=dynamics, optimiser=Optimiser(learning_rates=[0, 0]), precision=64)

    wanted = []
    for half in (slice(0, 4), slice(4, 8)):
        longer = made("batch", 6)
        train(longer, images[half], labels[half])
        wanted.append([np.asarray(s) for s in longer.learner.last])
    by_batch = made("batch", 3)
    for _ in range(2):
        train(by_batch, images[:4], labels[:4])
    for found, expected in zip(by_batch.learner.last, wanted[0], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    by_sample = made("sample", 3)
    for order in (np.arange(8), np.array([7, 0, 5, 2, 1, 6, 3, 4])):
        by_sample.train(images, labels, order, 0, 8, scale=1.0, offset=0)
    for found, *expected in zip(by_sample.kept, *wanted, strict=True):
        np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-12)


def test_samples_that_run_away_do_not_reach_the_weights() -> None:
    made = build(sigma="identity", dynamics=Dynamics(free_steps=400, nudged_steps=4, tolerance=1e-3))
    weights, biases = ({name: 0 * v for name, v in group.items()} for group in made.get_weights())
    weights["input->hidden"][:], weights["hidden->output"][:] = 1, 3
    made.set_weights(weights, biases)
    images, before = np.zeros((4, 16), np.float32), all_of(made)
    images[0] = 1
    train(made, images, np.array([0, 1, 2, 0]))
    assert made.unsettled["free"] == 1
    assert all(np.isfinite(values).all() for values in all_of(made).values())
    assert np.array_equal(all_of(made)["input->hidden"], before["input->hidden"]), "dark images move no such weight"


def test_scale_multiplies_every_rate_and_rates_are_the_projections_own() -> None:
    moved = {}
    for rates, scale in (((0.25, 0.5), 1.0), ((0.5, 0.0), 0.5)):
        made = build(optimiser=Optimiser(learning_rates=list(rates)), precision=64)
        before = all_of(made)
        train(made, *(values[:4] for values in samples(4)), scale=scale)
        moved[rates] = {name: values - before[name] for name, values in all_of(made).items()}
    first, second = moved.values()
    for name, change in first.items():
        assert np.any(change)
        held = name in ("hidden->output", "output")
        np.testing.assert_allclose(second[name], 0 if held else change, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("feedback", ["kolen-pollack", "vector-field"])
def test_kolen_pollack_changes_both_ways_alike(feedback: str) -> None:
    rule = ContrastiveRule(beta=0.5, nudging="centered", feedback=feedback)
    made = build(rule, tied=False, feedback_angle_degrees=70.0, precision=64)

    def apart() -> np.ndarray:
        name = "hidden->output"
        return made.get_weights()[0][name] - np.asarray(made.theta["backward"][name])

    before = apart()
    train(made, *samples(8))
    assert np.abs(before).max() > 0.1
    assert (np.abs(apart() - before).max() < 1e-14) == (feedback == "kolen-pollack")


def test_augmentation_varies_training_and_leaves_inference_alone() -> None:
    plain, varied = build(), build(images=Images(crop_padding=1, fill="zero", flip=True))
    images, labels = samples(4)
    assert np.array_equal(plain.infer(images), varied.infer(images))
    assert plain.ledger().to_dict() == varied.ledger().to_dict()
    keys = np.arange(20, 24, dtype=np.uint32)
    by_hand = augment(images.reshape(4, 4, 4, 1), keys, 1, pad=1, fill="zero", flip=True)
    train(varied, images, labels, offset=20)
    train(plain, np.asarray(by_hand).reshape(4, 16), labels)
    assert same(all_of(plain), all_of(varied))
    again = build(images=Images(crop_padding=1, fill="zero", flip=True))
    train(again, images, labels, offset=24)
    assert not same(all_of(again), all_of(varied)), "each presentation is drawn anew"


def test_sixteen_bit_states_follow_wider_ones() -> None:
    moved = {}
    for precision in (16, 64):
        made = build(precision=precision)
        before = all_of(made)
        train(made, *samples(8))
        after = all_of(made)
        assert {values.dtype for values in after.values()} == {np.dtype("float32" if precision == 16 else "float64")}
        moved[precision] = np.concatenate([(after[name] - before[name]).ravel() for name in before])
    apart = np.linalg.norm(moved[16] - moved[64]) / np.linalg.norm(moved[64])
    assert 0 < apart < 0.05


def test_a_random_sign_is_drawn_once_a_mini_batch() -> None:
    """Of 40 mini-batches some take each sign; one of the two changes is the positive estimate's."""
    images, labels = samples(4)
    ends = {}
    for offset in range(0, 160, 4):
        made = build(ContrastiveRule(beta=0.5, random_sign=True), precision=64)
        train(made, images, labels, offset=offset)
        ends.setdefault(all_of(made)["input->hidden"].tobytes(), []).append(offset)
    assert len(ends) == 2 and min(map(len, ends.values())) > 8
    plain = build(ContrastiveRule(beta=0.5), precision=64)
    train(plain, images, labels)
    apart = [np.abs(np.frombuffer(values).reshape(16, 5) - all_of(plain)["input->hidden"]).max() for values in ends]
    assert min(apart) < 1e-14 < 1e-6 < max(apart)
