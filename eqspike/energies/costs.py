"""What is nudged: the cost of an output, the force with which it pulls, and the cost that a nudge truly descends."""

from __future__ import annotations

from eqspike.energies.activations import ACTIVATIONS
from eqspike.energies.backend import jax, jnp
from eqspike.energies.model import Model, States, Theta, per_sample


def logits(theta: Theta, states: States) -> jax.Array:
    """Return the read-out of the last layer, outside the dynamics, (batch, n_classes)."""
    last = states[-1].reshape(len(states[-1]), -1)
    dtype = last.real.dtype
    return last @ theta["readout"]["weights"].astype(dtype) + theta["readout"]["biases"].astype(dtype)


def outputs(model: Model, theta: Theta, states: States) -> jax.Array:
    """Return what the network answers with, (batch, n_classes): the largest is its class."""
    return logits(theta, states) if model.softmax else states[-1]


def cost(model: Model, theta: Theta, states: States, y: jax.Array) -> jax.Array:
    """Return the cost of each sample (batch,): cross-entropy of the read-out, or 1/2 |s_last - y|^2.

    Parameters
    ----------
    y : (batch, n_classes), one-hot.
    """
    if model.softmax:
        return -jnp.sum(y * jnp.log(_softmax(logits(theta, states))), axis=1)
    return 0.5 * per_sample((states[-1] - y) ** 2)


def force(model: Model, theta: Theta, states: States, y: jax.Array) -> jax.Array:
    """Return -dC/ds of the last layer, in its shape; entire in the states, so that they may be complex."""
    if not model.softmax:
        return y - states[-1]
    missing = y - _softmax(logits(theta, states))
    return (missing @ theta["readout"]["weights"].astype(y.dtype).T).reshape(states[-1].shape)


def descended_cost(model: Model, theta: Theta, states: States, y: jax.Array) -> jax.Array:
    r"""Return the cost (batch,) whose gradient vanishing nudges estimate; ``cost`` itself where the nudge is inside.

    A nudge outside the activation, s = sigma(h) + beta (y - s), is stationary in S_beta(s) = S((1 + beta) s - beta y)
    / (1 + beta) in place of S(s), and dS_beta/dbeta = sigma^{-1}(s) (s - y) - S(s) at beta = 0: for the sigmoid a
    quarter of the binary cross-entropy, not the squared error. In real time nothing of the kind arises.
    """
    if model.nudge == "inside" or model.kind == "real-time":
        return cost(model, theta, states, y)
    last, activation = states[-1], ACTIVATIONS[model.activations[-1]]
    return per_sample(activation.inverse(last) * (last - y) - activation.potential(last))


def _softmax(values: jax.Array) -> jax.Array:
    shifted = jnp.exp(values - jax.lax.stop_gradient(values.real.max(axis=1, keepdims=True)))
    return shifted / shifted.sum(axis=1, keepdims=True)
