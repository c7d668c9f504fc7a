"""The compiled loops over mini-batches: forward, backward, step; and the pass forward alone for answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from eqspike.energies import feedforward as functions
from eqspike.energies.backend import jax, jnp
from eqspike.energies.feedforward import Form, Moments, Theta


@dataclass(frozen=True)
class Plan:
    """Everything that the compiled loops hold fixed; ``metaplastic``: whether any projection's m is not zero."""

    form: Form
    metaplastic: bool
    learning_rate: float
    weight_decay: float
    batch: int
    keeps_moments: bool


class Chunk(NamedTuple):
    """Samples of a call, (capacity, ...): pixels, labels, whether real."""

    x: jax.Array
    labels: jax.Array
    valid: jax.Array


class Learner(NamedTuple):
    """What training changes: hidden weights, shifts and gains, Adam's averages, its steps, running moments if kept."""

    theta: Theta
    first: Theta
    second: Theta
    count: jax.Array
    moments: Moments


class Tally(NamedTuple):
    """Answers (capacity,); per sample and projection neurons active and passing errors; per batch stored changes."""

    answers: jax.Array
    active: jax.Array
    passing: jax.Array
    written: Theta


@partial(jax.jit, static_argnums=0, donate_argnums=1)
def train_batches(
    plan: Plan, learner: Learner, chunk: Chunk, batches: jax.Array, scale: jax.Array, strengths: jax.Array
) -> tuple[Learner, Tally]:
    """Learn from the first ``batches`` mini-batches of a chunk.

    Parameters
    ----------
    scale : factor on the learning rate.
    strengths : metaplasticity m of each projection.
    """
    tally = _no_tally(plan, learner, chunk)
    return jax.lax.fori_loop(0, batches, partial(_learn_batch, plan, chunk, scale, strengths), (learner, tally))


def _no_tally(plan: Plan, learner: Learner, chunk: Chunk) -> Tally:
    capacity, projections = len(chunk.x), len(learner.theta["weights"])
    per_projection = jnp.zeros((capacity, projections), jnp.int32)
    written = jax.tree.map(lambda values: jnp.zeros(capacity // plan.batch, jnp.int32), learner.theta)
    return Tally(jnp.zeros(capacity, jnp.int32), per_projection, per_projection, written)


def _learn_batch(
    plan: Plan, chunk: Chunk, scale: jax.Array, strengths: jax.Array, index: jax.Array, carry: tuple[Learner, Tally]
) -> tuple[Learner, Tally]:
    learner, tally = carry
    at = index * plan.batch
    x, labels, valid = _part(chunk, at, plan.batch)
    gradient, found = functions.loss_gradient(plan.form, learner.theta, x, labels, valid)
    new = _stepped(plan, learner, gradient, scale, strengths)
    if plan.keeps_moments:
        n = valid.sum()
        pairs = zip(learner.moments, found.moments, strict=True)
        new = new._replace(moments=tuple(functions.running(kept, seen, n) for kept, seen in pairs))
    written = _written(plan.form, new.theta, learner.theta)
    tally = _noted(tally, found, at)._replace(
        written=jax.tree.map(lambda total, now: total.at[index].set(now), tally.written, written)
    )
    return new, tally


def _part(chunk: Chunk, at: jax.Array, size: int) -> Chunk:
    return Chunk(*(jax.lax.dynamic_slice_in_dim(values, at, size) for values in chunk))


def _noted(tally: Tally, found: functions.Pass, at: jax.Array) -> Tally:
    answers = jnp.argmax(found.outputs, 1).astype(jnp.int32)
    values = (answers, found.active, found.passing)
    put = jax.lax.dynamic_update_slice_in_dim
    return Tally(*(put(total, now, at, 0) for total, now in zip(tally[:3], values, strict=True)), tally.written)


def _stepped(plan: Plan, learner: Learner, gradient: Theta, scale: jax.Array, strengths: jax.Array) -> Learner:
    """Return parameters and averages after a step: metaplastic where they are weights, plain Adam elsewhere."""
    count, rate = learner.count + 1, plan.learning_rate * scale
    groups: dict[str, dict] = {"theta": {}, "first": {}, "second": {}}
    for group, values in learner.theta.items():
        weights = group == "weights"
        resisting = strengths if weights and plan.metaplastic else [None] * len(values)
        steps = [
            functions.metaplastic_step(*arrays, count, rate, m, plan.weight_decay if weights else 0.0)
            for *arrays, m in zip(
                values, gradient[group], learner.first[group], learner.second[group], resisting, strict=True
            )
        ]
        for name, found in zip(groups, zip(*steps, strict=True), strict=True):
            groups[name][group] = tuple(found)
    return Learner(**groups, count=count, moments=learner.moments)


def _written(form: Form, new: Theta, old: Theta) -> Theta:
    """Return how many stored values of each array differ."""
    found = {}
    for group in old:
        held = partial(functions.stored, form) if group == "weights" else (lambda values: values)
        pairs = zip(new[group], old[group], strict=True)
        found[group] = tuple(_count_changed(held(now), held(before)) for now, before in pairs)
    return found


def _count_changed(new: jax.Array, old: jax.Array) -> jax.Array:
    """Return how many values differ, exact up to 2^24 along the last axis; rows in floating point, for speed."""
    return (new != old).astype(jnp.float32).sum(-1).astype(jnp.int32).sum()


@partial(jax.jit, static_argnums=0)
def answer_batches(plan: Plan, learner: Learner, chunk: Chunk, batches: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return answers (capacity,) of the first ``batches`` mini-batches and neurons active (capacity, n_projections)."""
    form = plan.form
    act = learner.theta | {"weights": tuple(functions.acting(form, w) for w in learner.theta["weights"])}

    def body(index: jax.Array, tally: Tally) -> Tally:
        at = index * plan.batch
        x, _, valid = _part(chunk, at, plan.batch)
        return _noted(tally, functions.forward(form, act, x, valid, learner.moments), at)

    tally = jax.lax.fori_loop(0, batches, body, _no_tally(plan, learner, chunk))
    return tally.answers, tally.active
