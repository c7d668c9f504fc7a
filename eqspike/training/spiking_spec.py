"""The specification of a run on the spiking substrate."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from eqspike.core.config import Config
from eqspike.learning.eqspike import EqSpike
from eqspike.network.description import Network, Neuron, Synapse
from eqspike.network.layered import layered
from eqspike.substrates.spiking.settings import Encoding, Phases
from eqspike.training.spec import RunSpec

if TYPE_CHECKING:
    from eqspike.substrates.spiking.substrate import SpikingSubstrate


class NetworkSettings(Config):
    """Hidden layers, the neuron of all layers, and one synapse setting per projection, from the input on."""

    hidden: list[int] = Field([100], min_length=0)
    neuron: Neuron = Neuron()
    projections: list[Synapse] = Field(min_length=1)
    precision: Literal[32, 64] = 32

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
        return self

    @property
    def precision(self) -> int:
        """Bits of weights and states."""
        return self.network.precision

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
        return layered(sizes, self.encoding.kind, self.network.neuron, self.network.projections)

    def build_substrate(self, network: Network, image_shape: tuple[int, ...]) -> SpikingSubstrate:
        """Return the untrained ``network`` on its substrate."""
        from eqspike.substrates.spiking.substrate import SpikingSubstrate

        return SpikingSubstrate(
            network,
            self.rule.plasticity(),
            self.phases,
            self.encoding,
            seed=self.seed,
            beta=self.rule.beta,
            random_sign=self.rule.random_sign,
            target_rate=self.rule.target_rate,
            precision=self.precision,
        )

    def kernels(self) -> str:
        """Return a key of the compiled code that the run needs."""
        return f"spiking {self.rule.name} {self.precision}"
