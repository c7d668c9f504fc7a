"""Networks as layers joined by projections: what they are, not how they run."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from eqspike.core.config import Config
from eqspike.core.errors import ConfigError
from eqspike.core.html import table
from eqspike.core.notebook import card
from eqspike.network.connectivity import Connectivity, Distribution
from eqspike.network.neurons import LIF

RECEIVING = ("lif", "rate")  # kinds of layers that are driven by others


class Neuron(Config):
    r"""A leaky integrate-and-fire neuron on a clock.

    V(t+1) = (1 - leak) V(t) + I(t), a spike where V >= threshold; then V - threshold (soft) or reset_value (hard),
    clamped to [v_min, v_max]. Without leak and with soft reset the mean rate is clip(I / threshold, 0, 1) a tick.
    """

    threshold: float = Field(1.0, gt=0)
    leak: float = Field(0.0, ge=0, lt=1)
    reset: Literal["soft", "hard"] = "soft"
    reset_value: float = 0.0
    refractory_ticks: int = Field(0, ge=0, le=10_000)
    v_min: float = -1.0
    v_max: float = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.v_min < self.v_max:
            raise ValueError("v_min must lie below v_max")
        if self.v_min > 0 or self.v_max < 0:
            raise ValueError("the clamp must hold the resting potential 0")
        if not self.reset_value < self.threshold:
            raise ValueError("reset_value must lie below threshold")
        return self


class Synapse(Config):
    """How one projection transmits and learns.

    ``tau_synapse_ticks`` 0 is a delta synapse; else its current is exponential with that time constant and unit area.
    ``commit`` says when an update acts: at once (``immediate``) or when the nudged phase ends (``end_of_phase``, one
    accumulator a synapse). The drive of a static input is computed once per presentation: its updates are integrated in
    the receiving neuron and always act at the end. ``gain`` scales the initial Glorot-uniform weights.
    """

    learning_rate: float = Field(ge=0)
    commit: Literal["immediate", "end_of_phase"] = "immediate"
    tau_synapse_ticks: float = Field(0.0, ge=0)
    gain: float = Field(1.0, ge=0)
    plastic: bool = True
    w_min: float | None = None
    w_max: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.w_min is not None and self.w_max is not None and not self.w_min < self.w_max:
            raise ValueError("w_min must lie below w_max")
        return self


class Kernel(Config):
    """A convolution with stride 1 and square kernels, whose maps are pooled over squares of 2 x 2."""

    channels: int = Field(ge=1, le=65_536)
    size: int = Field(3, ge=1, le=31)
    padding: int = Field(1, ge=0, le=15)
    pool: Literal["none", "average", "max"] = "max"

    @property
    def square(self) -> int:
        """The side of the squares that are pooled, 1 without pooling."""
        return 1 if self.pool == "none" else 2

    def pooled(self, shape: tuple[int, ...]) -> tuple[int, int, int]:
        """Return (height, width, channels) of the layer above one of ``shape``.

        Raises
        ------
        ConfigError
            if ``shape`` is no image, or too small.
        """
        if len(shape) != 3:
            raise ConfigError(
                f"a convolution needs (height, width, channels) below it, not {shape}.",
                field="network.hidden",
                remedy="Put convolutions first.",
            )
        maps = [extent + 2 * self.padding - self.size + 1 for extent in shape[:2]]
        extents = [extent // self.square for extent in maps]
        if min(extents) < 1:
            raise ConfigError(
                f"nothing is left of maps of {shape[0]} x {shape[1]}.",
                field="network.hidden",
                remedy="Pool less often.",
            )
        return extents[0], extents[1], self.channels


class PooledKernel(Kernel):
    """A convolution whose maps are pooled to the maxima over squares of ``pool_size``; rows left over are dropped."""

    pool: Literal["none", "max"] = "max"
    pool_size: int = Field(2, ge=2, le=16)

    @property
    def square(self) -> int:
        """The side of the squares that are pooled, 1 without pooling."""
        return self.pool_size if self.pool == "max" else 1


@dataclass(frozen=True)
class Layer:
    """``size`` neurons of one kind.

    ``static`` (a constant input per pixel), ``source`` (input spikes), ``lif`` (spiking, with a ``neuron``) or ``rate``
    (a real state, with an ``activation``). ``shape`` is (height, width, channels) of a map, else (size,).
    """

    name: str
    size: int
    kind: Literal["static", "source", "lif", "rate"]
    neuron: Neuron | LIF | None = None
    activation: str = ""
    shape: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.shape:
            object.__setattr__(self, "shape", (self.size,))

    @property
    def biases(self) -> int:
        """Number of stored biases: one a neuron, of a map one a channel."""
        return self.shape[-1]


@dataclass(frozen=True)
class Projection:
    """Synapses from ``pre`` to ``post``: all to all, or a convolution's with a ``kernel``.

    ``symmetric`` ones are stored once and also act backwards, ``separate`` ones have backward weights of their own.
    ``synapse`` says how those between spiking layers transmit and learn; ``accumulates`` whether updates wait at
    the synapse for the end of a phase, in ``accumulator_bits``. A ``read_out`` is no part of the dynamics.
    ``weight_bits`` are those that a weight is stored in, by default as wide as the run computes.

    Networks in continuous time say instead whom they join (``connectivity``, or a ``kernel``), the ``weight`` (a
    number, an array in the connectivity's shape, or a distribution; inhibition is its sign), the axonal ``delay_s`` (a
    number, a distribution or one per pre neuron; by default the shortest that the clock has: one tick, or none),
    ``tau_synapse_s`` (0: a delta synapse), and whether the synapses are ``plastic``. A ``label`` tells projections
    between the same layers apart.
    """

    pre: str
    post: str
    synapse: Synapse | None = None
    symmetric: bool = False
    separate: bool = False
    kernel: Kernel | None = None
    accumulates: bool = False
    read_out: bool = False
    weight_bits: int | None = None
    accumulator_bits: int = 32
    connectivity: Connectivity | None = None
    weight: float | np.ndarray | Distribution | None = None
    delay_s: float | np.ndarray | Distribution | None = None
    tau_synapse_s: float = 0.0
    plastic: bool = False
    label: str = ""

    @property
    def name(self) -> str:
        return f"{self.pre}->{self.post}" + (f":{self.label}" if self.label else "")


@dataclass(frozen=True)
class Network:
    """Layers in order, the input first and the output last, and the projections between them."""

    layers: tuple[Layer, ...]
    projections: tuple[Projection, ...]

    def __post_init__(self) -> None:
        names = [layer.name for layer in self.layers]
        pairs = [projection.name for projection in self.projections]
        for wrong, problem, remedy in (
            (not self.layers, "a network has at least one layer.", "Add a layer."),
            (len(set(names)) != len(names), "two layers have the same name.", "Name each layer differently."),
            (len(set(pairs)) != len(pairs), "two projections join the same layers.", "Label them."),
        ):
            if wrong:
                raise ConfigError(problem, field="network", remedy=remedy)
        for place, layer in enumerate(self.layers):
            self._check_layer(place, layer)
        for projection in self.projections:
            self._check(projection, names)

    def _check_layer(self, place: int, layer: Layer) -> None:
        for wrong, problem, remedy in (
            (layer.size < 1, f"a layer of {layer.size} neurons is none.", "Give it at least 1."),
            (
                layer.kind not in ("static", "source", "lif", "rate"),
                f"there is no kind '{layer.kind}'.",
                "static, source, lif, rate.",
            ),
            (
                place > 0 and layer.kind == "static",
                "only the first layer can be a static input.",
                "Make it source, lif or rate.",
            ),
            (layer.kind == "lif" and layer.neuron is None, "a lif layer needs a neuron.", "Pass Neuron() or LIF()."),
        ):
            if wrong:
                raise ConfigError(problem, field=layer.name, remedy=remedy)

    def _check(self, projection: Projection, names: list[str]) -> None:
        for end in (projection.pre, projection.post):
            if end not in names:
                raise ConfigError(
                    f"there is no layer '{end}'.", field=projection.name, remedy=f"Layers: {', '.join(names)}."
                )
        if self.layer(projection.post).kind not in RECEIVING:
            raise ConfigError("an input layer receives nothing.", field=projection.name, remedy="Project onto neurons.")
        if projection.symmetric and self.layer(projection.pre).kind not in RECEIVING:
            raise ConfigError(
                "a clamped input cannot be driven back.", field=projection.name, remedy="symmetric=False."
            )

    def layer(self, name: str) -> Layer:
        """Return the layer called ``name``."""
        return next(layer for layer in self.layers if layer.name == name)

    def stored(self, projection: Projection) -> tuple[int, ...]:
        """Return the shape of a projection's weights: (n_pre, n_post), or (k, k, c_in, c_out) of a convolution."""
        pre, post = self.layer(projection.pre), self.layer(projection.post)
        if projection.kernel is None:
            return pre.size, post.size
        return projection.kernel.size, projection.kernel.size, pre.shape[2], projection.kernel.channels

    @property
    def synapses(self) -> int:
        """Number of stored weights, biases not counted."""
        return sum(prod(self.stored(projection)) for projection in self.projections)

    def _repr_html_(self) -> str:
        layers = [(layer.name, layer.kind, " x ".join(map(str, layer.shape))) for layer in self.layers]
        projections = [(projection.name, *self._said(projection)) for projection in self.projections]
        return card(
            "Network",
            table("Layers", ("layer", "kind", "neurons"), layers, left=2),
            table("Projections", ("projection", "how", "weights"), projections, left=2),
        )

    def _said(self, projection: Projection) -> tuple[str, str]:
        """Return how a projection joins its layers, and how many weights it stores where its wiring does not decide."""
        ways = ("symmetric", "separate", "plastic", "read_out")
        said = [name.replace("_", " ") for name in ways if getattr(projection, name)]
        kernel = projection.kernel
        if projection.connectivity is not None:
            return ", ".join([type(projection.connectivity).__name__, *said]), "as wired"
        how = "all to all" if kernel is None else f"convolution {kernel.size} x {kernel.size}"
        return ", ".join([how, *said]), f"{prod(self.stored(projection)):,}"


def with_channels(image_shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return an image's shape as (height, width, channels), grey images with one; of other samples as it is."""
    return (*image_shape, 1) if len(image_shape) == 2 else tuple(image_shape)
