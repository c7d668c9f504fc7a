"""The compiled loops over mini-batches: settle, perturb, contrast, change; and settling alone for answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from eqspike.core.contrast import Contrast
from eqspike.energies import images as image_functions
from eqspike.energies.backend import jax, jnp, optax
from eqspike.energies.continual import nudge_continually
from eqspike.energies.contrast import contrast_gradient, perturb
from eqspike.energies.costs import outputs
from eqspike.energies.model import Model, States, Theta, fixed_drive, zero_states
from eqspike.energies.settling import Drive, Outcome, settle
from eqspike.network.description import with_channels
from eqspike.substrates.hopfield.settings import Dynamics, Images, Optimiser


@dataclass(frozen=True)
class Plan:
    """Everything that the compiled loops hold fixed; ``rates`` is the learning rate of each interaction, in order."""

    model: Model
    dynamics: Dynamics
    images: Images
    optimiser: Optimiser
    contrast: Contrast
    continual: bool
    same_feedback: bool
    image_shape: tuple[int, ...]
    batch: int
    seed: int
    dtype: str

    def __hash__(self) -> int:
        return hash((self.model, self.contrast, self.continual, self.batch, self.seed, self.dtype))


class Chunk(NamedTuple):
    """Samples of a call, (capacity, ...): pixels, labels, presentation number, whether real; ``sign`` per batch."""

    x: jax.Array
    labels: jax.Array
    number: jax.Array
    valid: jax.Array
    sign: jax.Array
    input_uses: jax.Array  # (pixels,)


class Learner(NamedTuple):
    """What training changes: parameters, the optimiser's memory, the states of the last mini-batch."""

    theta: Theta
    memory: Any
    last: States


class Tally(NamedTuple):
    """Per sample: answer, uses of input weights, iterations, whether unsettled; per batch: weights changed."""

    answers: jax.Array
    input_uses: jax.Array
    free_iterations: jax.Array
    nudged_iterations: jax.Array
    unsettled: jax.Array
    written: Any


def make_optimiser(settings: Optimiser) -> optax.GradientTransformation:
    """Return the optimiser before learning rates are applied."""
    parts = [optax.add_decayed_weights(settings.weight_decay)] if settings.weight_decay else []
    if settings.name == "adam":
        parts.append(optax.scale_by_adam())
    elif settings.momentum:
        parts.append(optax.trace(settings.momentum))
    return optax.chain(*parts) if parts else optax.identity()


def learning_rates(plan: Plan, theta: Theta) -> Theta:
    """Return the learning rate of every parameter: that of its projection, a bias's that of the layer's."""
    names = [i.name for i in plan.model.interactions]
    rates = plan.optimiser.learning_rates
    found: dict = {
        "weights": {name: rates[names.index(name)] for name in theta["weights"]},
        "biases": {place: rates[int(place) - 1] for place in theta["biases"]},
    }
    if "backward" in theta:
        found["backward"] = {name: rates[names.index(name)] for name in theta["backward"]}
    if "readout" in theta:
        found["readout"] = {"weights": rates[-1], "biases": rates[-1]}
    return found


def prepared_images(plan: Plan, x: jax.Array, number: jax.Array | None) -> jax.Array:
    """Return pixels (batch, n) as the network sees them; ``number`` of each presentation where images are varied."""
    settings, shape = plan.images, with_channels(plan.image_shape)
    if len(shape) == 3:
        x = x.reshape(-1, *shape)
        if settings.size is not None:
            x = image_functions.pad_to(x, settings.size)
        if number is not None and (settings.crop_padding or settings.flip):
            x = image_functions.augment(
                x, number, plan.seed, pad=settings.crop_padding, fill=settings.fill, flip=settings.flip
            )
        if settings.mean:
            x = image_functions.normalise(x, tuple(settings.mean), tuple(settings.std))
    return x


@partial(jax.jit, static_argnums=0, donate_argnums=(1, 4))
def train_batches(
    plan: Plan, learner: Learner, chunk: Chunk, batches: jax.Array, starts: States, scale: jax.Array
) -> tuple[Learner, Tally, States]:
    """Learn from the first ``batches`` mini-batches of a chunk; return the free states where samples keep theirs.

    Parameters
    ----------
    starts : states (capacity, ...) that each sample begins from, of no rows unless samples keep theirs.
    scale : factor on every learning rate.
    """
    capacity = len(chunk.x)
    tally = Tally(
        *[jnp.zeros(capacity, jnp.int32)] * 5,
        jax.tree.map(lambda p: jnp.zeros(len(chunk.sign), jnp.int32), learner.theta),
    )
    body = partial(_learn_batch, plan, chunk, scale)
    return jax.lax.fori_loop(0, batches, body, (learner, tally, starts))


def _learn_batch(
    plan: Plan, chunk: Chunk, scale: jax.Array, index: jax.Array, carry: tuple[Learner, Tally, States]
) -> tuple[Learner, Tally, States]:
    learner, tally, starts = carry
    theta, dtype = learner.theta, jnp.dtype(plan.dtype)
    at, size = index * plan.batch, plan.batch

    def part(values: jax.Array) -> jax.Array:
        return jax.lax.dynamic_slice_in_dim(values, at, size)

    x = prepared_images(plan, part(chunk.x), part(chunk.number))
    y = jax.nn.one_hot(part(chunk.labels), _n_outputs(plan, theta), dtype=dtype)
    valid, sign = part(chunk.valid), chunk.sign[index].astype(dtype)
    begin = _begin(plan, learner, tuple(part(s) for s in starts) if starts else ())
    drive = Drive(fixed_drive(plan.model, theta, x, dtype), y)
    dynamics = plan.dynamics
    free = settle(
        plan.model, theta, drive, begin,
        steps=dynamics.free_steps, tolerance=dynamics.tolerance, early=dynamics.early_stop,
    )  # fmt: skip
    answers = jnp.argmax(outputs(plan.model, theta, free.states), axis=1).astype(jnp.int32)
    settled = valid & (free.outcome != Outcome.NOT_CONVERGED)
    share = settled / jnp.maximum(settled.sum(), 1).astype(dtype)
    at_rest = _zeroed(free.states, settled)  # what has run away must not even meet the others: 0 x inf is no number
    drive = Drive(_zeroed(drive.fixed, settled), y * settled[:, None])
    if plan.continual:
        rates = jax.tree.map(lambda rate: rate * scale, learning_rates(plan, theta))
        changed = nudge_continually(
            plan.model, theta, x, drive, at_rest, plan.contrast, sign, share, rates, steps=dynamics.nudged_steps
        )
        theta, memory = changed.theta, learner.memory
        written = changed.written
        nudged_iterations = jnp.full(size, dynamics.nudged_steps, jnp.int32)
    else:
        perturbed = perturb(plan.model, theta, drive, at_rest, plan.contrast, sign, steps=dynamics.nudged_steps)
        gradient = contrast_gradient(
            plan.model, theta, x, drive.y, at_rest, perturbed.states, plan.contrast, sign, share
        )
        if plan.same_feedback and "backward" in gradient:
            gradient = _averaged_feedback(gradient)
        theta, memory, written = _changed(plan, learner, gradient, scale)
        nudged_iterations = perturbed.iterations.reshape(-1, size).sum(0)

    def put(values: jax.Array, new: jax.Array) -> jax.Array:
        new = jnp.where(valid, new, 0) if new.ndim == 1 else new
        return jax.lax.dynamic_update_slice_in_dim(values, new.astype(values.dtype), at, 0)

    uses = ((x != 0).reshape(size, -1) * chunk.input_uses).sum(1)
    tally = Tally(
        put(tally.answers, answers),
        put(tally.input_uses, uses),
        put(tally.free_iterations, free.iterations),
        put(tally.nudged_iterations, nudged_iterations),
        put(tally.unsettled, valid & ~settled),
        jax.tree.map(lambda total, new: total.at[index].set(new.astype(total.dtype)), tally.written, written),
    )
    ended = tuple(jnp.where(jnp.isfinite(s), s, 0) for s in free.states)
    starts = tuple(put(all_, s) for all_, s in zip(starts, ended, strict=True)) if starts else ()
    return Learner(theta, memory, ended if learner.last else ()), tally, starts


def _zeroed(states: States, kept: jax.Array) -> States:
    """Return ``states`` with those of samples that are not ``kept`` set to zero."""
    return tuple(jnp.where(kept.reshape(-1, *[1] * (s.ndim - 1)), s, 0) for s in states)


def _n_outputs(plan: Plan, theta: Theta) -> int:
    return theta["readout"]["biases"].shape[0] if plan.model.softmax else plan.model.shapes[-1][0]


def _begin(plan: Plan, learner: Learner, kept: States) -> States:
    if plan.dynamics.persistent == "sample":
        return kept
    if plan.dynamics.persistent == "batch":
        return learner.last
    return zero_states(plan.model, plan.batch, jnp.dtype(plan.dtype))


def _averaged_feedback(gradient: Theta) -> Theta:
    """Return the estimates with both ways of an interaction changed by the mean of the two (Kolen-Pollack)."""
    mean = {name: 0.5 * (gradient["weights"][name] + back) for name, back in gradient["backward"].items()}
    return {**gradient, "weights": {**gradient["weights"], **mean}, "backward": mean}


def _changed(plan: Plan, learner: Learner, gradient: Theta, scale: jax.Array) -> tuple[Theta, Any, Theta]:
    """Return parameters and the optimiser's memory after one step, and how many of each array's values it changed."""
    theta = learner.theta
    gradient = jax.tree.map(lambda g, p: g.astype(p.dtype), _like(theta, gradient), theta)
    updates, memory = make_optimiser(plan.optimiser).update(gradient, learner.memory, theta)
    new = jax.tree.map(
        lambda p, u, rate: p - scale.astype(p.dtype) * rate * u, theta, updates, learning_rates(plan, theta)
    )
    return new, memory, jax.tree.map(count_changed, new, theta)


def count_changed(new: jax.Array, old: jax.Array) -> jax.Array:
    """Return how many values differ, exact up to 2^24 along the first axis."""
    return (new != old).astype(jnp.float32).sum(0).astype(jnp.int32).sum()


def _like(theta: Theta, gradient: Theta) -> Theta:
    return {group: {name: gradient[group][name] for name in values} for group, values in theta.items()}


@partial(jax.jit, static_argnums=0)
def answer_batch(plan: Plan, theta: Theta, x: jax.Array, uses: jax.Array) -> tuple[jax.Array, ...]:
    """Return answers, uses of input weights, iterations and outcomes of a batch of samples settled freely."""
    x = prepared_images(plan, x, None)
    dtype = jnp.dtype(plan.dtype)
    y = jnp.zeros((len(x), _n_outputs(plan, theta)), dtype)
    drive = Drive(fixed_drive(plan.model, theta, x, dtype), y)
    begin = zero_states(plan.model, len(x), dtype)
    dynamics = plan.dynamics
    free = settle(
        plan.model, theta, drive, begin,
        steps=dynamics.free_steps, tolerance=dynamics.tolerance, early=dynamics.early_stop,
    )  # fmt: skip
    answers = jnp.argmax(outputs(plan.model, theta, free.states), axis=1)
    used = ((x != 0).reshape(len(x), -1) * uses).sum(1)
    return answers, used, free.iterations, free.outcome
