"""What the compiled loops must know of a network: its interactions, activations and how the output is nudged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from eqspike.energies import convolution
from eqspike.energies.activations import ACTIVATIONS
from eqspike.energies.backend import jax, jnp

States = tuple[jax.Array, ...]  # of the free layers, in order
Theta = Mapping[str, Mapping[str, jax.Array]]  # "weights" and "backward" by interaction, "biases" by place of the layer


@dataclass(frozen=True)
class Dense:
    """phi = s_post . (s_pre W), every layer flattened; ``pre`` and ``post`` are places, 0 the input."""

    name: str
    pre: int
    post: int

    def prepare(self, weights: jax.Array, dtype: Any) -> jax.Array:
        """Return what every step of a phase uses of the weights."""
        return weights.astype(dtype)

    def project(self, weights: jax.Array, s_pre: jax.Array) -> jax.Array:
        """Return the drive onto the post layer, (batch, n_post)."""
        return _real_linear(lambda s: s @ weights, s_pre.reshape(len(s_pre), -1))

    def project_back(self, weights: jax.Array, s_pre: jax.Array, s_post: jax.Array) -> jax.Array:
        """Return the drive onto the pre layer, in its shape."""
        return _real_linear(lambda s: s @ weights.T, s_post).reshape(s_pre.shape)


@dataclass(frozen=True)
class Convolution:
    """phi = s_post . pool(s_pre * w), * a convolution with ``padding`` and stride 1; kernels (k, k, c_in, c_out)."""

    name: str
    pre: int
    post: int
    padding: int
    pool: Literal["none", "average", "max"]

    def prepare(self, weights: jax.Array, dtype: Any) -> Any:
        """Return what every step of a phase uses of the weights."""
        return convolution.prepare(weights.astype(dtype), padding=self.padding, pool=self.pool)

    def project(self, prepared: Any, s_pre: jax.Array) -> jax.Array:
        """Return the drive onto the post layer, (batch, height, width, c_out)."""
        return _real_linear(lambda s: convolution.project(prepared, s), s_pre)

    def project_back(self, prepared: Any, s_pre: jax.Array, s_post: jax.Array) -> jax.Array:
        """Return the drive onto the pre layer, in its shape."""
        return _real_linear(lambda s: convolution.project_back(prepared, s_pre, s), s_post)


Interaction = Dense | Convolution


def _real_linear(function: Any, s: jax.Array) -> jax.Array:
    """Apply a real linear ``function`` to complex states as twice the batch: half the work of complex weights."""
    if not jnp.iscomplexobj(s):
        return function(s)
    both = function(jnp.concatenate([s.real, s.imag]))
    return jax.lax.complex(both[: len(s)], both[len(s) :])


@dataclass(frozen=True)
class Model:
    r"""An energy-based network, E(s) = sum_l S_l(s_l) - phi(s), without its parameters.

    Parameters
    ----------
    interactions : the terms of phi, beside the biases' b_l . s_l.
    shapes : (n,) or (height, width, channels) of each free layer, in order.
    activations : of each free layer, names in ACTIVATIONS.
    kind : ``prototypical``, s <- sigma(d phi/d s), or ``real-time``, s <- s + dt (-s + rho'(s) d phi/d rho(s)).
    nudge : whether beta (-dC/ds) enters ``inside`` the last layer's activation or is added ``outside``.
    asynchronous : whether even and odd layers are updated in turn, each half from the other's newest states.
    dt, clip : the real-time step, and whether states are kept within [0, 1].
    softmax : whether the cost is the cross-entropy of a softmax read-out of the last layer, else 1/2 |s_last - y|^2.
    """

    interactions: tuple[Interaction, ...]
    shapes: tuple[tuple[int, ...], ...]
    activations: tuple[str, ...]
    kind: Literal["prototypical", "real-time"] = "prototypical"
    nudge: Literal["inside", "outside"] = "inside"
    asynchronous: bool = False
    dt: float = 1.0
    clip: bool = False
    softmax: bool = False

    @property
    def free_interactions(self) -> tuple[Interaction, ...]:
        """Interactions between free layers."""
        return tuple(i for i in self.interactions if i.pre > 0)

    @property
    def input_interactions(self) -> tuple[Interaction, ...]:
        """Interactions with the clamped input."""
        return tuple(i for i in self.interactions if i.pre == 0)


def zero_states(model: Model, batch: int, dtype: Any) -> States:
    """Return resting states, all zero."""
    return tuple(jnp.zeros((batch, *shape), dtype) for shape in model.shapes)


def carried(model: Model, states: States) -> States:
    """Return what a layer sends to others: rho(s) in real time, else the state itself."""
    if model.kind == "prototypical":
        return states
    return tuple(ACTIVATIONS[name].value(s) for name, s in zip(model.activations, states, strict=True))


def prepare(model: Model, theta: Theta, dtype: Any) -> dict[str, tuple[Any, Any]]:
    """Return (forward, backward) of each interaction between free layers, as the steps of a phase use them."""
    found = {}
    for i in model.free_interactions:
        forward = i.prepare(theta["weights"][i.name], dtype)
        backward = theta.get("backward", {})
        found[i.name] = (forward, i.prepare(backward[i.name], dtype) if i.name in backward else forward)
    return found


def fixed_drive(model: Model, theta: Theta, x: jax.Array, dtype: Any) -> States:
    """Return the part of each free layer's drive that no step changes: the clamped input's and the biases'."""
    drives = []
    for place, shape in enumerate(model.shapes, 1):
        drive = jnp.broadcast_to(theta["biases"][str(place)].astype(dtype), (len(x), *shape))
        for i in model.input_interactions:
            if i.post == place:
                drive = drive + i.project(i.prepare(theta["weights"][i.name], dtype), x.astype(dtype))
        drives.append(drive)
    return tuple(drives)


def drives(
    model: Model, prepared: Mapping[str, tuple[Any, Any]], fixed: States, sent: States, places: Iterable[int]
) -> dict[int, jax.Array]:
    """Return d phi / d s of the free layers in ``places`` (1 the first), given what the layers send."""
    found = {}
    for place in places:
        drive = fixed[place - 1]
        for i in model.free_interactions:
            forward, backward = prepared[i.name]
            if i.post == place:
                drive = drive + i.project(forward, sent[i.pre - 1])
            if i.pre == place:
                drive = drive + i.project_back(backward, sent[place - 1], sent[i.post - 1])
        found[place] = drive
    return found


def phi(model: Model, theta: Theta, x: jax.Array, states: States) -> jax.Array:
    """Return phi of each sample (batch,), the energy's part that depends on the parameters."""
    sent = carried(model, states)
    everything = (x.astype(sent[0].dtype), *sent)
    total = jnp.zeros(len(x), sent[0].dtype)
    for i in model.interactions:
        prepared = i.prepare(theta["weights"][i.name], sent[0].real.dtype)
        total += per_sample(i.project(prepared, everything[i.pre]) * everything[i.post])
    for place, s in enumerate(sent, 1):
        total += per_sample(s * theta["biases"][str(place)].astype(s.real.dtype))
    return total


def energy(model: Model, theta: Theta, x: jax.Array, states: States) -> jax.Array:
    """Return E(s) of each sample (batch,): |s|^2 / 2 - phi in real time, else sum S(s) - phi."""
    total = -phi(model, theta, x, states)
    for name, s in zip(model.activations, states, strict=True):
        total += per_sample(0.5 * s * s if model.kind == "real-time" else ACTIVATIONS[name].potential(s))
    return total


def per_sample(values: jax.Array) -> jax.Array:
    """Return the sum of ``values`` over everything but the batch."""
    return values.reshape(len(values), -1).sum(1)
