"""Contrasts: weighted differences of dE/dtheta between perturbed equilibria, which contrastive rules learn from."""

from __future__ import annotations

from eqspike.core.contrast import Contrast
from eqspike.energies.backend import jax, jnp
from eqspike.energies.costs import cost, force
from eqspike.energies.model import Model, States, Theta, carried, per_sample
from eqspike.energies.settling import Drive, Settled, settle


def perturb(
    model: Model, theta: Theta, drive: Drive, free: States, contrast: Contrast, sign: jax.Array,
    *, steps: int, tolerance: float = 0.0,
) -> Settled:  # fmt: skip
    """Return the perturbed states of all phases, stacked along the batch, each begun at the free states.

    Parameters
    ----------
    drive : of the free phase; its ``y`` is the target.
    sign : +1 or -1, multiplies every beta.
    """
    phases, batch = len(contrast.betas), len(free[0])
    dtype = free[0].dtype
    if contrast.is_complex:
        dtype = jnp.result_type(dtype, jnp.complex64)
    betas = jnp.repeat(jnp.asarray(contrast.betas, dtype) * sign.astype(dtype), batch)

    def stacked(values: jax.Array) -> jax.Array:
        return jnp.tile(values, (phases, *[1] * (values.ndim - 1)))

    start = [stacked(s).astype(dtype) for s in free]
    fixed = tuple(stacked(d) for d in drive.fixed)
    y = stacked(drive.y).astype(free[0].dtype)
    if contrast.clamped:
        pull = stacked(force(model, theta, free, drive.y.astype(free[0].dtype)))
        start[-1] = start[-1] + betas.reshape(-1, *[1] * (pull.ndim - 1)) * pull
        drive = Drive(fixed, y, clamp=True)
    else:
        drive = Drive(fixed, y, beta=betas)
    if contrast.periods:
        return _oscillate(model, theta, drive, tuple(start), contrast.periods, phases, steps, tolerance)
    return settle(model, theta, drive, tuple(start), steps=steps, tolerance=tolerance, backwards=True)


def _oscillate(
    model: Model, theta: Theta, drive: Drive, start: States, periods: int, phases: int, steps: int, tolerance: float
) -> Settled:
    """Return the states of the last of ``periods`` rounds through the phases, none of which restarts.

    The iterations are those of all rounds.
    """
    batch = len(start[0]) // phases
    fixed = tuple(d[:batch] for d in drive.fixed)
    betas = drive.beta.reshape(phases, batch)

    def turn(states: States, beta: jax.Array) -> tuple[States, Settled]:
        now = Drive(fixed, drive.y[:batch], beta=beta)
        settled = settle(model, theta, now, states, steps=steps, tolerance=tolerance, backwards=True)
        return settled.states, settled

    states, iterations = tuple(s[:batch] for s in start), 0
    for _ in range(periods):
        states, last = jax.lax.scan(turn, states, betas)
        iterations += last.iterations
    last = last._replace(iterations=iterations)
    return jax.tree.map(lambda values: values.reshape(-1, *values.shape[2:]), last)


def contrast_gradient(
    model: Model, theta: Theta, x: jax.Array, y: jax.Array, free: States, perturbed: States,
    contrast: Contrast, sign: jax.Array, share: jax.Array,
) -> Theta:  # fmt: skip
    """Return the estimate of the loss's gradient, in the shape of ``theta``.

    Parameters
    ----------
    free : free states; ``perturbed`` : those of :func:`perturb`.
    share : (batch,) weight of each sample, 1 / batch for the mean.
    """
    phases = len(contrast.betas)
    weights = jnp.concatenate([jnp.asarray(c, perturbed[0].dtype) * sign * share for c in contrast.coefficients])
    tables = [(carried(model, perturbed), weights)]
    if contrast.free_coefficient:
        tables.append((carried(model, free), contrast.free_coefficient * sign * share))
    at_rest = carried(model, free)
    if "backward" in theta:
        gradient = _vector_field_gradient(model, theta, tables, at_rest)
    else:
        gradient = _energy_gradient(model, theta, tables)
    summed = summed_activity(tables, len(x))
    gradient = _merged(gradient, input_gradient(model, theta, x, summed))
    if model.softmax:
        states, share_of = perturbed, (weights * jnp.repeat(jnp.asarray(contrast.betas, weights.dtype) * sign, len(x)))
        target = jnp.tile(y, (phases, 1))
        if contrast.clamped:
            states, share_of, target = free, share, y
        gradient["readout"] = jax.grad(
            lambda readout: jnp.sum(share_of * cost(model, {**theta, "readout": readout}, states, target)).real
        )(theta["readout"])
    return gradient


def summed_activity(tables: list[tuple[States, jax.Array]], batch: int) -> States:
    """Return the weighted sum over phases of what each layer sends, (batch, ...)."""
    total: list = [0] * len(tables[0][0])
    for sent, weights in tables:
        for place, s in enumerate(sent):
            weighted = s * weights.reshape(-1, *[1] * (s.ndim - 1)).astype(s.dtype)
            total[place] = total[place] + weighted.reshape(-1, batch, *s.shape[1:]).sum(0).real
    return tuple(total)


def input_gradient(model: Model, theta: Theta, x: jax.Array, summed: States) -> Theta:
    """Return the gradients of biases and of what the clamped input drives: linear in the sum over phases."""
    parameters = {
        "weights": {i.name: theta["weights"][i.name] for i in model.input_interactions},
        "biases": theta["biases"],
    }

    def total(p: Theta) -> jax.Array:
        found = jnp.zeros((), summed[0].dtype)
        for i in model.input_interactions:
            prepared = i.prepare(p["weights"][i.name], summed[0].dtype)
            found -= jnp.sum(i.project(prepared, x.astype(summed[0].dtype)) * summed[i.post - 1])
        for place, s in enumerate(summed, 1):
            found -= jnp.sum(s * p["biases"][str(place)].astype(s.dtype))
        return found

    return jax.grad(total)(parameters)


def sending_gradient(model: Model, theta: Theta, before: States, after: States, share: jax.Array) -> Theta:
    """Return what one step of the states, ``before`` to ``after`` as sent, changes of dE/dtheta between free layers.

    Tied weights: the difference of the two; separate ones: each way contrasts its receiving side alone.

    Parameters
    ----------
    share : (batch,) weight of each sample.
    """
    tables = [(after, share), (before, -share)]
    separate = "backward" in theta
    gradient = (
        _vector_field_gradient(model, theta, tables, before) if separate else _energy_gradient(model, theta, tables)
    )
    changes = summed_activity(tables, len(share))
    return gradient | {"biases": {str(place): -change.sum(0) for place, change in enumerate(changes, 1)}}


def _energy_gradient(model: Model, theta: Theta, tables: list[tuple[States, jax.Array]]) -> Theta:
    """Return sum c dE/dw of the interactions between free layers."""

    def total(weights: Theta) -> jax.Array:
        found = 0.0
        for sent, c in tables:
            for i in model.free_interactions:
                prepared = i.prepare(weights[i.name], sent[0].real.dtype)
                terms = per_sample(i.project(prepared, sent[i.pre - 1]) * sent[i.post - 1])
                found -= jnp.sum(c.astype(terms.dtype) * terms).real
        return found

    names = [i.name for i in model.free_interactions]
    return {"weights": jax.grad(total)({name: theta["weights"][name] for name in names}) if names else {}}


def _vector_field_gradient(
    model: Model, theta: Theta, tables: list[tuple[States, jax.Array]], at_rest: States
) -> Theta:
    """Return the estimates for separate weights: each contrasts its receiving side alone, the sending side at rest.

    References
    ----------
    Scellier et al., arXiv:1808.04873, 2018; Laborieux et al., Front. Neurosci. 15:633674, 2021.
    """
    batch = len(at_rest[0])
    summed = summed_activity(tables, batch)

    def total(parameters: Theta) -> jax.Array:
        found = 0.0
        for i in model.free_interactions:
            forward, backward = (i.prepare(parameters[way][i.name], summed[0].dtype) for way in ("weights", "backward"))
            pre, post = at_rest[i.pre - 1], at_rest[i.post - 1]
            found -= jnp.sum(i.project(forward, pre) * summed[i.post - 1])
            found -= jnp.sum(i.project_back(backward, pre, post) * summed[i.pre - 1])
        return found

    names = [i.name for i in model.free_interactions]
    return jax.grad(total)({way: {name: theta[way][name] for name in names} for way in ("weights", "backward")})


def _merged(first: Theta, second: Theta) -> dict:
    merged = {group: dict(values) for group, values in first.items()}
    for group, values in second.items():
        merged.setdefault(group, {}).update(values)
    return merged
