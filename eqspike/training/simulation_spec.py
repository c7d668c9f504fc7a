"""The specification of a simulation: a network in continuous time, its clock and what drives it, as TOML says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from eqspike.core.config import Config
from eqspike.core.rng import Purpose, stream
from eqspike.learning.stdp import PairSTDP, TripletSTDP
from eqspike.network.connectivity import Drawn, Normal, Uniform
from eqspike.network.description import Kernel, Layer, Network, Projection
from eqspike.network.inputs import Poisson, SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked, Exact, FixedPoint
from eqspike.substrates.spiking.simulation import Simulation, prepare

Distribution = Annotated[Normal | Uniform, Field(discriminator="kind")]


class ListedSpikes(Config):
    """Spikes given one by one: ``neurons`` fire at ``times_s``."""

    times_s: list[float]
    neurons: list[int]


class LayerSettings(Config):
    """A layer, without a ``neuron`` a source of spikes; ``shape`` is (height, width, channels) of a map."""

    name: str = Field(min_length=1)
    size: int = Field(ge=1, le=2**31 - 1)
    neuron: LIF | None = None
    poisson: Poisson | None = None
    spikes: ListedSpikes | None = None
    initial: float | Distribution | None = None
    shape: list[int] | None = None

    @model_validator(mode="after")
    def _driven(self) -> Self:
        if self.poisson and self.spikes:
            raise ValueError("a layer has poisson or spikes, not both")
        return self


class ProjectionSettings(Config):
    """A projection: whom it joins, with which weights and delays."""

    pre: str
    post: str
    connectivity: Annotated[Drawn, Field(discriminator="kind")] | None = None
    kernel: Kernel | None = None
    weight: float | Distribution
    delay_s: float | Distribution | None = None
    tau_synapse_s: float = Field(0.0, ge=0)
    plastic: bool = False
    label: str = ""


class PairRule(PairSTDP):
    """Pair-based STDP by name."""

    name: Literal["pair-stdp"] = "pair-stdp"


class TripletRule(TripletSTDP):
    """Triplet STDP by name."""

    name: Literal["triplet-stdp"] = "triplet-stdp"


class SimulationSpec(Config):
    """A simulation, resolved: equal specifications give bit-identical spikes, on any number of threads."""

    name: str = Field(min_length=1)
    title: str = ""
    duration_s: float = Field(1.0, gt=0)
    seed: int = Field(1, ge=0, lt=2**63)
    clock: Annotated[Clocked | FixedPoint | Exact, Field(discriminator="kind")] = Clocked()
    layers: list[LayerSettings] = Field(min_length=1)
    projections: list[ProjectionSettings]
    rule: Annotated[PairRule | TripletRule, Field(discriminator="name")] | None = None
    max_rate_hz: float | None = Field(None, gt=0)

    def network(self) -> Network:
        """Return the network."""
        layers = [
            Layer(one.name, one.size, "lif" if one.neuron else "source", one.neuron, shape=tuple(one.shape or ()))
            for one in self.layers
        ]
        names = ("pre", "post", "connectivity", "kernel", "weight", "delay_s", "tau_synapse_s", "plastic", "label")
        projections = [Projection(**{name: getattr(one, name) for name in names}) for one in self.projections]
        return Network(tuple(layers), tuple(projections))

    def inputs(self) -> dict[str, Poisson | SpikeList]:
        """Return what drives each layer."""
        found: dict[str, Poisson | SpikeList] = {one.name: one.poisson for one in self.layers if one.poisson}
        for one in self.layers:
            if one.spikes:
                found[one.name] = SpikeList(np.array(one.spikes.times_s), np.array(one.spikes.neurons, np.int64))
        return found

    def initial(self) -> dict[str, np.ndarray]:
        """Return initial potentials where they are not those of rest; drawn from a stream per layer."""
        found = {}
        for k, one in enumerate(self.layers):
            if isinstance(one.initial, Normal | Uniform):
                found[one.name] = one.initial.draw(stream(self.seed, Purpose.POTENTIALS, k), (one.size,))
            elif one.initial is not None:
                found[one.name] = np.full(one.size, one.initial)
        return found

    def prepare(self, threads: int = 1) -> Simulation:
        """Return the network ready to run.

        Raises
        ------
        ConfigError
            if something does not fit, or the memory would not suffice.
        """
        return prepare(
            self.network(),
            clock=self.clock,
            inputs=self.inputs(),
            rule=self.rule,
            seed=self.seed,
            initial=self.initial(),
            threads=threads,
            max_rate_hz=self.max_rate_hz,
        )


def parse_simulation(settings: Mapping[str, Any], *, origin: str = "") -> SimulationSpec:
    """Return the specification that ``settings`` describe; ConfigError names the key at fault."""
    return SimulationSpec.parse(settings, origin=origin)
