"""The first steps of the convolutional CIFAR-10 recipe with binary weights, on real images."""

from __future__ import annotations

import numpy as np
import pytest
from reference.binary_maps import QUANTUM, MapStepping

from eqspike.core.errors import DataError
from eqspike.training import api
from eqspike.training.binary_spec import BinarySpec

FEW = {"data.validation": 0, "data.train_limit": 2, "data.test_limit": 2, "training.batch": 2}
NARROW = {f"network.hidden.{k}.channels": n for k, n in enumerate((8, 16, 16, 8))}


def resolved(**changes) -> tuple[BinarySpec, np.ndarray, np.ndarray]:
    """Return the recipe and two real images with their labels; skip where there are none."""
    spec = api.resolve("binary-ep-a-conv-cifar10", {**FEW, **changes})
    try:
        dataset = api.load_data(spec)
    except DataError:
        pytest.skip("needs CIFAR-10 in EQSPIKE_DATA or the cache")
    return spec, dataset.x_train.reshape(2, -1), dataset.y_train


def test_a_narrow_network_settles_to_the_twins_states() -> None:
    spec, images, labels = resolved(**NARROW, **{"dynamics.free_steps": 8, "dynamics.nudged_steps": 4})
    network = spec.build_network((32, 32, 3), 10)
    substrate = spec.build_substrate(network, (32, 32, 3))
    weights, biases = substrate.get_weights()
    *kernels, dense = weights.values()
    twin = MapStepping(
        [np.sign(kernel) for kernel in kernels], [np.rint(np.abs(k[0, 0, 0]) / QUANTUM) for k in kernels],
        [np.sign(dense)], [np.abs(dense.flat[0])], list(biases.values()), setting="A", image_shape=(32, 32, 3),
        padding=2, pool=2, free_steps=8, nudged_steps=4, beta=0.3, gamma=spec.rule.low_passes,
        tau=spec.rule.flip_thresholds, rate_bias=spec.rule.bias_rates,
    )  # fmt: skip
    x8 = np.rint(images * 255).astype(np.uint8)
    ends = substrate._phases.new_ends(2)
    substrate._phases.present(
        substrate.weights, substrate.counts, ends, x8, substrate._targets(labels), 0.3, spec.dynamics.nudged_steps
    )
    free = twin.settle_free(x8)
    nudged = twin.settle_nudged(free, labels, 0.3)
    for found, states in zip(ends.emitted, (free, nudged), strict=True):
        expected = np.concatenate([s.reshape(2, -1) for s in states], axis=1)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
        assert np.mean((expected > 0) & (expected < 1)) > 0.01
    assert [layer.shape for layer in network.layers[1:]] == [(16, 16, 8), (8, 8, 16), (4, 4, 16), (2, 2, 8), (10,)]


def test_the_full_network_learns_from_real_images() -> None:
    spec, images, labels = resolved(**{"dynamics.free_steps": 8, "dynamics.nudged_steps": 4})
    network = spec.build_network((32, 32, 3), 10)
    assert network.synapses == 2_677_440
    substrate = spec.build_substrate(network, (32, 32, 3))
    before = substrate.get_weights()[0]
    answers = substrate.train(images, labels, np.arange(2), 0, 2, scale=1.0, offset=0)
    assert set(answers) <= set(range(10))
    ledger, (weights, biases) = substrate.ledger(), substrate.get_weights()
    assert ledger.total("nudged", "weight_flips") == sum((w != before[name]).sum() for name, w in weights.items()) > 0
    assert all(np.isfinite(values).all() for values in (*weights.values(), *biases.values()))
    assert all(np.unique(np.abs(kernel[..., c])).size == 1 for kernel in weights.values() for c in range(10))
    assert ledger.total("free", "synaptic_events") > 1e8
    assert ledger.total("free", "macs") == 0
    assert substrate.diagnostics()["bits_per_weight"] < 1.1
