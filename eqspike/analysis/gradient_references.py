"""Gradients to compare with: implicit, through time, and finite differences along random directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from eqspike.analysis.gradient_estimates import TOLERANCE, Setting, flat
from eqspike.analysis.gradient_rules import has_kinks
from eqspike.core.rng import Purpose, stream
from eqspike.energies.backend import jax, jnp
from eqspike.energies.model import Model, States, Theta
from eqspike.energies.references import bptt_gradient, implicit_gradient, mean_cost

DIRECTIONS = 6


@dataclass(frozen=True, eq=False)
class Reference:
    """A gradient, or its components along ``directions`` (n, n_parameters).

    ``said`` is how it was computed; differences from it below ``floor`` |gradient| are rounding.
    """

    name: str
    said: str
    values: np.ndarray
    floor: float = 1e-9
    directions: np.ndarray | None = None

    def error(self, estimate: np.ndarray) -> float | None:
        """Return |estimate - gradient| / |gradient|, None where the gradient vanishes."""
        size = np.linalg.norm(self.values)
        return float(np.linalg.norm(self._seen(estimate) - self.values) / size) if size > 0 else None

    def angle_degrees(self, estimate: np.ndarray) -> float | None:
        """Return the angle between estimate and gradient, exact for small ones too, None where one vanishes."""
        seen = self._seen(estimate)
        sizes = np.linalg.norm(seen), np.linalg.norm(self.values)
        if min(sizes) == 0:
            return None
        half = np.linalg.norm(seen / sizes[0] - self.values / sizes[1]) / 2
        return float(np.degrees(2 * np.arcsin(min(1.0, half))))

    def _seen(self, estimate: np.ndarray) -> np.ndarray:
        return estimate if self.directions is None else self.directions @ estimate


def implicit(setting: Setting) -> Reference:
    """Return the gradient by recurrent backpropagation at the free fixed point."""
    found = _implicit(setting.model, setting.theta, setting.x, setting.y, setting.free, steps=setting.steps)
    return Reference("implicit", "recurrent backpropagation at the free fixed point", flat(found))


def bptt(setting: Setting) -> Reference:
    """Return the gradient through as many steps as settling from rest took, sample by sample to save memory."""
    steps = setting.iterations
    total = 0.0
    for k in range(setting.samples):
        one = slice(k, k + 1)
        free = tuple(s[one] for s in setting.free)
        total += flat(_bptt(setting.model, setting.theta, setting.x[one], setting.y[one], free, steps=steps))
    return Reference("bptt", f"backpropagation through {steps} steps", total / setting.samples)


def finite_differences(setting: Setting) -> Reference:
    """Return the gradient's components along random directions, by central differences of fourth order."""
    leaves, shape = jax.tree.flatten(setting.theta)
    cuts = np.cumsum([values.size for values in leaves])
    h = 1e-4 if has_kinks(setting.model) else 1e-3
    random = stream(0, Purpose.PROTOCOL, 1)
    directions = random.standard_normal((DIRECTIONS, cuts[-1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)

    def cost_at(direction: np.ndarray, along: float) -> float:
        parts = np.split(direction * along, cuts[:-1])
        moved = [values + jnp.asarray(part.reshape(values.shape)) for values, part in zip(leaves, parts, strict=True)]
        theta = jax.tree.unflatten(shape, moved)
        return float(_cost(setting.model, theta, setting.x, setting.y, setting.free, setting.iterations))

    values = [
        (8 * (cost_at(d, h) - cost_at(d, -h)) - (cost_at(d, 2 * h) - cost_at(d, -2 * h))) / (12 * h) for d in directions
    ]
    said = f"finite differences along {DIRECTIONS} random directions"
    return Reference("finite-differences", said, np.array(values), 1e-8, directions)


REFERENCES: dict[str, Callable[[Setting], Reference]] = {
    "implicit": implicit,
    "bptt": bptt,
    "finite-differences": finite_differences,
}


@partial(jax.jit, static_argnames=("model", "steps"))
def _implicit(model: Model, theta: Theta, x: jax.Array, y: jax.Array, free: States, *, steps: int) -> Theta:
    return implicit_gradient(model, theta, x, y, free, steps=steps, tolerance=TOLERANCE)


@partial(jax.jit, static_argnames=("model", "steps"))
def _bptt(model: Model, theta: Theta, x: jax.Array, y: jax.Array, free: States, *, steps: int) -> Theta:
    return bptt_gradient(model, theta, x, y, free, steps)


@partial(jax.jit, static_argnames=("model",))
def _cost(model: Model, theta: Theta, x: jax.Array, y: jax.Array, free: States, steps: int) -> jax.Array:
    return mean_cost(model, theta, x, y, free, steps)
