"""Networks as layers joined by projections: what they are, not how they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from eqspike.core.config import Config
from eqspike.core.errors import ConfigError


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


@dataclass(frozen=True)
class Layer:
    """``size`` neurons of one kind: ``static`` (a constant current per pixel), ``source`` (input spikes) or ``lif``."""

    name: str
    size: int
    kind: Literal["static", "source", "lif"]
    neuron: Neuron | None = None


@dataclass(frozen=True)
class Projection:
    """All-to-all synapses from ``pre`` to ``post``; ``symmetric`` ones are stored once and also carry spikes back."""

    pre: str
    post: str
    synapse: Synapse
    symmetric: bool = False

    @property
    def name(self) -> str:
        return f"{self.pre}->{self.post}"


@dataclass(frozen=True)
class Network:
    """Layers in order, the input first and the output last, and the projections between them."""

    layers: tuple[Layer, ...]
    projections: tuple[Projection, ...]

    def __post_init__(self) -> None:
        names = [layer.name for layer in self.layers]
        pairs = [projection.name for projection in self.projections]
        for wrong, problem, remedy in (
            (len(self.layers) < 2, "a network has an input and at least one further layer.", "Add a layer."),
            (len(set(names)) != len(names), "two layers have the same name.", "Name each layer differently."),
            (len(set(pairs)) != len(pairs), "two projections join the same layers.", "Merge them into one."),
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
                layer.kind not in ("static", "source", "lif"),
                f"there is no kind '{layer.kind}'.",
                "static, source, lif.",
            ),
            (place > 0 and layer.kind != "lif", "only the first layer can be an input.", "Make it lif."),
            (layer.kind == "lif" and layer.neuron is None, "a lif layer needs a neuron.", "Pass Neuron()."),
        ):
            if wrong:
                raise ConfigError(problem, field=layer.name, remedy=remedy)

    def _check(self, projection: Projection, names: list[str]) -> None:
        for end in (projection.pre, projection.post):
            if end not in names:
                raise ConfigError(
                    f"there is no layer '{end}'.", field=projection.name, remedy=f"Layers: {', '.join(names)}."
                )
        if self.layer(projection.post).kind != "lif":
            raise ConfigError("an input layer receives nothing.", field=projection.name, remedy="Project onto neurons.")
        if projection.symmetric and self.layer(projection.pre).kind != "lif":
            raise ConfigError(
                "a clamped input cannot be driven back.", field=projection.name, remedy="symmetric=False."
            )

    def layer(self, name: str) -> Layer:
        """Return the layer called ``name``."""
        return next(layer for layer in self.layers if layer.name == name)

    @property
    def synapses(self) -> int:
        """Number of stored weights, biases not counted."""
        return sum(self.layer(p.pre).size * self.layer(p.post).size for p in self.projections)


def layered(sizes: list[int], encoding: str, neuron: Neuron, synapses: list[Synapse]) -> Network:
    """Return the network input - hidden ... - output of Equilibrium Propagation, symmetric between neurons.

    Parameters
    ----------
    sizes : neurons per layer, input and output included.
    encoding : ``static`` for a constant current, else the input layer spikes.
    neuron : the neuron of every layer but the input.
    synapses : one per projection, in order from the input.
    """
    if len(synapses) != len(sizes) - 1:
        raise ConfigError(
            f"{len(sizes)} layers need {len(sizes) - 1} synapse settings, not {len(synapses)}.",
            field="synapses",
            remedy="Give one per projection.",
        )
    hidden = [f"hidden{k + 1}" for k in range(len(sizes) - 2)] if len(sizes) > 3 else ["hidden"] * (len(sizes) - 2)
    names = ["input", *hidden, "output"]
    first = Layer("input", sizes[0], "static" if encoding == "static" else "source")
    rest = [Layer(name, size, "lif", neuron) for name, size in zip(names[1:], sizes[1:], strict=True)]
    projections = [
        Projection(pre, post, synapse, symmetric=pre != "input")
        for pre, post, synapse in zip(names[:-1], names[1:], synapses, strict=True)
    ]
    return Network((first, *rest), tuple(projections))
