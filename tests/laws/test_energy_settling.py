"""Laws of settling: energy falls, free states rest, precision and company change nothing, and failures say so."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from reference.energy_cases import compiled, free_drive, model_of, theta_of
from reference.energy_links import Convolution, Dense
from reference.energy_network import Net, dense_net, random_net
from reference.energy_settling import Prototypical, RealTime

from eqspike.energies import model as engine
from eqspike.energies.backend import jax, jnp
from eqspike.energies.costs import cost
from eqspike.energies.settling import Outcome, residual, settle, step

IN_TURN = Prototypical(order=("odd", "even"))
SLOW = RealTime(0.05, clip=True)
FLIPPING = dense_net([np.zeros((1, 1)), np.array([[-9.0]])], [np.array([5.0])] * 2, ["sigmoid"] * 2)


@pytest.fixture
def double():
    with jax.enable_x64(True):
        yield


def convolutional() -> tuple[Net, np.ndarray]:
    rng = np.random.default_rng(1)
    links = (Convolution(rng.normal(0, 0.5, (3, 3, 1, 2)), 1, "max"), Dense(rng.normal(0, 0.5, (8, 3))))
    net = Net(links, (rng.normal(0.2, 0.1, 2), rng.normal(0.2, 0.1, 3)), ("sigmoid", "sigmoid"))
    return net, rng.random((3, 5, 4, 1))


FALLING = {
    "in turn": (IN_TURN, random_net(3, (4, 6, 5, 3), ("tanh", "sigmoid", "sigmoid"), gain=2)),
    "in turn, hard": (IN_TURN, random_net(4, (4, 6, 5, 3), ("hard-sigmoid", "half-hard-sigmoid", "identity"), gain=2)),
    "in turn, convolution": (IN_TURN, convolutional()[0]),
    "slow": (RealTime(0.05), random_net(5, (4, 6, 5, 3), ("tanh", "sigmoid", "tanh"), gain=3)),
    "slow, clipped": (SLOW, random_net(6, (4, 6, 5, 3), ("hard-sigmoid", "sigmoid", "hard-sigmoid"), gain=3)),
}


@pytest.mark.parametrize("beta", [0.0, 0.6])
@pytest.mark.parametrize("name", FALLING)
def test_energy_never_rises(double, name: str, beta: float) -> None:
    """E + beta C: each half of an update in turn minimises it by its layers, a slow step descends it."""
    (dynamics, net), rng = FALLING[name], np.random.default_rng(2)
    x, y = convolutional()[1] if "convolution" in name else rng.random((3, 4)), np.eye(3)
    model, theta = model_of(dynamics, net, x), theta_of(net)
    path = energies(model, theta, x, y, beta, tuple(rng.uniform(0.05, 0.95, s.shape) for s in net.rest(x)))
    assert np.all(np.diff(path, axis=0) <= 1e-13)
    assert np.all(path[-1] < path[0] - 0.01)


@partial(compiled, static_argnums=0)
def energies(model, theta, x, y, beta, states):
    """Return E + beta C before and after each of 60 steps, (61, batch)."""
    drive = free_drive(model, theta, x, y)._replace(beta=jnp.full(len(x), beta))
    prepared = engine.prepare(model, theta, jnp.float64)

    def turn(now, _):
        new = step(model, theta, prepared, drive, now, 1)
        return new, engine.energy(model, theta, x, new) + drive.beta * cost(model, theta, new, drive.y)

    before = engine.energy(model, theta, x, states) + drive.beta * cost(model, theta, states, drive.y)
    return jnp.concatenate([before[None], jax.lax.scan(turn, states, length=60)[1]])


def test_updates_at_once_may_raise_the_energy(double) -> None:
    """The law above is no law of synchronous updates: two units that inhibit each other flip for ever."""
    model, theta, x = model_of(Prototypical(), FLIPPING, np.ones((1, 1))), theta_of(FLIPPING), jnp.ones((1, 1))
    path = energies(model, theta, x, jnp.zeros((1, 1)), 0.0, (jnp.full((1, 1), 0.9), jnp.full((1, 1), 0.8)))
    assert np.diff(path, axis=0).max() > 0.01


@pytest.mark.parametrize("dynamics", [Prototypical(), IN_TURN, RealTime(0.5)])
def test_free_states_are_fixed_points(double, dynamics) -> None:
    net, x = random_net(7, (4, 6, 3), ("tanh", "sigmoid")), np.random.default_rng(3).random((4, 4))
    model, theta = model_of(dynamics, net, x), theta_of(net)
    start = engine.zero_states(model, 4, jnp.float64)

    @compiled
    def run(theta):
        drive = free_drive(model, theta, x, jnp.zeros((4, 3)))
        ended = settle(model, theta, drive, start, steps=500, tolerance=1e-12)
        return ended, residual(model, theta, drive, ended.states), residual(model, theta, drive, start)

    ended, left, at_first = run(theta)
    assert (ended.outcome == Outcome.CONVERGED).all()
    assert ended.iterations.min() > 5 and ended.iterations.max() < 500
    assert left.max() < 1e-11 and at_first.min() > 0.01


def test_single_precision_follows_double_precision() -> None:
    """Within a few hundred spacings of single numbers, along settling and in the energy."""
    net, x = random_net(7, (4, 6, 3), ("tanh", "sigmoid")), np.random.default_rng(3).random((4, 4))
    model, found = model_of(Prototypical(), net, x), {}

    @compiled
    def run(theta, x):
        start = engine.zero_states(model, 4, x.dtype)
        states = settle(model, theta, free_drive(model, theta, x, jnp.zeros((4, 3), x.dtype)), start, steps=50).states
        return *states, engine.energy(model, theta, x, states)

    for dtype in (np.float32, np.float64):
        with jax.enable_x64(dtype == np.float64):
            found[dtype] = [np.asarray(values) for values in run(theta_of(net, dtype), jnp.asarray(x, dtype))]
        assert {values.dtype for values in found[dtype]} == {np.dtype(dtype)}
    for single, twice in zip(found[np.float32], found[np.float64], strict=True):
        np.testing.assert_allclose(single, twice, atol=2e-5)
        assert not np.array_equal(single, twice)


@pytest.mark.parametrize("early", [True, False])
def test_a_sample_settles_alone_as_in_company(double, early: bool) -> None:
    """Samples that need different numbers of steps; each stops for itself."""
    net, x = random_net(8, (4, 6, 3), ("tanh", "sigmoid"), gain=2), np.random.default_rng(3).random((5, 4))
    x[2], x[4] = 0, 8 * x[4]
    model, theta = model_of(Prototypical(), net, x), theta_of(net)

    @compiled
    def run(x, start):
        drive = free_drive(model, theta, x, jnp.zeros((len(x), 3)))
        return settle(model, theta, drive, start, steps=200, tolerance=1e-6, early=early)

    together = run(x, engine.zero_states(model, 5, jnp.float64))
    assert len(set(together.iterations.tolist())) > 1 or not early
    one = engine.zero_states(model, 1, jnp.float64)
    for k in range(5):
        alone = run(x[[k]], one)
        assert alone.iterations[0] == together.iterations[k] and alone.outcome[0] == together.outcome[k]
        for a, b in zip(alone.states, together.states, strict=True):
            np.testing.assert_allclose(a[0], b[k], rtol=0, atol=1e-14)


@pytest.mark.parametrize("early", [True, False])
def test_a_settle_that_does_not_converge_says_so(double, early: bool) -> None:
    """Two units that inhibit each other flip for ever when moved at once, and rest when moved in turn."""
    x, y = jnp.ones((2, 1)), jnp.zeros((2, 1))
    theta = theta_of(FLIPPING)
    for dynamics, expected in ((Prototypical(), Outcome.NOT_CONVERGED), (IN_TURN, Outcome.CONVERGED)):
        model = model_of(dynamics, FLIPPING, np.ones((2, 1)))
        start = engine.zero_states(model, 2, jnp.float64)
        drive = free_drive(model, theta, x, y)
        ended = settle(model, theta, drive, start, steps=60, tolerance=1e-3, early=early)
        assert ended.outcome.tolist() == [expected] * 2
        unwatched = settle(model, theta, drive, start, steps=60)
        assert unwatched.outcome.tolist() == [Outcome.FIXED_STEPS] * 2 and unwatched.iterations.tolist() == [60] * 2


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("steps", [12, 1500])
def test_states_that_run_away_have_not_converged(double, early: bool, steps: int) -> None:
    """Two linear units that drive each other threefold: large after 12 steps, not a number after 1500."""
    net = dense_net([np.ones((1, 1)), np.array([[3.0]])], [np.zeros(1)] * 2, ["identity"] * 2)
    model, theta = model_of(Prototypical(), net, np.ones((1, 1))), theta_of(net)
    start = engine.zero_states(model, 1, jnp.float64)
    drive = free_drive(model, theta, jnp.ones((1, 1)), jnp.zeros((1, 1)))
    ended = settle(model, theta, drive, start, steps=steps, tolerance=1e-3, early=early)
    assert not np.isfinite(ended.states[0]).all() if steps > 1000 else np.isfinite(ended.states[0]).all()
    assert ended.outcome[0] == Outcome.NOT_CONVERGED
