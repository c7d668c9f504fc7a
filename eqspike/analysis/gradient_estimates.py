"""Estimates of rules at the exact free fixed point of a network, in 64 bits whatever the network itself runs in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import NamedTuple

import numpy as np

from eqspike.analysis.gradient_rules import Rule
from eqspike.core.contrast import Contrast
from eqspike.core.errors import ConfigError, DataError
from eqspike.core.rng import Purpose, stream
from eqspike.data import Dataset
from eqspike.energies.backend import jax, jnp
from eqspike.energies.continual import nudge_continually
from eqspike.energies.contrast import contrast_gradient, perturb
from eqspike.energies.model import Model, States, Theta, fixed_drive, prepare, zero_states
from eqspike.energies.settling import Drive, Outcome, Settled, settle, step
from eqspike.substrates.hopfield.batches import prepared_images
from eqspike.training.hopfield_spec import SMOOTH
from eqspike.training.run import Run

TOLERANCE = 1e-14  # of the states: a settled one moves by rounding only
CONTINUAL_RATE = 1e-5  # times beta: small beside what a nudge changes, large beside the rounding of a weight
_SAME = 1e-8


@dataclass(frozen=True, eq=False)
class Setting:
    """A network with its samples at the free fixed point, float64.

    Parameters
    ----------
    x, y : prepared images (samples, ...) and one-hot targets (samples, n_classes) of the samples that settled.
    free : free states of these.
    iterations : how many it took from rest.
    steps : how many are allowed, per phase.
    settled : whether every sample asked for settled; those that did not are left out.
    """

    model: Model
    theta: Theta
    x: jax.Array
    y: jax.Array
    free: States
    iterations: int
    steps: int
    settled: bool

    @property
    def samples(self) -> int:
        """How many samples settled."""
        return len(self.x)


class Estimate(NamedTuple):
    """A rule's estimate of the gradient, flat, and how it came about."""

    values: np.ndarray
    settled: bool
    crossed: bool


def settle_freely(run: Run, dataset: Dataset, samples: int) -> Setting:
    """Return the run's network with the first training ``samples``, settled; needs 64-bit mode.

    Raises
    ------
    ConfigError
        if there are not so many samples.
    DataError
        if the samples do not fit the network.
    """
    _check(run, dataset, samples)
    plan = run.substrate.plan
    theta = jax.tree.map(lambda values: jnp.asarray(np.asarray(values), jnp.float64), run.substrate.theta)
    x = prepared_images(plan, jnp.asarray(dataset.x_train[:samples].astype(np.float64)), None)
    y = jax.nn.one_hot(jnp.asarray(dataset.y_train[:samples]), run.network.layers[-1].size, dtype=jnp.float64)
    steps = max(2000, 10 * plan.dynamics.free_steps)
    found = _free(plan.model, theta, x, y, steps=steps)
    finite = np.all([np.isfinite(s).reshape(samples, -1).all(1) for s in found.states], axis=0)
    kept = np.flatnonzero((np.asarray(found.outcome) == Outcome.CONVERGED) & finite)
    free = tuple(s[kept] for s in found.states)
    iterations = int(np.asarray(found.iterations)[kept].max(initial=1))
    return Setting(plan.model, theta, x[kept], y[kept], free, iterations, steps, len(kept) == samples)


def estimate(setting: Setting, rule: Rule, beta: float) -> Estimate:
    """Return the rule's estimate with nudges of ``beta`` instead of its own; a random sign is taken as +1."""
    contrast = rule.model_copy(update={"beta": 1.0}).contrast()
    given = (setting.model, setting.theta, setting.x, setting.y, setting.free, jnp.asarray(beta, jnp.float64))
    made = _contrasted(*given, contrast=contrast, steps=setting.steps)
    values = flat(made.gradient)
    if rule.name == "continual":
        rate = jnp.asarray(CONTINUAL_RATE * beta, jnp.float64)
        forth, back = (_moved(*given, signed, made.iterations, contrast=contrast) for signed in (rate, -rate))
        values = (flat(back) - flat(forth)) / (2 * float(rate))  # what grows with the rate squared cancels
    settled = bool(made.settled) and bool(np.isfinite(values).all())
    return Estimate(values, settled, bool(made.crossed))


def flat(theta: Theta) -> np.ndarray:
    """Return all parameters, or their gradients, in one row."""
    return np.concatenate([np.asarray(values).reshape(-1) for values in jax.tree.leaves(theta)])


def _check(run: Run, dataset: Dataset, samples: int) -> None:
    if not 1 <= samples <= len(dataset.x_train):
        raise ConfigError(
            f"{samples} is no number of samples of '{dataset.name}'.",
            field="samples",
            remedy=f"Use 1 to {len(dataset.x_train)}.",
        )
    expected = (prod(run.substrate.plan.image_shape), run.network.layers[-1].size)
    if dataset.n_pixels != expected[0] or dataset.n_classes > expected[1]:
        raise DataError(
            f"its images have {dataset.n_pixels} pixels in {dataset.n_classes} classes, the network takes "
            f"{expected[0]} pixels in {expected[1]} classes.",
            field=dataset.name,
            remedy="Give a data set of that shape.",
        )


def _drive(model: Model, theta: Theta, x: jax.Array, y: jax.Array) -> Drive:
    return Drive(fixed_drive(model, theta, x, y.dtype), y)


@partial(jax.jit, static_argnames=("model", "steps"))
def _free(model: Model, theta: Theta, x: jax.Array, y: jax.Array, *, steps: int) -> Settled:
    rest = zero_states(model, len(x), y.dtype)
    return settle(model, theta, _drive(model, theta, x, y), rest, steps=steps, tolerance=TOLERANCE)


class _Contrasted(NamedTuple):
    """An estimate, whether its phases settled and crossed kinks, and the iterations that the longest took."""

    gradient: Theta
    settled: jax.Array
    crossed: jax.Array
    iterations: jax.Array


@partial(jax.jit, static_argnames=("model", "contrast", "steps"))
def _contrasted(
    model: Model, theta: Theta, x: jax.Array, y: jax.Array, free: States, beta: jax.Array,
    *, contrast: Contrast, steps: int,
) -> _Contrasted:  # fmt: skip
    """Return the estimate of ``contrast``, which is of beta 1 and so compiled once, with nudges of ``beta``."""
    drive, share = _drive(model, theta, x, y), jnp.full(len(x), 1 / len(x), y.dtype)
    found = perturb(model, theta, drive, free, contrast, beta, steps=steps, tolerance=TOLERANCE)
    gradient = contrast_gradient(model, theta, x, y, free, found.states, contrast, jnp.ones_like(beta), share)
    # Of weights and biases it is beta times too large; of a read-out, beta cancels.
    scaled = {
        group: {name: gradient[group][name] / (1 if group == "readout" else beta) for name in values}
        for group, values in theta.items()
    }
    settled = (found.outcome != Outcome.NOT_CONVERGED).all()
    crossed = _crossed(model, theta, drive, free, found.states)
    if not contrast.clamped:
        crossed |= _crossed_by_force(model, free[-1], found.states[-1])
    return _Contrasted(scaled, settled, crossed, found.iterations.max())


@partial(jax.jit, static_argnames=("model", "contrast"))
def _moved(
    model: Model, theta: Theta, x: jax.Array, y: jax.Array, free: States, beta: jax.Array, rate: jax.Array,
    steps: jax.Array, *, contrast: Contrast,
) -> Theta:  # fmt: skip
    """Return the parameters after ``steps`` nudged steps that each change them."""
    share = jnp.full(len(x), 1 / len(x), y.dtype) / beta**2  # times the sign, which is beta here: share / beta
    rates = jax.tree.map(lambda values: rate, theta)
    drive = _drive(model, theta, x, y)
    return dict(nudge_continually(model, theta, x, drive, free, contrast, beta, share, rates, steps=steps).theta)


def _crossed(model: Model, theta: Theta, drive: Drive, free: States, perturbed: States) -> jax.Array:
    """Return whether some unit lies on another side of a kink than at the free states.

    Between kinks what such units do is linear, so that a derivative along one direction changes where one is crossed.
    """
    places = [k for k, name in enumerate(model.activations) if name not in SMOOTH]
    if not places or (model.kind == "real-time" and len(places) < len(free)) or jnp.iscomplexobj(perturbed[0]):
        return jnp.asarray(False)
    together, prepared = replace(model, asynchronous=False), prepare(model, theta, free[0].dtype)
    random = stream(0, Purpose.PROTOCOL, 0)
    along = tuple(jnp.asarray(random.standard_normal(s.shape), s.dtype) for s in free)

    def derivative(states: States) -> list[jax.Array]:
        moved = jax.jvp(lambda s: step(together, theta, prepared, drive, s, 1), (states,), (along,))[1]
        return [moved[k] for k in places]

    at_rest, batch = derivative(free), len(free[0])
    crossed = jnp.asarray(False)
    for start in range(0, len(perturbed[0]), batch):
        here = derivative(tuple(s[start : start + batch] for s in perturbed))
        for a, b in zip(here, at_rest, strict=True):
            crossed |= (jnp.abs(a - b) > _SAME).any()
    return crossed


def _crossed_by_force(model: Model, free: jax.Array, perturbed: jax.Array) -> jax.Array:
    """Return whether the nudge itself, within the activation or the clip, moved an output onto or off a bound."""
    outside = model.kind == "prototypical" and model.nudge == "outside" and not model.clip
    if model.activations[-1] in SMOOTH or outside or jnp.iscomplexobj(perturbed):
        return jnp.asarray(False)
    at_rest = jnp.tile(free, (len(perturbed) // len(free), *[1] * (free.ndim - 1)))
    return (((perturbed > 0) != (at_rest > 0)) | ((perturbed < 1) != (at_rest < 1))).any()
