"""Estimates in numbers: one unit, and samples that have no share."""

from __future__ import annotations

import numpy as np
import pytest
from reference.energy_cases import compiled, free_drive, model_of, theta_of
from reference.energy_network import dense_net, random_net
from reference.energy_settling import Prototypical

from eqspike.core.contrast import Contrast
from eqspike.energies.backend import jax, jnp
from eqspike.energies.contrast import contrast_gradient, perturb, summed_activity


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


ONE = jnp.float32(1)


def test_one_linear_unit_nudged() -> None:
    """s = (w x + b + beta y) / (1 + beta): the positive estimate is (s - y) x / (1 + beta), s the free state."""
    w, b, x, y, beta = 0.5, 0.25, 2.0, 3.0, 0.5
    net = dense_net([np.array([[w]])], [np.array([b])], ["identity"])
    model, theta = model_of(Prototypical(), net, np.array([[x]])), theta_of(net)
    given, target, free = jnp.full((1, 1), x), jnp.full((1, 1), y), (jnp.full((1, 1), w * x + b),)
    contrast = Contrast((beta,), (1 / beta,), -1 / beta)
    nudged = perturb(model, theta, free_drive(model, theta, given, target), free, contrast, ONE, steps=60)
    assert float(nudged.states[0][0, 0]) == pytest.approx((w * x + b + beta * y) / (1 + beta))
    found = contrast_gradient(model, theta, given, target, free, nudged.states, contrast, ONE, jnp.ones(1))
    error = (w * x + b - y) / (1 + beta)
    assert float(found["weights"]["w1"][0, 0]) == pytest.approx(error * x)
    assert float(found["biases"]["1"][0]) == pytest.approx(error)


def test_a_clamped_output_lies_on_the_way_to_the_target() -> None:
    net = dense_net([np.zeros((1, 2))], [np.zeros(2)], ["identity"])
    model, theta, free = model_of(Prototypical(), net, np.ones((1, 1))), theta_of(net), (jnp.asarray([[1.0, 3.0]]),)
    drive = free_drive(model, theta, jnp.ones((1, 1)), jnp.asarray([[2.0, -1.0]]))
    for sign, expected in ((1.0, [1.25, 2.0]), (-1.0, [0.75, 4.0])):
        contrast = Contrast((0.25,), (4.0,), -4.0, clamped=True)
        held = perturb(model, theta, drive, free, contrast, jnp.float64(sign), steps=3)
        assert held.states[0].tolist() == [expected]


@pytest.mark.parametrize("untied", [False, True])
def test_samples_without_a_share_teach_nothing(untied: bool) -> None:
    net, rng = random_net(1, (3, 4, 4), ("tanh", "tanh"), untied=untied, classes=2), np.random.default_rng(1)
    model, theta = model_of(Prototypical(), net, np.ones((3, 3))), theta_of(net)
    contrast = Contrast((0.5, -0.5), (1.0, -1.0))
    x, y = jnp.asarray(rng.random((3, 3))), jnp.eye(2)[jnp.asarray([0, 1, 0])]
    free, perturbed = (tuple(jnp.asarray(rng.random((n, 4))) for _ in range(2)) for n in (3, 6))
    share = jnp.asarray([0.75, 0.25, 0.0])
    estimate = compiled(lambda *given: contrast_gradient(model, theta, *given[:4], contrast, ONE, given[4]))
    found = estimate(x, y, free, perturbed, share)
    kept = tuple(s[jnp.asarray([0, 1, 3, 4])] for s in perturbed)
    two = estimate(x[:2], y[:2], tuple(s[:2] for s in free), kept, share[:2])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14), found, two)
    assert jax.tree.structure(found) == jax.tree.structure(theta)
    assert all(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(found))


def test_activity_is_summed_over_phases() -> None:
    states = (jnp.asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [8.0j, 4.0]]),)
    tables = [(states, jnp.asarray([1.0, 1.0, -2.0, 0.5j])), ((jnp.ones((2, 2)),), jnp.asarray([10.0, 0.0]))]
    assert summed_activity(tables, 2)[0].tolist() == [[1 - 10 + 10, 2 - 12 + 10], [3 - 4, 4]]
