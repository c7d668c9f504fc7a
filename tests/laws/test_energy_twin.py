"""The compiled energies equal their slow twin: settling, energies, perturbed phases and every rule's estimate."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from reference.energy_cases import compiled, far, free_drive, model_of, net_of, order_of, theta_of
from reference.energy_links import Convolution, Dense
from reference.energy_network import Net, dense_net, phi, random_net
from reference.energy_rules import (
    circle,
    continual_ep,
    contrastive_gradient,
    coupled_gradient,
    ep_gradient,
    kolen_pollack,
    nudges,
    oscillating_gradient,
    vector_field_gradient,
)
from reference.energy_settling import Prototypical, RealTime, settle

from eqspike.energies import model as engine
from eqspike.energies.backend import jax, jnp
from eqspike.energies.continual import nudge_continually
from eqspike.energies.contrast import contrast_gradient, perturb
from eqspike.energies.settling import settle as engine_settle
from eqspike.learning.continual import ContinualEP
from eqspike.learning.contrastive import ContrastiveRule
from eqspike.learning.holomorphic import HolomorphicEP
from eqspike.substrates.hopfield.batches import _averaged_feedback

BETA, FREE, NUDGED = 0.3, 6, 4  # far from settled: agreement must not need a fixed point
EP = [ContrastiveRule(beta=BETA, nudging=n).contrast() for n in ("positive", "negative", "centered")]
COUPLED = [ContrastiveRule(name="coupled", beta=BETA, nudging=n).contrast() for n in ("positive", "centered")]
CONTRASTIVE = ContrastiveRule(name="contrastive", beta=1.0).contrast()
CIRCLES = [HolomorphicEP(beta=BETA, points=n).contrast() for n in (3, 4)]


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@partial(compiled, static_argnums=(0, 1))
def engine_side(model, contrasts, theta, x, y, start, sign):
    """Return the free states, their phi and energy, and the perturbed states and estimate of each contrast."""
    drive, share = free_drive(model, theta, x, y), jnp.full(len(x), 1 / len(x))
    free = engine_settle(model, theta, drive, start, steps=FREE).states
    found = []
    for contrast in contrasts:
        states = perturb(model, theta, drive, free, contrast, sign, steps=NUDGED).states
        found.append((states, contrast_gradient(model, theta, x, y, free, states, contrast, sign, share)))
    return free, engine.phi(model, theta, x, free), engine.energy(model, theta, x, free), found


def convolutional(seed: int, pool: str | None, side: int) -> tuple[Net, np.ndarray]:
    """Return two convolutions and a dense output; borders that a pool drops and padding 0 among them."""
    rng = np.random.default_rng(seed)
    kernels = rng.normal(0, 0.3, (3, 3, 2, 2)), rng.normal(0, 0.3, (2, 2, 2, 3))
    left = side - 1 if pool is None else (side // 2 - 1) // 2
    out = Dense(rng.normal(0, 0.4, (left * left * 3, 3)))
    links = (Convolution(kernels[0], 1, pool), Convolution(kernels[1], 0, pool), out)
    biases = tuple(rng.normal(0.3, 0.1, n) for n in (2, 3, 3))
    return Net(links, biases, ("sigmoid", "tanh", "identity")), rng.random((2, side, side, 2))


IN_TURN, THREE = Prototypical(order=order_of(0, nudged=False)), ("tanh", "sigmoid", "tanh")
CASES = {  # dynamics, sizes, activations, what the weights are beside, contrasts
    "inside": (Prototypical(), (4, 5, 3), ("tanh", "sigmoid"), {}, (*EP, *COUPLED, CONTRASTIVE, *CIRCLES)),
    "outside": (Prototypical("outside"), (4, 5, 3), ("sigmoid", "tanh"), {}, EP),
    "hopfield": (Prototypical(), (4, 5, 3), ("hard-sigmoid", "identity"), {}, (EP[2], COUPLED[1])),
    "in turn, 2": (IN_TURN, (4, 5, 3), ("half-hard-sigmoid", "sigmoid"), {}, (EP[0], COUPLED[0])),
    "in turn, 3": (IN_TURN, (4, 4, 5, 3), ("tanh", "tanh", "identity"), {}, (EP[0], COUPLED[0])),
    "real-time": (RealTime(0.4), (4, 5, 3), ("tanh", "sigmoid"), {}, (EP[1], COUPLED[0], CIRCLES[1])),
    "clipped": (RealTime(0.6, clip=True), (4, 5, 3), ("hard-sigmoid", "hard-sigmoid"), {"gain": 4}, EP[2:]),
    "read-out": (Prototypical(), (4, 5, 4), ("sigmoid", "tanh"), {"classes": 3}, (*EP, CIRCLES[0])),
    "real-time read-out": (RealTime(0.5), (4, 5, 4), ("tanh", "tanh"), {"classes": 3}, EP[2:]),
    "separate": (Prototypical(), (4, 5, 4, 3), THREE, {"untied": True}, (*EP, CIRCLES[1])),
    "real-time separate": (RealTime(0.5), (4, 5, 4, 3), THREE, {"untied": True}, EP[2:]),
    "separate read-out": (Prototypical(), (4, 5, 4), ("sigmoid", "tanh"), {"untied": True, "classes": 3}, EP[:1]),
}
CONVOLUTIONS = {"none": (None, 4, EP[2:]), "max": ("max", 7, EP[2:]), "average": ("average", 6, (EP[0], CIRCLES[0]))}


def case(name: str, seed: int) -> tuple:
    """Return (dynamics, net, x, y, states to start from, the contrasts to compare)."""
    rng = np.random.default_rng(100 + seed)
    x, y = rng.random((2, 4)), np.eye(3)[[seed % 3, 1]]
    if name in CONVOLUTIONS:
        dynamics, (pool, side, contrasts) = Prototypical(), CONVOLUTIONS[name]
        net, x = convolutional(seed, pool, side)
    else:
        dynamics, sizes, sigmas, more, contrasts = CASES[name]
        net = random_net(seed, sizes, sigmas, **({"gain": 2} | more))
    return dynamics, net, x, y, [rng.uniform(0.1, 0.9, s.shape) for s in net.rest(x)], tuple(contrasts)


def nudged_dynamics(dynamics, net: Net):
    """Return the dynamics of perturbed phases: updates in turn begin with the output."""
    in_turn = isinstance(dynamics, Prototypical) and dynamics.order
    return Prototypical(dynamics.nudge, order_of(net.depth, nudged=True)) if in_turn else dynamics


def twin_states(dynamics, net: Net, x, y, free, contrast) -> list[np.ndarray]:
    """Return the perturbed states of every phase, one phase after the other along the batch."""
    phases = []
    for beta in contrast.betas:
        how = {"clamped": (1 - beta) * free[-1] + beta * y} if contrast.clamped else {"y": y, "beta": beta}
        phases.append(settle(dynamics, net, x, NUDGED, states=free, **how))
    return [np.concatenate(layer) for layer in zip(*phases, strict=True)]


def twin_gradient(dynamics, net: Net, x, y, free, contrast) -> Net:
    """Return the published estimate that ``contrast`` stands for."""
    given = (dynamics, net, x, y)
    if contrast == CONTRASTIVE:
        return contrastive_gradient(*given, steps=NUDGED, free=free)
    if contrast in CIRCLES:
        terms = circle(BETA, (3, 4)[CIRCLES.index(contrast)])
    elif contrast.clamped:
        kind = ("positive", "centered")[COUPLED.index(contrast)]
        return coupled_gradient(*given, nudges(kind, BETA), steps=NUDGED, free=free)
    else:
        terms = nudges(("positive", "negative", "centered")[EP.index(contrast)], BETA)
    rule = vector_field_gradient if net.untied else ep_gradient
    return rule(*given, terms, steps=NUDGED, free=free)


def close(found, expected) -> bool:
    return all(np.allclose(a, b, rtol=1e-10, atol=1e-10) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("name", [*CASES, *CONVOLUTIONS])
def test_states_energies_and_estimates_equal_the_twins(name: str) -> None:
    for seed in (0, 1) if name in CASES else (0,):
        dynamics, net, x, y, start, contrasts = case(name, seed)
        model, theta = model_of(dynamics, net, x), theta_of(net)
        free, phi_, energy, found = engine_side(model, contrasts, theta, x, y, tuple(map(jnp.asarray, start)), 1.0)
        twin = settle(dynamics, net, x, FREE, states=start)
        assert close(free, twin)
        assert np.allclose(phi_, phi(net, x, dynamics.activities(net, twin)), rtol=1e-10)
        assert np.allclose(energy, dynamics.energy(net, x, twin), rtol=1e-10)
        nudged = nudged_dynamics(dynamics, net)
        for contrast, (states, gradient) in zip(contrasts, found, strict=True):
            assert close(states, twin_states(nudged, net, x, y, twin, contrast)), contrast
            assert far(net_of(gradient, net), twin_gradient(nudged, net, x, y, twin, contrast)) < 1e-10, contrast


@pytest.mark.parametrize("name", ["read-out", "separate"])
def test_a_turned_sign_turns_the_nudge(name: str) -> None:
    """sign -1 makes of the positive estimate the negative one, and of the centered estimate itself."""
    dynamics, net, x, y, start, contrasts = case(name, 3)
    start = tuple(map(jnp.asarray, start))
    plain, turned = (
        engine_side(model_of(dynamics, net, x), contrasts, theta_of(net), x, y, start, s)[3] for s in (1.0, -1.0)
    )
    positive, negative, centered = (net_of(gradient, net) for _, gradient in plain[:3])
    positive_turned, negative_turned, centered_turned = (net_of(gradient, net) for _, gradient in turned[:3])
    assert far(positive_turned, negative) < 1e-12 and far(negative_turned, positive) < 1e-12
    assert far(centered_turned, centered) < 1e-12
    assert far(positive, negative) > 1e-3


def test_both_ways_share_one_mean_in_the_kolen_pollack_form() -> None:
    dynamics, net, x, y, start, contrasts = case("separate", 4)
    found = engine_side(model_of(dynamics, net, x), contrasts, theta_of(net), x, y, tuple(map(jnp.asarray, start)), 1.0)
    twin = settle(dynamics, net, x, FREE, states=start)
    expected = kolen_pollack(twin_gradient(dynamics, net, x, y, twin, contrasts[2]))
    shared = _averaged_feedback(found[3][2][1])
    assert far(net_of(shared, net), expected) < 1e-10
    assert np.array_equal(shared["weights"]["w2"], shared["backward"]["w2"])


@pytest.mark.parametrize("clip", [False, True])
def test_an_output_nudged_outside_leaves_the_box_unless_clipped(clip: bool) -> None:
    net = dense_net([np.array([[2.0, -2.0, 0.1]])], [np.zeros(3)], ["sigmoid"])
    x, y, contrast = np.array([[1.0]]), np.array([[0.0, 1.0, 1.0]]), ContrastiveRule(beta=2.0).contrast()
    model, theta = model_of(Prototypical("outside"), net, x, clip=clip), theta_of(net)
    free = (jnp.asarray([[1.0, 0.0, 0.2]]),)
    states = perturb(model, theta, free_drive(model, theta, x, y), free, contrast, jnp.float64(1), steps=1).states[0]
    moved = 1 / (1 + np.exp(-4 * (np.array([2.0, -2.0, 0.1]) - 0.5))) + 2.0 * np.array([-1.0, 1.0, 0.8])
    assert moved.min() < 0 and moved.max() > 1
    assert np.allclose(states[0], np.clip(moved, 0, 1) if clip else moved, atol=1e-14)


@pytest.mark.parametrize("name", ["inside", "read-out"])
def test_the_oscillating_form_is_the_twins(name: str) -> None:
    """Without a free phase of its own: the twin starts from the same states and averages the last of three rounds."""
    points, periods = 4, 3
    dynamics, net, x, y, start, _ = case(name, 5)
    contrast = HolomorphicEP(beta=BETA, points=points, periods=periods).contrast()
    model, theta, sign = model_of(dynamics, net, x), theta_of(net), jnp.float64(1)
    free = settle(dynamics, net, x, FREE, states=start)

    @compiled
    def both(theta, free):
        states = perturb(model, theta, free_drive(model, theta, x, y), free, contrast, sign, steps=NUDGED).states
        return states, contrast_gradient(model, theta, x, y, free, states, contrast, sign, jnp.full(2, 0.5))

    states, gradient = both(theta, tuple(map(jnp.asarray, free)))
    now, rounds = free, []
    for k in range(points * periods):
        now = settle(dynamics, net, x, NUDGED, states=now, y=y, beta=BETA * np.exp(2j * np.pi * k / points))
        rounds.append(now)
        if k == points * (periods - 1) - 1:
            last = now
    expected = oscillating_gradient(
        dynamics, net, x, y, radius=BETA, points=points, steps=NUDGED, periods=1, start=last
    )
    assert close(states, [np.concatenate(layer) for layer in zip(*rounds[-points:], strict=True)])
    assert far(net_of(gradient, net), expected) < 1e-10


CONTINUAL = {
    "inside": (Prototypical(), False),
    "outside": (Prototypical("outside"), False),
    "in turn": (Prototypical(order=("odd", "even")), False),
    "real-time": (RealTime(0.5), False),
    "separate": (Prototypical(), True),
    "real-time separate": (RealTime(0.5), True),
}


@pytest.mark.parametrize("name", CONTINUAL)
def test_continual_steps_are_the_twins(name: str) -> None:
    """Large rates, so that the weights' changes act back on the states; the last sample has no share."""
    dynamics, untied = CONTINUAL[name]
    rates, steps, contrast = [0.3, 0.2, 0.1], 4, ContinualEP(beta=BETA).contrast()
    net = random_net(8, (4, 5, 4, 3), ("tanh", "sigmoid", "tanh"), gain=2, untied=untied)
    rng = np.random.default_rng(9)
    x, y = rng.random((3, 4)), np.eye(3)
    model, theta = model_of(dynamics, net, x), theta_of(net)
    by_name = {f"w{k + 1}": rate for k, rate in enumerate(rates)}
    given = {
        "weights": by_name,
        "biases": {str(k + 1): rate for k, rate in enumerate(rates)},
        "backward": {name: by_name[name] for name in theta.get("backward", {})},
    }

    @compiled
    def run(theta, free, sign, share):
        drive = free_drive(model, theta, x, y)
        return nudge_continually(model, theta, x, drive, free, contrast, sign, share, given, steps=steps)

    free = settle(dynamics, net, x, FREE)
    nudged = nudged_dynamics(dynamics, net)
    for sign, kept in ((1.0, 3), (-1.0, 2)):
        share = np.where(np.arange(3) < kept, 1 / kept, 0)
        found = run(theta, tuple(map(jnp.asarray, free)), jnp.float64(sign), jnp.asarray(share))
        part = [s[:kept] for s in free]
        after, seen, _ = continual_ep(
            nudged, net, x[:kept], y[:kept], beta=sign * BETA, rates=rates, steps=steps, free=part
        )
        assert far(net_of(found.theta, net), after) < 1e-10
        assert close([s[:kept] for s in found.states], seen[-1])
        assert far(after, net) > 1e-2, "the case must move the weights"
