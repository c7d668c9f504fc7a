"""Settling: the states run to a fixed point of their dynamics, free, nudged or with the output clamped."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from eqspike.energies.activations import ACTIVATIONS
from eqspike.energies.backend import jax, jnp
from eqspike.energies.costs import force
from eqspike.energies.model import Model, States, Theta, carried, drives, prepare


class Outcome(IntEnum):
    """How the settling of a sample ended."""

    FIXED_STEPS = 0
    CONVERGED = 1
    NOT_CONVERGED = 2


class Settled(NamedTuple):
    """States at the end; per sample the iterations it took and its Outcome, (batch,) int32."""

    states: States
    iterations: jax.Array
    outcome: jax.Array


class Drive(NamedTuple):
    """What acts on the states from outside.

    ``fixed``: input and bias of each free layer; ``y`` (batch, n_classes); ``beta`` (batch,) may be complex;
    ``clamp``: whether the last layer stays as it is.
    """

    fixed: States
    y: jax.Array
    beta: jax.Array | None = None
    clamp: bool = False


def step(
    model: Model, theta: Theta, prepared: Mapping[str, tuple[Any, Any]], drive: Drive, states: States, first: int
) -> States:
    """Return the states after one iteration: of all layers, or of the half with layer ``first`` and then the other."""
    free = len(states) - (1 if drive.clamp else 0)
    every = range(1, free + 1)
    halves = [every]
    if model.asynchronous:
        halves = [[p for p in every if p % 2 == first % 2], [p for p in every if p % 2 != first % 2]]
    for places in halves:
        changed = dict(enumerate(states, 1))
        for place, found in drives(model, prepared, drive.fixed, carried(model, states), places).items():
            pull = None
            if drive.beta is not None and place == len(states):
                last = states[-1]
                pull = drive.beta.reshape(-1, *[1] * (last.ndim - 1)) * force(model, theta, states, drive.y)
            changed[place] = _moved(model, place, states[place - 1], found, pull)
        states = tuple(changed[place] for place in range(1, len(states) + 1))
    return states


def _moved(model: Model, place: int, s: jax.Array, drive: jax.Array, pull: jax.Array | None) -> jax.Array:
    activation = ACTIVATIONS[model.activations[place - 1]]
    if model.kind == "real-time":
        change = -s + activation.slope(s) * drive + (0 if pull is None else pull)
        s = s + model.dt * change
        return jnp.clip(s, 0, 1) if model.clip else s
    if pull is None:
        return activation.value(drive)
    if model.nudge == "inside":
        return activation.value(drive + pull)
    moved = activation.value(drive) + pull
    return jnp.clip(moved, 0, 1) if model.clip else moved


def settle(
    model: Model,
    theta: Theta,
    drive: Drive,
    states: States,
    *,
    steps: int,
    tolerance: float = 0.0,
    early: bool = True,
    backwards: bool = False,
) -> Settled:
    """Return the states after ``steps`` iterations, or once no state of a sample moves by more than ``tolerance``.

    Each sample stops for itself, so that what settles with it changes nothing; without ``early`` all take every step,
    and the last one tells whether they have converged. ``backwards`` lets asynchronous updates begin with the output.
    """
    prepared = prepare(model, theta, states[0].real.dtype)
    first = len(states) if backwards else 1

    def move(now: States) -> States:
        return step(model, theta, prepared, drive, now, first)

    batch = len(states[0])
    if tolerance <= 0:
        end = jax.lax.fori_loop(0, steps, lambda _, now: move(now), states)
        return Settled(end, jnp.full(batch, steps, jnp.int32), jnp.full(batch, Outcome.FIXED_STEPS, jnp.int32))
    if not early:
        before = jax.lax.fori_loop(0, steps - 1, lambda _, now: move(now), states)
        end = move(before)
        outcome = _outcome(_moving(end, before, tolerance))
        return Settled(end, jnp.full(batch, steps, jnp.int32), outcome)

    def going(carry: tuple) -> jax.Array:
        _, moving, _, done = carry
        return (done < steps) & moving.any()

    def turn(carry: tuple) -> tuple:
        now, moving, iterations, done = carry
        new = move(now)
        kept = tuple(_where(moving, a, b) for a, b in zip(new, now, strict=True))
        return kept, moving & _moving(new, now, tolerance), iterations + moving, done + 1

    start = (states, jnp.ones(batch, bool), jnp.zeros(batch, jnp.int32), jnp.int32(0))
    end, moving, iterations, _ = jax.lax.while_loop(going, turn, start)
    return Settled(end, iterations, _outcome(moving))


def _outcome(moving: jax.Array) -> jax.Array:
    return jnp.where(moving, Outcome.NOT_CONVERGED, Outcome.CONVERGED).astype(jnp.int32)


def _moving(new: States, old: States, tolerance: float) -> jax.Array:
    return ~(_largest_change(new, old) <= tolerance)  # so that states which are no numbers have not converged


def _largest_change(new: States, old: States) -> jax.Array:
    """Return the largest change of any state of each sample, (batch,)."""
    changes = [jnp.abs(a - b).reshape(len(a), -1).max(1) for a, b in zip(new, old, strict=True)]
    return jnp.stack(changes).max(0)


def residual(model: Model, theta: Theta, drive: Drive, states: States) -> jax.Array:
    """Return how far one more synchronous iteration would move each sample, max |ds|, (batch,)."""
    prepared = prepare(model, theta, states[0].real.dtype)
    return _largest_change(step(model, theta, prepared, drive, states, 1), states)


def _where(chosen: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    return jnp.where(chosen.reshape(-1, *[1] * (a.ndim - 1)), a, b)
