"""What the engine's estimates are worth: how their bias falls, whose gradients they are, and whose they are not."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
import pytest
from reference.energy_cases import compiled, free_drive, model_of, net_of, theta_of
from reference.energy_gradients import bptt as twin_bptt
from reference.energy_gradients import implicit_gradient as twin_implicit
from reference.energy_gradients import rel_mse, relative_error, slope
from reference.energy_network import Net, random_net
from reference.energy_settling import Prototypical, RealTime

from eqspike.energies import model as engine
from eqspike.energies.backend import jax, jnp
from eqspike.energies.continual import nudge_continually
from eqspike.energies.contrast import contrast_gradient, perturb
from eqspike.energies.costs import cost
from eqspike.energies.references import bptt_gradient, bptt_gradients_by_step, implicit_gradient, mean_cost
from eqspike.energies.settling import Drive, settle
from eqspike.learning.continual import ContinualEP
from eqspike.learning.contrastive import ContrastiveRule
from eqspike.learning.holomorphic import HolomorphicEP

SETTLED, NUDGED, LATE = 300, 120, 80
BETAS = (0.002, 0.004, 0.008)
X, Y = np.random.default_rng(7).random((2, 4)), np.eye(3)[[0, 2]]
SHARE = np.full(2, 0.5)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def ep(beta: float, nudging: str):
    return ContrastiveRule(beta=beta, nudging=nudging).contrast()


CLASSIC = tuple(ep(BETAS[0], kind) for kind in ("positive", "negative", "centered"))


def coupled(beta: float, nudging: str):
    return ContrastiveRule(name="coupled", beta=beta, nudging=nudging).contrast()


def circle(beta: float, points: int):
    return HolomorphicEP(beta=beta, points=points).contrast()


@partial(compiled, static_argnums=0)
def settled(model, theta, x, y):
    """Return free states to rounding, and the two reference gradients."""
    start = engine.zero_states(model, len(x), jnp.float64)
    free = settle(model, theta, free_drive(model, theta, x, y), start, steps=SETTLED).states
    implicit = implicit_gradient(model, theta, x, y, free, steps=SETTLED, tolerance=1e-15)
    return free, implicit, bptt_gradient(model, theta, x, y, free, LATE)


@partial(compiled, static_argnums=(0, 1))
def estimates(model, contrasts, theta, x, y, free, scale=1.0):
    """Return the estimate of each contrast, every beta times ``scale``.

    The sign of a mini-batch is such a scale: to the estimate, which divides by beta, it enters once more and once less.
    """
    found, share = [], jnp.asarray(SHARE) / scale**2
    for contrast in contrasts:
        drive = free_drive(model, theta, x, y)
        states = perturb(model, theta, drive, free, contrast, jnp.asarray(scale), steps=NUDGED).states
        found.append(contrast_gradient(model, theta, x, y, free, states, contrast, scale, share))
    return found


NETS = {
    "sigmoid": (Prototypical(), random_net(1, (4, 5, 3), ("sigmoid", "sigmoid"))),
    "hopfield": (Prototypical(), random_net(91, (4, 5, 3), ("hard-sigmoid", "identity"), bias=0.2)),
    "read-out": (Prototypical(), random_net(1, (4, 5, 4), ("sigmoid", "sigmoid"), classes=3)),
    "real-time": (RealTime(0.8), random_net(1, (4, 5, 3), ("tanh", "tanh"), gain=0.3)),
    "outside": (Prototypical("outside"), random_net(1, (4, 5, 3), ("sigmoid", "sigmoid"))),
    "in turn": (
        Prototypical(order=("odd", "even")),
        random_net(2, (4, 4, 3, 3), ("tanh", "sigmoid", "identity")),
    ),
}


@lru_cache
def case(name: str) -> tuple:
    """Return (model, theta, free states, implicit gradient, gradient through time)."""
    dynamics, net = NETS[name]
    model, theta = model_of(dynamics, net, X), theta_of(net)
    return model, theta, *settled(model, theta, X, Y)


def flat(gradient) -> np.ndarray:
    return np.concatenate([np.asarray(leaf).ravel() for leaf in jax.tree.leaves(gradient)])


def apart(found, expected) -> float:
    return float(np.linalg.norm(flat(found) - flat(expected)) / np.linalg.norm(flat(expected)))


@pytest.mark.parametrize("name", NETS)
def test_the_references_agree_with_each_other_and_with_differences(name: str) -> None:
    model, theta, free, implicit, through_time = case(name)
    assert apart(through_time, implicit) < 1e-10
    if name != "outside":  # the twin's reference is of the squared error
        twin = twin_implicit(*NETS[name], X, Y, list(map(np.asarray, free)))
        assert relative_error(net_of(implicit, NETS[name][1]), twin) < 1e-9
    rng = np.random.default_rng(0)
    loss = compiled(lambda theta: mean_cost(model, theta, X, Y, free, LATE))
    for _ in range(3):
        way = jax.tree.map(lambda p: jnp.asarray(rng.normal(size=p.shape)), theta)
        ahead, behind = (loss(jax.tree.map(lambda p, d, h=h: p + h * d, theta, way)) for h in (1e-5, -1e-5))
        assert (ahead - behind) / 2e-5 == pytest.approx(flat(implicit) @ flat(way), rel=1e-6)


@pytest.mark.parametrize("name", NETS)
def test_bias_falls_as_beta_one_sided_and_as_its_square_centered(name: str) -> None:
    model, theta, free, implicit, through_time = case(name)
    kinds = {"positive": 1, "negative": 1, "centered": 2}
    found = [estimates(model, CLASSIC, theta, X, Y, free, b / BETAS[0]) for b in BETAS]
    for k, (kind, order) in enumerate(kinds.items()):
        errors = [apart(at_beta[k], implicit) for at_beta in found]
        assert slope(BETAS, errors) == pytest.approx(order, abs=0.02), kind
        assert errors[-1] < 0.05
        assert apart(found[-1][k], through_time) == pytest.approx(errors[-1], rel=1e-3)


def test_holomorphic_bias_falls_as_beta_to_the_number_of_points() -> None:
    model, theta, free, implicit, _ = case("read-out")
    radii = {1: 0.002, 2: 0.002, 4: 0.02, 8: 0.12}
    contrasts = tuple(circle(radius, points) for points, radius in radii.items())
    near, far = (estimates(model, contrasts, theta, X, Y, free, scale) for scale in (1.0, 1.5))
    for points, *pair in zip(radii, near, far, strict=True):
        errors = [apart(estimate, implicit) for estimate in pair]
        assert slope((1.0, 1.5), errors) == pytest.approx(points, abs=0.02 * points)
        assert errors[0] > 1e-12, "above rounding"


def test_a_slow_oscillation_comes_to_the_restarted_estimate() -> None:
    model, theta, free, *_ = case("sigmoid")
    restarted, swung = (HolomorphicEP(beta=0.2, points=6, periods=periods).contrast() for periods in (0, 2))
    found = estimates(model, (restarted, swung), theta, X, Y, free)
    assert apart(found[1], found[0]) < 1e-10


def test_nudging_outside_the_activation_does_not_follow_the_squared_error() -> None:
    _, theta, free, descended, _ = case("outside")
    inside = model_of(Prototypical(), NETS["outside"][1], X)
    squared = compiled(lambda theta: implicit_gradient(inside, theta, X, Y, free, steps=SETTLED, tolerance=1e-15))
    assert apart(descended, squared(theta)) > 0.2


@partial(compiled, static_argnums=0)
def minimal_energy(model, theta, x, y, free, beta):
    """Return F(beta) = mean of E + beta C at the settled states, and its gradient through all of the settling."""

    def total(theta):
        drive = free_drive(model, theta, x, y)._replace(beta=jnp.full(len(x), beta))
        states = settle(model, theta, drive, free, steps=NUDGED).states
        return (engine.energy(model, theta, x, states) + beta * cost(model, theta, states, y)).mean()

    return jax.value_and_grad(total)(theta)


@pytest.mark.parametrize("name", ["sigmoid", "hopfield", "read-out", "real-time"])
def test_estimates_are_gradients_of_surrogate_losses_that_bound_the_cost(name: str) -> None:
    beta = 0.2
    model, theta, free, implicit, _ = case(name)
    found = estimates(model, CLASSIC, theta, X, Y, free, beta / BETAS[0])
    (_, d_above), (rest, d_rest), (_, d_below) = (
        minimal_energy(model, theta, X, Y, free, b) for b in (beta, 0.0, -beta)
    )
    surrogates = [
        jax.tree.map(lambda a, b, w=width: (a - b) / w, *pair)
        for *pair, width in ((d_above, d_rest, beta), (d_rest, d_below, beta), (d_above, d_below, 2 * beta))
    ]
    for estimate, exact in zip(found, surrogates, strict=True):
        assert apart(estimate, exact) < 1e-8
        assert apart(estimate, implicit) > 1e-3
    loss, gaps, betas = cost(model, theta, free, Y).mean(), [], (beta / 4, beta / 2, beta)
    for b in betas:
        above, below = (minimal_energy(model, theta, X, Y, free, signed)[0] for signed in (b, -b))
        assert (above - rest) / b < loss < (rest - below) / b
        gaps.append(abs((above - below) / (2 * b) - loss))
    assert slope(betas, gaps) == pytest.approx(2, abs=0.1), "and the centered one comes closer than both"


def test_coupled_and_contrastive_learning_are_no_gradients_however_small_the_nudge() -> None:
    model, theta, free, implicit, _ = case("hopfield")
    kinds = ("positive", "negative", "centered")
    contrasts = (*(coupled(0.001, kind) for kind in kinds), ContrastiveRule(name="contrastive", beta=1.0).contrast())
    scales = (1.0, 2.0, 4.0)
    found = [estimates(model, contrasts, theta, X, Y, free, scale) for scale in scales]
    for k in range(len(kinds)):
        errors = [apart(at_beta[k], implicit) for at_beta in found]
        assert min(errors) > 0.05 and abs(slope(scales, errors)) < 0.02
    a, b = flat(found[0][-1]), flat(implicit)
    assert 0.7 < a @ b / np.linalg.norm(a) / np.linalg.norm(b) < 0.9999


STEPS = 8


@partial(compiled, static_argnums=(0, 1))
def continual_updates(model, contrast, theta, x, y, free, rate):
    """Return -change / rate of the parameters at each of the first steps, from phases of one step each."""
    drive, now, states, found = free_drive(model, theta, x, y), theta, free, []
    rates = jax.tree.map(lambda _: 1.0, theta)
    for _ in range(STEPS):
        # A rate of 1e-15 is below the spacing of weights: a step of rate 1 is scaled by hand.
        ended = nudge_continually(
            model, now, x, Drive(engine.fixed_drive(model, now, x, jnp.float64), drive.y), states, contrast,
            jnp.float64(1), jnp.asarray(SHARE), rates, steps=1,
        )  # fmt: skip
        update = jax.tree.map(lambda old, new: old - new, now, ended.theta)
        now = jax.tree.map(lambda p, u: p - rate * u, now, update)
        states = ended.states
        found.append(update)
    return found


@pytest.mark.parametrize("name", ["real-time", "sigmoid", "hopfield"])
def test_continual_updates_become_the_gradients_of_each_step_through_time(name: str) -> None:
    model, theta, free, *_ = case(name)
    by_step = compiled(lambda theta: bptt_gradients_by_step(model, theta, X, Y, free, STEPS))(theta)
    expected, _ = twin_bptt(*NETS[name], X, Y, steps=STEPS, states=list(map(np.asarray, free)))
    assert apart([flat(g) for g in by_step], [as_engine(g, theta) for g in expected]) < 1e-9
    updates = continual_updates(model, ContinualEP(beta=5e-7).contrast(), theta, X, Y, free, 1e-15)
    assert rel_mse(np.array([flat(u) for u in updates]), np.array([flat(g) for g in by_step])) < 1e-6


def as_engine(gradient: Net, theta) -> np.ndarray:
    """Return a twin's gradient in the order of the engine's leaves."""
    return flat(theta_of(gradient))
