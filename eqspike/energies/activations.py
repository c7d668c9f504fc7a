"""Activations, and the potentials whose derivative is their inverse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eqspike.energies.backend import jax, jnp

Function = Callable[[jax.Array], jax.Array]


@dataclass(frozen=True)
class Activation:
    r"""sigma, its inverse, and S(s) = \int sigma^{-1}: settled states s = sigma(h) are stationary in S(s) - s h.

    ``slope`` is sigma'. Where sigma is flat outside a box, S holds inside the box.
    """

    name: str
    value: Function
    slope: Function
    inverse: Function
    potential: Function


def _inside(low: float, high: float, slope: float) -> Function:
    return lambda x: jnp.where((x >= low) & (x <= high), slope, 0.0).astype(x.dtype)


def _entropy(s: jax.Array) -> jax.Array:
    return s * jnp.log(s) + (1 - s) * jnp.log(1 - s)


def _sigmoid(x: jax.Array) -> jax.Array:
    return 0.5 + 0.5 * jnp.tanh(2 * x - 1)  # = 1 / (1 + exp(-4 (x - 1/2))), meromorphic


def _sigmoid_slope(x: jax.Array) -> jax.Array:
    s = _sigmoid(x)
    return 4 * s * (1 - s)


ACTIVATIONS = {
    found.name: found
    for found in (
        Activation(
            "sigmoid",
            _sigmoid,
            _sigmoid_slope,
            lambda s: 0.5 + 0.25 * jnp.log(s / (1 - s)),
            lambda s: 0.5 * s + 0.25 * _entropy(s),
        ),
        Activation(
            "tanh",
            jnp.tanh,
            lambda x: 1 - jnp.tanh(x) ** 2,
            jnp.arctanh,
            lambda s: s * jnp.arctanh(s) + 0.5 * jnp.log(1 - s * s),
        ),
        Activation("hard-sigmoid", lambda x: jnp.clip(x, 0, 1), _inside(0, 1, 1.0), lambda s: s, lambda s: 0.5 * s * s),
        Activation(
            "half-hard-sigmoid",
            lambda x: jnp.clip(0.5 * x, 0, 1),
            _inside(0, 2, 0.5),
            lambda s: 2 * s,
            lambda s: s * s,
        ),
        Activation("identity", lambda x: x, jnp.ones_like, lambda s: s, lambda s: 0.5 * s * s),
    )
}
