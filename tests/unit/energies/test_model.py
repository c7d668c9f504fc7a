"""The model: phi and its derivatives, what is drawn once and what at every step."""

from __future__ import annotations

import numpy as np
import pytest
from reference.energy_cases import compiled, model_of, theta_of
from reference.energy_network import random_net
from reference.energy_settling import Prototypical, RealTime

from eqspike.energies import model as engine
from eqspike.energies.backend import jax, jnp
from eqspike.energies.model import Convolution, Dense, Model


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def draw(seed: int, *shape: int) -> jax.Array:
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape))


# A skip connection and a layer that two interactions reach: more than a chain.
BRANCHED = Model(
    (Convolution("a", 0, 1, 1, "average"), Dense("b", 1, 2), Dense("c", 0, 3), Dense("d", 2, 3), Dense("e", 1, 3)),
    ((2, 2, 3), (4,), (2,)), ("tanh",) * 3,
)  # fmt: skip
THETA = {
    "weights": {name: (3, 3, 1, 3) if name == "a" else shape for name, shape in
                {"a": (), "b": (12, 4), "c": (25, 2), "d": (4, 2), "e": (12, 2)}.items()},
    "biases": {"1": (3,), "2": (4,), "3": (2,)},
}  # fmt: skip


def test_drives_are_the_derivatives_of_phi_in_any_network() -> None:
    theta = jax.tree.map(lambda s: draw(1, *s), THETA, is_leaf=lambda s: isinstance(s, tuple))
    x, states = draw(2, 2, 5, 5, 1), tuple(draw(3, 2, *shape) for shape in BRANCHED.shapes)

    @compiled
    def both(theta, states):
        prepared = engine.prepare(BRANCHED, theta, jnp.float64)
        fixed = engine.fixed_drive(BRANCHED, theta, x, jnp.float64)
        total = jax.grad(lambda s: engine.phi(BRANCHED, theta, x, s).sum())(states)
        return engine.drives(BRANCHED, prepared, fixed, states, (1, 2, 3)), total

    found, expected = both(theta, states)
    for place, slope in enumerate(expected, 1):
        np.testing.assert_allclose(found[place], slope, rtol=1e-12, atol=1e-12)
    assert [i.name for i in BRANCHED.free_interactions] == ["b", "d", "e"]
    assert [i.name for i in BRANCHED.input_interactions] == ["a", "c"]


def test_only_the_layers_asked_for_are_driven() -> None:
    theta = jax.tree.map(lambda s: jnp.ones(s), THETA, is_leaf=lambda s: isinstance(s, tuple))
    states = engine.zero_states(BRANCHED, 2, jnp.float64)
    assert [s.shape for s in states] == [(2, 2, 2, 3), (2, 4), (2, 2)]
    found = engine.drives(BRANCHED, engine.prepare(BRANCHED, theta, jnp.float64), states, states, (2,))
    assert list(found) == [2]


@pytest.mark.parametrize("interaction", [Dense("w", 1, 2), Convolution("w", 1, 2, 1, "average")])
def test_complex_states_are_projected_as_two_real_ones(interaction) -> None:
    dense = isinstance(interaction, Dense)
    weights = draw(1, 36, 3) if dense else draw(1, 3, 3, 1, 3)
    pre, post = (draw(k, 2, *shape) + 1j * draw(k + 5, 2, *shape) for k, shape in enumerate(((6, 6, 1), (3,) if dense else (3, 3, 3))))  # fmt: skip # noqa: E501
    prepared = interaction.prepare(weights, jnp.float64)
    for project in (
        lambda a, b: interaction.project(prepared, a),
        lambda a, b: interaction.project_back(prepared, pre.real, b),
    ):
        found = project(pre, post)
        np.testing.assert_allclose(found.real, project(pre.real, post.real), rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(found.imag, project(pre.imag, post.imag), rtol=1e-13, atol=1e-13)
        assert np.abs(found.imag).max() > 0.1


def test_real_time_layers_send_their_activity() -> None:
    net, x = random_net(1, (3, 4, 2), ("tanh", "sigmoid")), np.ones((1, 3))
    states = (draw(1, 1, 4), draw(2, 1, 2))
    sent = engine.carried(model_of(RealTime(0.5), net, x), states)
    np.testing.assert_allclose(sent[0], np.tanh(states[0]))
    assert engine.carried(model_of(Prototypical(), net, x), states) is states


def test_backward_weights_of_their_own_act_on_the_way_back_only() -> None:
    net, x = random_net(1, (3, 4, 2), ("tanh", "tanh"), untied=True), np.ones((1, 3))
    model, theta = model_of(Prototypical(), net, x), theta_of(net)
    states, none = (draw(1, 1, 4), draw(2, 1, 2)), engine.zero_states(model, 1, jnp.float64)
    found = engine.drives(model, engine.prepare(model, theta, jnp.float64), none, states, (1, 2))
    np.testing.assert_allclose(found[2], states[0] @ net.weights[1], rtol=1e-13)
    np.testing.assert_allclose(found[1], states[1] @ net.backward[1].T, rtol=1e-13)
