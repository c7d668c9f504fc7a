"""Continual Equilibrium Propagation: the nudged phase in which every step changes the weights."""

from __future__ import annotations

from typing import NamedTuple

from eqspike.core.contrast import Contrast
from eqspike.energies.backend import jax, jnp
from eqspike.energies.contrast import sending_gradient
from eqspike.energies.model import Model, States, Theta, carried, prepare
from eqspike.energies.settling import Drive, step


class Continued(NamedTuple):
    """Parameters and states after the phase; ``written``: how often a value of each parameter array changed."""

    theta: Theta
    states: States
    written: Theta


def nudge_continually(
    model: Model, theta: Theta, x: jax.Array, drive: Drive, free: States, contrast: Contrast, sign: jax.Array,
    share: jax.Array, rates: Theta, *, steps: int,
) -> Continued:  # fmt: skip
    """Return parameters and states after ``steps`` nudged steps, states first with the old weights, then weights.

    Notes
    -----
    Weights from the clamped input x change by (eta / beta) mean x (s(t+1) - s(t)), so their drive changes by the Gram
    matrix x x^T times the change of s: it is followed without touching them, and their sum is added at the end. Their
    writes are counted once a step all the same.
    """
    beta = jnp.full(len(x), contrast.betas[0], free[0].dtype) * sign
    flat = x.reshape(len(x), -1).astype(free[0].dtype)
    gram = flat @ flat.T
    onto = {i.post: i.name for i in model.input_interactions}
    sent = carried(model, free)
    inside = {group: dict(theta[group]) for group in ("weights", "biases", "backward") if group in theta}
    outer = {name: inside["weights"].pop(name) for name in onto.values()}
    scaled = sign * share / contrast.betas[0]

    def turn(_: int, carry: tuple) -> tuple:
        states, fixed, now, written = carry
        now_drive = Drive(fixed, drive.y, beta=beta)
        new = step(model, now, prepare(model, now, states[0].dtype), now_drive, states, len(states))
        before, after = carried(model, states), carried(model, new)
        gradient = sending_gradient(model, now, before, after, scaled)
        changed = {
            group: {name: p - rates[group][name] * gradient[group][name] for name, p in values.items()}
            for group, values in now.items()
        }
        written = jax.tree.map(lambda total, a, b: total + (a != b).sum(dtype=jnp.int32), written, changed, now)
        moved = []
        for place, drive_of in enumerate(fixed, 1):
            change = (after[place - 1] - before[place - 1]) * scaled[:, None]
            drive_of = drive_of + changed["biases"][str(place)] - now["biases"][str(place)]
            if place in onto:
                drive_of = drive_of + rates["weights"][onto[place]] * (gram @ change)
            moved.append(drive_of)
        return new, tuple(moved), changed, written

    zeros = jax.tree.map(lambda _: jnp.int32(0), inside)
    states, _, inside, written = jax.lax.fori_loop(0, steps, turn, (free, drive.fixed, inside, zeros))
    for place, name in onto.items():
        change = (carried(model, states)[place - 1] - sent[place - 1]) * scaled[:, None]
        new = outer[name] + rates["weights"][name] * (flat.T @ change).astype(outer[name].dtype)
        written["weights"][name] = steps * (new != outer[name]).sum(dtype=jnp.int32)
        inside["weights"][name] = new
    return Continued(inside, states, written)
