"""Feed-forward networks: weights as they act and as they are stored, a pass forward, its gradient, and the step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from eqspike.energies.backend import jax, jnp

EPSILON = 1e-5  # added to a variance before its root
MOMENTUM = 0.1  # share of a mini-batch in the running statistics
DECAYS, STEP_EPSILON = (0.9, 0.999), 1e-8  # Adam's
Theta = dict[str, tuple[jax.Array, ...]]
Moments = tuple[tuple[jax.Array, jax.Array], ...]


@dataclass(frozen=True)
class Form:
    """What all layers have in common: how weights are stored, what neurons do, and whether drives are normalised."""

    weights: str
    weight_bits: int
    activation_range: float
    normalised: bool


class Pass(NamedTuple):
    """A pass forward: drives of the outputs, moments of every layer's drive, and what the pass used of the synapses.

    ``active`` (batch, n_projections) is how many presynaptic neurons (or pixels) are not zero, ``passing`` through how
    many postsynaptic neurons an error comes back.
    """

    outputs: jax.Array
    moments: Moments
    active: jax.Array
    passing: jax.Array


def sign(x: jax.Array) -> jax.Array:
    """Return +1 where ``x`` >= 0, else -1."""
    return jnp.where(x >= 0, 1, -1).astype(x.dtype)


@jax.custom_vjp
def sign_through(x: jax.Array) -> jax.Array:
    """Return :func:`sign`, with the straight-through derivative 1 where \\|x\\| <= 1 and 0 elsewhere.

    References
    ----------
    Courbariaux, Hubara, Soudry, El-Yaniv and Bengio, arXiv:1602.02830, 2016.
    """
    return sign(x)


sign_through.defvjp(lambda x: (sign(x), jnp.abs(x) <= 1), lambda near, error: (error * near,))


@partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def stepped(x: jax.Array, levels: int, limit: float) -> jax.Array:
    """Return clip(x, 0, ``limit``) rounded to one of ``levels`` + 1 values, with derivative 1 where 0 < x < limit."""
    return jnp.round(jnp.clip(x, 0, limit) * (levels / limit)) * (limit / levels)


stepped.defvjp(
    lambda x, levels, limit: (stepped(x, levels, limit), (x > 0) & (x < limit)),
    lambda levels, limit, between, error: (error * between,),
)


def _signs(weights: jax.Array, bits: int) -> tuple[jax.Array, Any]:
    return sign(weights), 1


def _codes(weights: jax.Array, bits: int) -> tuple[jax.Array, Any]:
    """Return whole numbers of ``bits`` bits, symmetric about 0, and the unit that brings the largest weight back."""
    unit = jnp.abs(weights).max() / (2 ** (bits - 1) - 1)
    unit = jnp.where(unit > 0, unit, 1)  # weights that are all zero have none
    return jnp.round(weights / unit), unit


def _themselves(weights: jax.Array, bits: int) -> tuple[jax.Array, Any]:
    return weights, 1


_STORED: dict[str, Callable[[jax.Array, int], tuple[jax.Array, Any]]] = {
    "binary": _signs,
    "quantised": _codes,
    "real": _themselves,
}


def stored(form: Form, weights: jax.Array) -> jax.Array:
    """Return the numbers that a memory holds for ``weights``: signs, whole numbers, or the weights themselves."""
    return _STORED[form.weights](weights, form.weight_bits)[0]


def acting(form: Form, weights: jax.Array) -> jax.Array:
    """Return the weights that activity meets; their gradient is passed straight through to ``weights``."""
    values, unit = _STORED[form.weights](weights, form.weight_bits)
    return values * unit


def activate(form: Form, drive: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return what hidden neurons send for ``drive`` (batch, n), and through which of them an error passes back."""
    if form.weights == "binary":
        return sign_through(drive), jnp.abs(drive) <= 1
    if form.weights == "quantised":
        levels, limit = 2**form.weight_bits - 1, form.activation_range
        return stepped(drive, levels, limit), (drive > 0) & (drive < limit)
    return jax.nn.relu(drive), drive > 0


def batch_moments(drive: jax.Array, valid: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return mean and (biased) variance (n,) of a drive (batch, n) over the ``valid`` samples."""
    share = valid.astype(drive.dtype) / jnp.maximum(valid.sum(), 1)
    mean = share @ drive
    return mean, share @ (drive - mean) ** 2


def normalise(drive: jax.Array, moments: tuple[jax.Array, jax.Array], gain: jax.Array, shift: jax.Array) -> jax.Array:
    """Return gain (drive - mean) / sqrt(variance + epsilon) + shift.

    References
    ----------
    Ioffe and Szegedy, ICML 2015.
    """
    mean, variance = moments
    return gain * (drive - mean) * jax.lax.rsqrt(variance + EPSILON) + shift


def forward(form: Form, theta: Theta, x: jax.Array, valid: jax.Array, moments: Moments = ()) -> Pass:
    """Return the pass of ``x`` (batch, n_pixels) through weights as they act.

    Parameters
    ----------
    theta : ``weights`` (n_pre, n_post) as they act, ``shifts`` (n_post,) and, with normalisation, ``gains``.
    valid : (batch,), which samples the moments are taken over.
    moments : running ones to normalise with; by default those of the mini-batch.
    """
    active, passing, found = [], [], []
    last = len(theta["weights"]) - 1
    for place, weights in enumerate(theta["weights"]):
        drive = x @ weights
        if form.normalised:
            found.append(moments[place] if moments else batch_moments(drive, valid))
            drive = normalise(drive, found[-1], theta["gains"][place], theta["shifts"][place])
        else:
            drive = drive + theta["shifts"][place]
        active.append((x != 0).sum(1))
        x, open_ = (drive, jnp.ones_like(drive, bool)) if place == last else activate(form, drive)
        passing.append(jnp.full(len(x), weights.shape[1]) if form.normalised else open_.sum(1))
    return Pass(x, tuple(found), jnp.stack(active, 1).astype(jnp.int32), jnp.stack(passing, 1).astype(jnp.int32))


def loss_gradient(form: Form, theta: Theta, x: jax.Array, labels: jax.Array, valid: jax.Array) -> tuple[Theta, Pass]:
    """Return the gradient of the mean cross-entropy of the ``valid`` samples, and the pass that it belongs to.

    That of the weights is taken where they act and stands for that of the hidden weights (straight through).
    """

    def loss(parameters: Theta) -> tuple[jax.Array, Pass]:
        found = forward(form, parameters, x, valid)
        told = jnp.take_along_axis(jax.nn.log_softmax(found.outputs), labels[:, None], 1)[:, 0]
        return -jnp.sum(told * valid) / jnp.maximum(valid.sum(), 1), found

    act = {**theta, "weights": tuple(acting(form, weights) for weights in theta["weights"])}
    return jax.grad(loss, has_aux=True)(act)


def running(kept: tuple[jax.Array, jax.Array], seen: tuple[jax.Array, jax.Array], n: jax.Array) -> tuple:
    """Return running mean and variance after a mini-batch of ``n`` samples whose moments were ``seen``."""
    unbiased = (seen[0], seen[1] * n / jnp.maximum(n - 1, 1))
    return tuple((1 - MOMENTUM) * old + MOMENTUM * new for old, new in zip(kept, unbiased, strict=True))


def metaplastic_step(
    weights: jax.Array, gradient: jax.Array, first: jax.Array, second: jax.Array, count: jax.Array, rate: jax.Array,
    m: jax.Array | None = None, decay: float = 0.0,
) -> tuple[jax.Array, jax.Array, jax.Array]:  # fmt: skip
    r"""Return hidden weights and Adam's two averages after a step; with ``m`` a step towards zero shrinks.

        W <- W - f U,   f = 1 - tanh(m |W|)^2 where sign(W) first > 0, else 1,   U = rate m1 / (sqrt(m2) + epsilon)

    with m1 and m2 the averages of the gradient and of its square, each divided by 1 - (its decay)^count.

    Parameters
    ----------
    first, second : averages of the gradient and of its square before the step.
    count : steps including this one.
    m : how much a weight that has grown resists; 0 or None is plain Adam.
    decay : of the hidden weights, added to the gradient.

    References
    ----------
    Laborieux, Ernoult, Hirtzlin and Querlioz, Nat. Commun. 12:2549, 2021; Kingma and Ba, arXiv:1412.6980, 2014.
    """
    gradient = gradient + decay * weights if decay else gradient
    first = DECAYS[0] * first + (1 - DECAYS[0]) * gradient
    second = DECAYS[1] * second + (1 - DECAYS[1]) * gradient**2
    counted = count.astype(weights.dtype)
    unbiased = rate / (1 - DECAYS[0] ** counted), 1 / (1 - DECAYS[1] ** counted)
    step = unbiased[0] * first / (jnp.sqrt(unbiased[1] * second) + STEP_EPSILON)
    if m is not None:
        step = step * jnp.where(weights * first > 0, 1 - jnp.tanh(m * jnp.abs(weights)) ** 2, 1)
    return weights - step, first, second
