"""The perceptron: what it counts equals a recount by hand, and rounding does what it says."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest

from eqspike.costing.perceptron import Perceptron, Trained, perceptron_workload, quantised, train_perceptron
from eqspike.data import dataset_from_arrays


def samples(n: int = 60, classes: int = 3, seed: int = 0):
    draw = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    images = np.maximum(draw.normal(0, 0.15, (n, 12)), 0) + (np.arange(12) % classes == labels[:, None])
    images, half = images / images.max(), n // 2
    return dataset_from_arrays(
        {"x_train": images[:half], "y_train": labels[:half], "x_test": images[half:], "y_test": labels[half:]},
        validation=0,
    )


def random_network(seed: int, *sizes: int) -> Perceptron:
    draw = np.random.default_rng(seed)
    pairs = list(pairwise(sizes))
    return Perceptron(tuple(draw.normal(size=pair).astype(np.float32) for pair in pairs),
                      tuple(draw.normal(size=post).astype(np.float32) for _, post in pairs))  # fmt: skip


def recount(network: Perceptron, images: np.ndarray) -> dict[str, list[int]]:
    """MACs by layer, one at a time: forward; gradient and error going down."""
    found = {"macs_forward": [], "macs_backward": []}
    for k, weights in enumerate(network.weights):
        forward = backward = 0
        for image in images:
            states = [np.asarray(image, np.float32)]
            for j, (w, b) in enumerate(zip(network.weights, network.biases, strict=True)):
                driven = states[-1] @ w + b
                states.append(driven if j + 1 == len(network.weights) else driven * (driven > 0))
            last = k + 1 == len(network.weights)
            for i, j in product(range(weights.shape[0]), range(weights.shape[1])):
                if states[k][i] != 0:
                    forward += 1
                    if last or states[k + 1][j] > 0:
                        backward += 1 if k == 0 else 2
        found["macs_forward"].append(forward)
        found["macs_backward"].append(backward)
    return found


def test_macs_are_those_of_what_is_not_zero() -> None:
    data = samples()
    network = random_network(1, 12, 7, 5, 3)
    trained = Trained(network, 8, 0.5, 0.5, (0.5,), 30, 10)
    workload = perceptron_workload(trained, data, 90, 1e-3, dense=False)
    assert (data.x_test == 0).any() and workload.name == "perceptron 12-7-5-3"
    counts = {phase.name: phase.counts for phase in workload.phases}
    test, train = recount(network, data.x_test), recount(network, data.x_train)
    for k, name in enumerate(["input->layer1", "layer1->layer2", "layer2->layer3"]):
        assert counts["inference"][name, "macs_forward"] == test["macs_forward"][k]
        assert counts["free"][name, "macs_forward"] == 3 * train["macs_forward"][k]
        assert counts["nudged"][name, "macs_backward"] == 3 * train["macs_backward"][k]
        assert counts["nudged"][name, "weight_writes"] == 9 * network.weights[k].size, "nine batches of ten"
    sizes = [(phase.presentations, phase.ticks, phase.learning) for phase in workload.phases]
    assert sizes == [(90, 270, True), (90, 270, True), (30, 90, False)]
    assert [layer.stateful for layer in workload.layers] == [False, True, True, True]


def test_dense_counts_every_weight() -> None:
    data = samples()
    trained = Trained(random_network(1, 12, 7, 3), 8, 0.5, 0.5, (0.5,), 30, 30)
    workload = perceptron_workload(trained, data, 30, 1e-3, dense=True)
    assert workload.total("inference", "macs") == 30 * (12 * 7 + 7 * 3)
    assert workload.total("nudged", "macs") == 30 * (12 * 7 + 2 * 7 * 3)


def test_an_output_of_zero_still_has_an_error() -> None:
    network = Perceptron((np.ones((12, 3), np.float32),), (np.full(3, -12.0, np.float32),))
    data = replace(samples(), x_train=np.ones((30, 12), np.float32))
    assert not network.activations(data.x_train)[-1].any()
    workload = perceptron_workload(Trained(network, 8, 0.5, 0.5, (0.5,), 30, 30), data, 30, 1e-3, dense=False)
    assert workload.total("nudged", "macs") == 30 * 12 * 3


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_rounded_weights_take_few_values_and_none_moves_far(bits) -> None:
    network = random_network(3, 40, 30, 4)
    for before, after in zip(network.weights, quantised(network, bits).weights, strict=True):
        step = np.abs(before).max() / (2 ** (bits - 1) - 1)
        assert len(np.unique(after)) <= 2**bits - 1
        assert np.abs(after - before).max() <= step / 2 * (1 + 1e-5)
        assert np.abs(after).max() == pytest.approx(np.abs(before).max())


def test_one_bit_keeps_signs_and_the_mean_size() -> None:
    network = random_network(3, 40, 4)
    (after,) = quantised(network, 1).weights
    assert len(np.unique(after)) == 2 and (np.sign(after) == np.sign(network.weights[0])).all()
    assert np.abs(after).mean() == pytest.approx(np.abs(network.weights[0]).mean())


def test_zero_weights_stay_zero() -> None:
    network = Perceptron((np.zeros((2, 2), np.float32),), (np.zeros(2, np.float32),))
    assert not quantised(network, 4).weights[0].any()


@pytest.mark.parametrize("classes", [2, 3])
def test_training_learns_and_repeats_itself(classes) -> None:
    data = samples(600, classes)
    first, second = (train_perceptron((16,), data, bits=8, seed=2, epochs=40) for _ in range(2))
    assert first.history == second.history and len(first.history) == 40 and first.epoch_samples == 300
    assert first.network.sizes == (12, 16, classes)
    assert first.accuracy > 0.9 > first.history[0] - 0.1
    assert first.accuracy == first.history[-1], "without validation the last epoch is kept"
    best = max(first.history)
    assert first.samples_to(best) == 300 * (1 + first.history.index(best)) and first.samples_to(1.01) is None
