"""Costs: the force is minus their derivative, and the cost that a nudge outside descends is what it says."""

from __future__ import annotations

import numpy as np
import pytest
from reference.energy_cases import model_of, theta_of
from reference.energy_network import effective_cost, probabilities, random_net
from reference.energy_settling import Prototypical, RealTime

from eqspike.energies.backend import jax, jnp
from eqspike.energies.costs import cost, descended_cost, force, logits, outputs

RNG = np.random.default_rng(1)
OUT, Y = RNG.uniform(0.1, 0.9, (4, 3)), np.eye(3)[[0, 2, 1, 1]]


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def setting(classes: int, dynamics=Prototypical()) -> tuple:  # noqa: B008 - frozen
    net = random_net(1, (2, 3), ("sigmoid",), classes=classes)
    return net, model_of(dynamics, net, np.ones((4, 2))), theta_of(net), (jnp.asarray(OUT),)


def test_squared_error_and_cross_entropy() -> None:
    _, model, theta, states = setting(0)
    np.testing.assert_allclose(cost(model, theta, states, Y), 0.5 * ((OUT - Y) ** 2).sum(1))
    assert outputs(model, theta, states) is states[-1]
    net, model, theta, states = setting(3)
    expected = -np.log(probabilities(net, OUT)[np.arange(4), Y.argmax(1)])
    np.testing.assert_allclose(cost(model, theta, states, Y), expected)
    np.testing.assert_allclose(outputs(model, theta, states), OUT @ net.readout[0] + net.readout[1])


@pytest.mark.parametrize("classes", [0, 3])
def test_the_force_is_minus_the_slope_of_the_cost(classes: int) -> None:
    _, model, theta, states = setting(classes)
    slope = jax.grad(lambda s: cost(model, theta, s, Y).sum())(states)[0]
    np.testing.assert_allclose(force(model, theta, states, Y), -slope, rtol=1e-12)


def test_the_force_of_a_read_out_is_holomorphic_and_survives_large_logits() -> None:
    _, model, theta, states = setting(3)
    z, h = states[0] + 0.2j, 1e-6
    along, across = (
        (force(model, theta, (z + h * way,), Y) - force(model, theta, (z - h * way,), Y)) / (2 * h * way)
        for way in (1, 1j)
    )
    np.testing.assert_allclose(along, across, rtol=1e-6)
    big = {"readout": {"weights": 1e4 * theta["readout"]["weights"], "biases": theta["readout"]["biases"]}}
    assert np.isfinite(force(model, big, states, Y)).all()


def test_maps_are_read_out_flattened() -> None:
    maps = jnp.asarray(RNG.random((4, 1, 1, 3)))
    _, _, theta, _ = setting(3)
    np.testing.assert_array_equal(logits(theta, (maps,)), logits(theta, (maps.reshape(4, 3),)))


def test_what_a_nudge_descends() -> None:
    net, model, theta, states = setting(0, Prototypical("outside"))
    np.testing.assert_allclose(descended_cost(model, theta, states, Y), effective_cost(net, OUT, Y), rtol=1e-12)
    for dynamics in (Prototypical(), RealTime(0.5)):
        model = model_of(dynamics, net, np.ones((4, 2)))
        np.testing.assert_array_equal(descended_cost(model, theta, states, Y), cost(model, theta, states, Y))
