"""The synapses of a projection as arrays, built from its description and a counter-based stream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eqspike.core.errors import ConfigError
from eqspike.core.rng import Purpose, stream
from eqspike.network.connectivity import (
    AllToAll,
    Distribution,
    FixedIndegree,
    FixedProbability,
    FixedTotal,
    Normal,
    OneToOne,
    Pairs,
    Uniform,
)
from eqspike.network.description import Network, Projection

NARROW = 1 << 16  # layers up to this size are addressed with two bytes
_ROWS = 1 << 22  # numbers drawn at a time


@dataclass(frozen=True, eq=False)
class Wiring:
    """Synapses of one projection.

    Parameters
    ----------
    kind : "dense", "one-to-one", "sparse" or "convolution".
    weights : float64, in order of the pre neuron: (n_pre, n_post) dense, (n,) one-to-one, (n_synapses,) sparse,
        (k, k, c_in, c_out) convolution; or (1,), one weight for all.
    starts : (n_pre + 1,) int64, where each pre neuron's synapses begin (sparse).
    targets : (n_synapses,) uint16 or uint32, post neurons in ascending order within a pre neuron (sparse).
    delays_s : (1,) or (n_pre,) axonal delays.
    """

    kind: str
    weights: np.ndarray
    starts: np.ndarray
    targets: np.ndarray
    delays_s: np.ndarray

    @property
    def uniform(self) -> bool:
        """Whether all synapses have one weight, which is then stored once."""
        return self.weights.size == 1 and self.kind in ("sparse", "one-to-one")


def stored_synapses(network: Network, projection: Projection, wiring: Wiring) -> int:
    """Return the number of synapses that a chip would store; a convolution shares its kernel."""
    if wiring.kind == "sparse":
        return len(wiring.targets)
    pre, post = network.layer(projection.pre).size, network.layer(projection.post).size
    return {"dense": pre * post, "one-to-one": pre, "convolution": wiring.weights.size}[wiring.kind]


def check_bounds(projection: Projection, wiring: Wiring, rule) -> None:
    """Refuse a plastic projection whose weights the rule would not allow.

    Raises
    ------
    ConfigError
        if a weight lies outside the rule's bounds.
    """
    if not projection.plastic or wiring.weights.size == 0:
        return
    low, high = wiring.weights.min(), wiring.weights.max()
    if low < rule.w_min or high > rule.w_max:
        raise ConfigError(
            f"weights from {low:g} to {high:g} leave the bounds of the rule, {rule.w_min:g} to {rule.w_max:g}.",
            field=f"{projection.name}.weight",
            remedy="Change the weights, or the rule's w_min and w_max.",
        )


def index_bytes(n_post: int) -> int:
    """Return the bytes of a post neuron's number."""
    return 2 if n_post <= NARROW else 4


def wire(network: Network, projection: Projection, index: int, seed: int, *, spread: bool = False) -> Wiring:
    """Return the synapses of projection number ``index``; ``spread`` stores a common weight at every synapse.

    Raises
    ------
    ConfigError
        if the connectivity does not fit its layers, or the weights do not fit the connectivity.
    """
    pre, post = network.layer(projection.pre), network.layer(projection.post)
    field = f"{projection.name}.connectivity"
    none, no_targets = np.zeros(0, np.int64), np.zeros(0, np.uint16)
    generator = stream(seed, Purpose.SYNAPSES, index)
    delays = _delays(projection, pre.size, generator)
    if projection.kernel is not None:
        _check_convolution(projection, pre.shape, post.shape)
        weights = _weights(projection, network.stored(projection), generator, spread=True)
        return Wiring("convolution", weights, none, no_targets, delays)
    chosen = projection.connectivity
    if isinstance(chosen, AllToAll):
        weights = _weights(projection, (pre.size, post.size), generator, spread=True)
        return Wiring("dense", weights, none, no_targets, delays)
    if isinstance(chosen, OneToOne):
        if pre.size != post.size:
            raise ConfigError(
                f"one-to-one between {pre.size} and {post.size} neurons.", field=field, remedy="Use layers of one size."
            )
        return Wiring("one-to-one", _weights(projection, (pre.size,), generator, spread), none, no_targets, delays)
    order = None
    if isinstance(chosen, Pairs):
        chosen.check(pre.size, post.size, field)
        order = np.lexsort((chosen.post, chosen.pre))
        counts = np.bincount(np.asarray(chosen.pre)[order], minlength=pre.size)
        targets = np.asarray(chosen.post)[order].astype(_index_type(post.size))
    else:
        counts, targets = _drawn(chosen, pre.size, post.size, pre.name == post.name, generator, field)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    weights = _weights(projection, (len(targets),), generator, spread, fixed=isinstance(chosen, Pairs))
    if order is not None and weights.size > 1:
        weights = weights[order]
    return Wiring("sparse", weights, starts, targets, delays)


def _index_type(n_post: int) -> type:
    return np.uint16 if index_bytes(n_post) == 2 else np.uint32


def _drawn(
    chosen: FixedProbability | FixedIndegree | FixedTotal, n_pre: int, n_post: int, one_layer: bool,
    generator: np.random.Generator, field: str,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return (number of synapses of each pre neuron, their targets in ascending order within it)."""
    if isinstance(chosen, FixedTotal):
        return _by_total(chosen.number, n_pre, n_post, generator)
    exclude_self = one_layer and not chosen.self_connections
    if isinstance(chosen, FixedProbability):
        return _by_probability(chosen.probability, n_pre, n_post, exclude_self, generator)
    if exclude_self and n_pre == 1:
        raise ConfigError(
            "a lone neuron has no other to receive from.", field=field, remedy="Use self_connections=True."
        )
    return _by_indegree(chosen.indegree, n_pre, n_post, exclude_self, generator)


def _by_probability(
    probability: float, n_pre: int, n_post: int, exclude_self: bool, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw every pre neuron's number of synapses, then that many different targets: no matrix is formed."""
    kind, counts, parts = _index_type(n_post), np.zeros(n_pre, np.int64), []
    expected = probability * n_pre * n_post
    position, end = -1, n_pre * n_post
    while position < end:  # gaps between joined pairs are geometric
        size = int(min(_ROWS, expected * 1.05 + 1_000))
        places = position + np.cumsum(generator.geometric(probability, size))
        position = int(places[-1])
        places = places[places < end]
        pre, post = np.divmod(places, n_post)
        if exclude_self:
            pre, post = pre[pre != post], post[pre != post]
        counts += np.bincount(pre, minlength=n_pre)
        parts.append(post.astype(kind))
    return counts, np.concatenate(parts)


def _by_indegree(
    indegree: int, n_pre: int, n_post: int, exclude_self: bool, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw every post neuron's pre neurons and sort the synapses by pre neuron, stretch by stretch of post neurons."""
    kind, rows = _index_type(n_post), max(1, _ROWS // indegree)
    pres = np.zeros((n_post, indegree), _index_type(n_pre))
    for first in range(0, n_post, rows):
        last = min(first + rows, n_post)
        if exclude_self:
            drawn = generator.integers(0, n_pre - 1, (last - first, indegree))
            pres[first:last] = drawn + (drawn >= np.arange(first, last)[:, None])
        else:
            pres[first:last] = generator.integers(0, n_pre, (last - first, indegree))
    flat = pres.reshape(-1)
    counts = np.bincount(flat, minlength=n_pre)
    order = np.argsort(flat, kind="stable")  # stable: targets stay in ascending order within a pre neuron
    return counts, (order // indegree).astype(kind)


def _by_total(number: int, n_pre: int, n_post: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw pairs of neurons as places in the matrix of all pairs, and put them in its order."""
    places = generator.integers(0, n_pre * n_post, number)
    places.sort()
    return np.bincount(places // n_post, minlength=n_pre), (places % n_post).astype(_index_type(n_post))


def _weights(
    projection: Projection,
    shape: tuple[int, ...],
    generator: np.random.Generator,
    spread: bool = False,
    fixed: bool = True,
) -> np.ndarray:
    """Return the weights of a projection, one number where all are equal and need not be told apart."""
    given, field = projection.weight, f"{projection.name}.weight"
    if given is None:
        raise ConfigError("the projection has no weight.", field=field, remedy="Give a number or a distribution.")
    if isinstance(given, Normal | Uniform):
        return given.draw(generator, shape)
    values = np.asarray(given, np.float64)
    if not np.isfinite(values).all():
        raise ConfigError("a weight is not a finite number.", field=field, remedy="Check the array.")
    if values.size == 1:
        return np.full(shape, values.item()) if spread else values.reshape(1)
    if values.shape != shape or not fixed:
        wanted = f"shape {shape}" if fixed else "a number or a distribution: its synapses are drawn"
        raise ConfigError(f"the array has shape {values.shape}.", field=field, remedy=f"Expected: {wanted}.")
    return values


def _delays(projection: Projection, n_pre: int, generator: np.random.Generator) -> np.ndarray:
    given: float | np.ndarray | Distribution | None = projection.delay_s
    given = 0.0 if given is None else given
    drawn = given.draw(generator, (n_pre,)) if isinstance(given, Normal | Uniform) else np.asarray(given, np.float64)
    drawn = drawn.reshape(-1)
    if drawn.size not in (1, n_pre) or not np.isfinite(drawn).all() or drawn.min() < 0:
        raise ConfigError(
            f"{drawn.size} delays for {n_pre} pre neurons, or one that is negative.",
            field=f"{projection.name}.delay_s",
            remedy="Give one delay, or one per pre neuron, in seconds.",
        )
    return drawn


def _check_convolution(projection: Projection, pre: tuple[int, ...], post: tuple[int, ...]) -> None:
    kernel = projection.kernel
    if kernel.pool != "none":
        raise ConfigError(
            "spiking convolutions do not pool.", field=f"{projection.name}.kernel", remedy='Use pool = "none".'
        )
    wanted = kernel.pooled(pre)
    if wanted != post:
        raise ConfigError(
            f"the convolution gives maps of {wanted}, the layer has {post}.",
            field=projection.name,
            remedy=f"Give the layer shape={wanted}.",
        )
