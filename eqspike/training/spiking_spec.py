"""The specification of a run on the spiking substrate."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from eqspike.core.config import Config
from eqspike.learning.eqspike import EqSpike
from eqspike.network.description import Network, Neuron, Projection, Synapse
from eqspike.network.layered import layered
from eqspike.substrates.spiking.fixed_settings import FixedPoint
from eqspike.substrates.spiking.settings import Encoding, Phases
from eqspike.training.spec import RunSpec

if TYPE_CHECKING:
    from eqspike.substrates.spiking.fixed_substrate import FixedPointSubstrate
    from eqspike.substrates.spiking.substrate import SpikingSubstrate


class NetworkSettings(Config):
    """Hidden layers, the neuron of all layers, and one synapse setting per projection, from the input on.

    ``precision`` is that of real numbers; with ``fixed_point`` there are none.
    """

    hidden: list[int] = Field([100], min_length=0)
    neuron: Neuron = Neuron()
    projections: list[Synapse] = Field(min_length=1)
    precision: Literal[32, 64] = 32
    fixed_point: FixedPoint | None = None

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave fixed point out where there is none: real networks keep the configuration that they had before it."""
        settings = handler(self)
        return settings if self.fixed_point else {k: v for k, v in settings.items() if k != "fixed_point"}

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        if any(n < 1 or n > 1_000_000 for n in self.hidden):
            raise ValueError("hidden layers have 1 to 1,000,000 neurons")
        if len(self.projections) != len(self.hidden) + 1:
            raise ValueError(
                f"{len(self.hidden)} hidden layers need {len(self.hidden) + 1} projections, not {len(self.projections)}"
            )
        return self


class TrainingSettings(Config):
    """Epochs, and the factor ``rate_decay`` that every learning rate is multiplied with after each."""

    epochs: int = Field(10, ge=0, le=100_000)
    rate_decay: float = Field(0.9, gt=0, le=1)
    checkpoint_s: float = Field(60.0, gt=0)


class SpikingSpec(RunSpec):
    """A run of a spiking network, one sample after the other."""

    substrate: Literal["spiking"] = "spiking"
    encoding: Encoding = Encoding()
    network: NetworkSettings
    rule: EqSpike = EqSpike()
    phases: Phases = Phases()
    training: TrainingSettings = TrainingSettings()

    @model_validator(mode="after")
    def _nudged(self) -> Self:
        if self.training.epochs > 0 and self.phases.nudged_ticks == 0:
            raise ValueError("training needs phases.nudged_ticks of at least 1")
        if self.network.fixed_point and (self.encoding.kind != "static" or self.rule.derivative != "delay"):
            raise ValueError("network.fixed_point needs encoding.kind = static and rule.derivative = delay")
        return self

    @property
    def precision(self) -> int:
        """Bits of states, and of weights where their projection does not say otherwise."""
        fixed = self.network.fixed_point
        return fixed.potential_bits if fixed else self.network.precision

    @property
    def batch(self) -> int:
        """Samples that are learnt from together: one."""
        return 1

    def rate_scale(self, epoch: int) -> float:
        """Return the factor on every learning rate in ``epoch``."""
        return self.training.rate_decay**epoch

    def build_network(self, image_shape: tuple[int, ...], n_classes: int) -> Network:
        """Return the network for images of ``image_shape`` in ``n_classes`` classes."""
        sizes = [prod(image_shape), *self.network.hidden, n_classes]
        network = layered(sizes, self.encoding.kind, self.network.neuron, self.network.projections)
        fixed = self.network.fixed_point
        if fixed is None:
            return network
        stored = tuple(
            replace(projection, weight_bits=fixed.weight_bits, accumulates=bits > 0, accumulator_bits=bits)
            for projection in network.projections
            for bits in [fixed.accumulator_bits + self._held_bits(projection, fixed)]
        )
        return replace(network, projections=stored)

    def _held_bits(self, projection: Projection, fixed: FixedPoint) -> int:
        """Return the bits of an accumulator that holds whatever the spikes of a nudged phase can ask of a synapse."""
        if projection.pre == "input" or projection.synapse.commit != "end_of_phase":
            return 0
        return 1 + fixed.trace_bits + (2 * self.phases.nudged_ticks - 1).bit_length()

    def build_substrate(self, network: Network, image_shape: tuple[int, ...]) -> SpikingSubstrate | FixedPointSubstrate:
        """Return the untrained ``network`` on its substrate."""
        rule, nudge = self.rule, {name: getattr(self.rule, name) for name in ("beta", "random_sign", "target_rate")}
        if fixed := self.network.fixed_point:
            from eqspike.substrates.spiking.fixed_substrate import FixedPointSubstrate

            ticks = {"tau_ticks": rule.tau_ticks, "delay_ticks": rule.delay_ticks}
            return FixedPointSubstrate(network, rule.plasticity(), self.phases, fixed, **ticks, seed=self.seed, **nudge)
        from eqspike.substrates.spiking.substrate import SpikingSubstrate

        return SpikingSubstrate(
            network, rule.plasticity(), self.phases, self.encoding, seed=self.seed, precision=self.precision, **nudge
        )

    def kernels(self) -> str:
        """Return a key of the compiled code that the run needs."""
        return f"spiking {self.rule.name} {'fixed point' if self.network.fixed_point else self.precision}"
