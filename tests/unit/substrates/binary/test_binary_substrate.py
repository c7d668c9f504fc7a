"""The binary substrate as an object: what it refuses, hands out and takes back, and what it answers."""

from __future__ import annotations

import numpy as np
import pytest
from reference.binary_cases import Case, momenta_of, same, scales_of, signs_of

from eqspike.core.errors import DataError
from eqspike.core.ledger import PHASES

N = 6
CASE = Case("B", (16, 40, 6), batch=4)
NAMES = ("input->hidden", "hidden->output")


def train(made, images, labels, *, offset=0) -> np.ndarray:
    return made.train(images, labels, np.arange(len(images)), 0, len(images), scale=1.0, offset=offset)


def all_of(made) -> dict[str, np.ndarray]:
    weights, biases = made.get_weights()
    return weights | biases


def equal(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("setting", ["A", "B"])
@pytest.mark.parametrize(
    "wrong", [-0.01, 1.01, 255.0, float("nan"), float("inf")], ids=["below", "above", "bytes", "none", "infinite"]
)
def test_pixels_that_fit_no_8_bits_are_refused(setting: str, wrong: float) -> None:
    """Instead of wrapping around; nothing has been learnt."""
    made, images, labels = CASE.changed(setting=setting).substrate(), CASE.images(N), CASE.labels(N)
    images[1, 3], before = wrong, all_of(made)
    for call in (lambda: made.infer(images), lambda: train(made, images, labels)):
        with pytest.raises(DataError, match=r"outside \[0, 1\]") as error:
            call()
        assert error.value.field == "images"
    assert equal(all_of(made), before)


def test_bytes_are_no_pixels_in_0_to_1() -> None:
    """Products with 255 in their own 8 bits would wrap around."""
    made = CASE.substrate()
    with pytest.raises(DataError, match=r"outside \[0, 1\]"):
        made.infer(np.full((2, 16), 200, np.uint8))
    black_and_white = (CASE.images(N) > 0.5).astype(np.uint8)
    assert np.array_equal(made.infer(black_and_white), made.infer(black_and_white.astype(np.float32)))


def test_samples_that_do_not_fit_are_refused() -> None:
    made, images = CASE.substrate(), CASE.images(4)
    for wrong in (images[:, 1:], images[0], images.reshape(4, 4, 4)):
        with pytest.raises(DataError, match=r"takes \(n, 16\)") as error:
            made.infer(wrong)
        assert error.value.field == "images"
    for label in (CASE.classes, -1):
        with pytest.raises(DataError, match="no class") as error:
            train(made, images, np.full(4, label))
        assert error.value.field == "labels"


@pytest.mark.parametrize("setting", ["A", "B"])
def test_weights_come_back_as_set_and_are_copies(setting: str) -> None:
    made, rng = CASE.changed(setting=setting).substrate(), np.random.default_rng(1)
    shapes = {name: values.shape for name, values in all_of(made).items()}
    assert shapes == {"input->hidden": (16, 40), "hidden->output": (40, 6), "hidden": (40,), "output": (6,)}
    weights = {name: rng.choice([-0.25, 0.25], shapes[name]).astype(np.float32) for name in NAMES}
    biases = {name: rng.normal(size=shapes[name]).astype(np.float32) for name in ("hidden", "output")}
    made.set_weights(weights, biases)
    kept = {name: values.copy() for name, values in (weights | biases).items()}
    for values in (*weights.values(), *biases.values(), *all_of(made).values()):
        values[:] = 0
    assert equal(all_of(made), kept)
    made.set_weights({}, {"output": np.ones(6)})
    assert equal(all_of(made), kept | {"output": np.ones(6, np.float32)})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.where(np.arange(640).reshape(16, 40) == 77, 0.5, 0.25), "one scale"),
        (np.zeros((16, 40)), "one scale"),
        (np.where(np.arange(640).reshape(16, 40) == 77, 0.0, 0.25), "one scale"),
        (np.full((16, 40), np.nan), "one scale"),
        (np.full((16, 40), np.inf), "one scale"),
        (np.full((40, 16), 0.25), "shape"),
        (np.full(640, 0.25), "shape"),
    ],
    ids=["two moduli", "zeros", "a zero", "none", "infinite", "turned", "flat"],
)
def test_weights_that_are_not_signs_times_a_scale_are_refused(values: np.ndarray, said: str) -> None:
    made = CASE.substrate()
    before = all_of(made)
    with pytest.raises(DataError, match=said) as error:
        made.set_weights({"input->hidden": values}, {})
    assert error.value.field == "input->hidden"
    assert equal(all_of(made), before)


@pytest.mark.parametrize(
    ("weights", "biases", "field"),
    [
        ({"a->b": np.ones(1)}, {}, "a->b"),
        ({}, {"hidden": np.zeros(41)}, "hidden"),
        ({}, {"input": np.zeros(16)}, "input"),
    ],
)
def test_unknown_names_and_other_shapes_are_refused(weights: dict, biases: dict, field: str) -> None:
    with pytest.raises(DataError) as error:
        CASE.substrate().set_weights(weights, biases)
    assert error.value.field == field


def test_no_samples_change_and_count_nothing() -> None:
    """What compiles the kernels, and an empty test set."""
    for setting in ("A", "B"):
        made = CASE.changed(setting=setting).substrate()
        before, images = all_of(made), CASE.images(N)
        assert made.train(images, CASE.labels(N), np.arange(N), 0, 0, scale=0.0, offset=0).size == 0
        assert made.infer(images[:0]).size == 0
        assert equal(all_of(made), before)
        assert not list(made.ledger().rows())
        assert made.training_state()["batches"].tolist() == [0, 0]


def test_a_class_answers_by_all_of_its_outputs_and_the_lowest_of_equals() -> None:
    """Hidden neurons are silent: outputs stand at their biases, clipped."""
    made = Case("A", (4, 5, 6), expand=3).substrate()
    silent, dark = {"hidden": np.full(5, -9.0)}, np.zeros((1, 4))
    for output, answer in (([0.9, 0, 0, 0.4, 0.4, 0.4], 1), ([0.9, 0.9, 0, 2, 0, 0], 0), ([0.5, 0, 0, 0, 0, 0.5], 0)):
        made.set_weights({}, silent | {"output": np.array(output)})
        assert made.infer(dark).tolist() == [answer]


def test_all_outputs_of_a_class_are_nudged() -> None:
    """Within their free state's bounds each moves by beta (y - s), and so does its bias's contrast."""
    made = Case("A", (4, 5, 6), expand=3, batch=1, beta=0.25, nudged_steps=1, rule={"rate_bias": 1.0}).substrate(
        random_sign=False
    )
    made.set_weights({}, {"hidden": np.full(5, -9.0), "output": np.full(6, 0.5)})
    train(made, np.zeros((1, 4)), np.array([1]))
    assert made.get_weights()[1]["output"].tolist() == [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]


@pytest.mark.parametrize("setting", ["A", "B"])
def test_a_random_sign_is_drawn_once_a_mini_batch(setting: str) -> None:
    """Of 40 mini-batches some take each sign; one of the two changes is that of a rule whose beta stays positive."""
    case = Case(setting, (16, 40, 6), batch=4, rule={"tau": 1e3, "rate_bias": 0.5})
    images, labels, ends = case.images(4), case.labels(4), {}
    for offset in range(0, 160, 4):
        made = case.substrate()
        train(made, images, labels, offset=offset)
        ends.setdefault(momenta_of(made)[0].tobytes(), []).append(offset)
    assert len(ends) == 2 and min(map(len, ends.values())) > 8
    plain = case.substrate(random_sign=False)
    train(plain, images, labels)
    assert momenta_of(plain)[0].tobytes() in ends


def test_scales_are_held_above_zero_and_that_is_counted() -> None:
    """A scale that crossed zero would turn all signs round."""
    case = Case("B", (21, 34, 6), 2, batch=5, gain=0.9, nudged_steps=8, beta=0.7, rule={"rate_scale": 3.0, "tau": 1e3})
    made, signs = case.substrate(random_sign=False), case.parameters()[0]
    train(made, case.images(5), case.labels(5))
    assert 0 < min(scales_of(made)) < 1e-5
    assert same(signs_of(made), signs)
    assert made.ledger().total("nudged", "saturations") == sum(scale < 1e-5 for scale in scales_of(made))


def test_what_was_counted_comes_back_and_is_forgotten() -> None:
    made, images, labels = CASE.substrate(), CASE.images(N), CASE.labels(N)
    train(made, images, labels)
    made.infer(images)
    again = CASE.substrate()
    again.set_counts(made.ledger(), made.spikes_per_neuron())
    assert again.ledger().to_dict() == made.ledger().to_dict()
    for name, values in made.spikes_per_neuron().items():
        assert np.array_equal(again.spikes_per_neuron()[name], values)
    again.clear_counts("inference")
    assert again.ledger().total("inference", "spikes") == 0 < again.ledger().total("free", "spikes")
    assert all(values[PHASES.index("inference")].sum() == 0 for values in again.spikes_per_neuron().values())
    again.clear_counts(*PHASES)
    assert not list(again.ledger().rows())


def test_results_say_flips_a_sample_and_bits_a_weight() -> None:
    case = CASE.changed(rule={"gamma": 0.5, "tau": 1e-3})
    made = case.substrate()
    before = signs_of(made)
    train(made, case.images(N), case.labels(N))
    first = sum(int((a != b).sum()) for a, b in zip(before, signs_of(made), strict=True))
    said = made.diagnostics()
    assert said["weight_flips_per_training_sample"] * N >= first > 0
    assert said["weight_flips_per_training_sample"] * N == made.ledger().total("nudged", "weight_flips")
    assert said["bits_per_weight"] == made.storage.stored_bits()
    assert said["training_bits_per_weight"] == said["bits_per_weight"] + 32


def test_gradients_that_fade_count_for_less() -> None:
    """A factor of 1/2 halves what a first mini-batch leaves in accumulators and biases; 0 leaves nothing."""
    images, labels = CASE.images(4), CASE.labels(4)
    held, biases = {}, {}
    for scale in (1.0, 0.5, 0.0):
        made = CASE.changed(setting="A", rule={"flip_thresholds": [1.0, 1.0]}).substrate()
        before = made.get_weights()[1]["hidden"]
        made.train(images, labels, np.arange(4), 0, 4, scale=scale, offset=0)
        held[scale], biases[scale] = made.momentum.values, made.get_weights()[1]["hidden"] - before
    assert held[1.0].any() and biases[1.0].any()
    np.testing.assert_allclose(held[0.5], held[1.0] / 2, rtol=1e-6)
    np.testing.assert_allclose(biases[0.5], biases[1.0] / 2, rtol=1e-4, atol=1e-7)
    assert not held[0.0].any() and not biases[0.0].any()
