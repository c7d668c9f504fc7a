"""Reference gradients of the cost at the free fixed point: through time, implicit, and by finite differences."""

from __future__ import annotations

from eqspike.energies.backend import jax, jnp
from eqspike.energies.costs import descended_cost
from eqspike.energies.model import Model, States, Theta, fixed_drive, prepare
from eqspike.energies.settling import Drive, settle, step


def mean_cost(model: Model, theta: Theta, x: jax.Array, y: jax.Array, start: States, steps: int) -> jax.Array:
    """Return the mean cost after ``steps`` free iterations from ``start``, the cost being what small nudges descend."""
    drive = Drive(fixed_drive(model, theta, x, start[0].dtype), y)
    states = settle(model, theta, drive, start, steps=steps).states
    return descended_cost(model, theta, states, y).mean()


def bptt_gradient(model: Model, theta: Theta, x: jax.Array, y: jax.Array, free: States, steps: int) -> Theta:
    """Return the gradient by backpropagation through the last ``steps`` iterations, begun at the free states.

    References
    ----------
    Ernoult, Grollier, Querlioz, Bengio and Scellier, NeurIPS 2019, arXiv:1905.13633.
    """
    return jax.grad(lambda parameters: mean_cost(model, parameters, x, y, free, steps))(theta)


def bptt_gradients_by_step(
    model: Model, theta: Theta, x: jax.Array, y: jax.Array, free: States, steps: int
) -> list[Theta]:
    """Return the gradients with respect to the parameters of each of the last ``steps`` iterations, the last first."""

    def through(copies: list[Theta]) -> jax.Array:
        states = free
        for parameters in copies:
            drive = Drive(fixed_drive(model, parameters, x, free[0].dtype), y)
            states = step(model, parameters, prepare(model, parameters, free[0].dtype), drive, states, 1)
        return descended_cost(model, theta, states, y).mean()

    return jax.grad(through)([theta] * steps)[::-1]


def implicit_gradient(
    model: Model, theta: Theta, x: jax.Array, y: jax.Array, free: States, *, steps: int, tolerance: float
) -> Theta:
    r"""Return the gradient of the cost at a fixed point s = f(s, theta) by recurrent backpropagation.

    lambda = dC/ds + (df/ds)^T lambda is iterated until no value moves by more than ``tolerance``, at most ``steps``
    times; the gradient is (df/dtheta)^T lambda + dC/dtheta.

    References
    ----------
    Almeida, ICNN 1987; Pineda, Phys. Rev. Lett. 59:2229, 1987.
    """

    def move(parameters: Theta, states: States) -> States:
        drive = Drive(fixed_drive(model, parameters, x, free[0].dtype), y)
        return step(model, parameters, prepare(model, parameters, free[0].dtype), drive, states, 1)

    def cost(parameters: Theta, states: States) -> jax.Array:
        return descended_cost(model, parameters, states, y).mean()

    direct, pull = jax.grad(cost, argnums=(0, 1))(theta, free)
    _, back = jax.vjp(lambda states: move(theta, states), free)

    def going(carry: tuple) -> jax.Array:
        _, change, done = carry
        return (done < steps) & (change > tolerance)

    def turn(carry: tuple) -> tuple:
        adjoint, _, done = carry
        new = jax.tree.map(jnp.add, pull, back(adjoint)[0])
        change = jnp.stack([jnp.abs(a - b).max() for a, b in zip(new, adjoint, strict=True)]).max()
        return new, change, done + 1

    start = (pull, jnp.asarray(jnp.inf, free[0].dtype), jnp.int32(0))
    adjoint, _, _ = jax.lax.while_loop(going, turn, start)
    _, back_theta = jax.vjp(lambda parameters: move(parameters, free), theta)
    return jax.tree.map(jnp.add, direct, back_theta(adjoint)[0])
