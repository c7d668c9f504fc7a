"""The specification of a run of a network of binary weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from eqspike.core.config import Config
from eqspike.learning.binary_ep import BinaryEP
from eqspike.network.description import Network, PooledKernel
from eqspike.network.layered import layered_binary
from eqspike.substrates.binary.settings import BinaryDynamics
from eqspike.training.hopfield_spec import BatchTraining
from eqspike.training.spec import RunSpec

if TYPE_CHECKING:
    from eqspike.substrates.binary.substrate import BinarySubstrate


class BinaryNetwork(Config):
    """Hidden layers: a number of neurons, or a convolution; ``expand`` output neurons for each class.

    Signs are those of weights uniform within +- 1 / sqrt(fan-in), a scale their mean modulus, to four decimals: one a
    projection, of a convolution one a channel. Biases begin within +- bias_gain / sqrt(fan-in).
    """

    hidden: list[int | PooledKernel] = Field([8192], min_length=1)
    expand: int = Field(1, ge=1, le=100_000)
    bias_gain: float = Field(1.0, ge=0)

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        if any(isinstance(n, int) and not 1 <= n <= 1_000_000 for n in self.hidden):
            raise ValueError("hidden layers have 1 to 1,000,000 neurons")
        dense = [isinstance(given, int) for given in self.hidden]
        if dense != sorted(dense):
            raise ValueError("convolutions come before layers without one")
        return self


class BinaryTraining(BatchTraining):
    """Epochs of mini-batches, and the factor ``rate_decay`` that gradients are multiplied with after each."""

    batch: int = Field(64, ge=1, le=100_000)
    rate_decay: float = Field(1.0, gt=0, le=1)


class BinarySpec(RunSpec):
    """A run of a network whose weights are stored as bits."""

    substrate: Literal["binary"] = "binary"
    network: BinaryNetwork = BinaryNetwork()
    dynamics: BinaryDynamics = BinaryDynamics()
    rule: BinaryEP
    training: BinaryTraining = BinaryTraining()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        rule, projections = self.rule, len(self.network.hidden) + 1
        lists = {
            "low_passes": (rule.low_passes, lambda value: 0 < value < 1, "between 0 and 1"),
            "flip_thresholds": (rule.flip_thresholds, lambda value: value > 0, "above 0"),
            "bias_rates": (rule.bias_rates, lambda value: value >= 0, "0 or more"),
        }
        if rule.learn_scales or rule.scale_rates:
            lists["scale_rates"] = (rule.scale_rates, lambda value: value >= 0, "0 or more")
        for name, (values, allowed, which) in lists.items():
            if len(values) != projections:
                raise ValueError(f"rule.{name} needs {projections} values, one per projection")
            if not all(map(allowed, values)):
                raise ValueError(f"rule.{name} must be {which}")
        if self.probes.presentations or self.probes.weight_trajectory:
            raise ValueError("probes record spiking networks only")
        return self

    @property
    def precision(self) -> int:
        """Bits of states and biases."""
        return 32

    @property
    def batch(self) -> int:
        """Samples that are learnt from together."""
        return self.training.batch

    def rate_scale(self, epoch: int) -> float:
        """Return the factor on every gradient in ``epoch``."""
        return self.training.rate_decay**epoch

    def build_network(self, image_shape: tuple[int, ...], n_classes: int) -> Network:
        """Return the network for images of ``image_shape`` in ``n_classes`` classes."""
        return layered_binary(
            image_shape, self.network.hidden, n_classes * self.network.expand, self.dynamics.activation
        )

    def build_substrate(self, network: Network, image_shape: tuple[int, ...]) -> BinarySubstrate:
        """Return the untrained ``network`` on its substrate."""
        from eqspike.substrates.binary.substrate import BinarySubstrate

        return BinarySubstrate(
            network,
            self.dynamics,
            self.rule,
            expand=self.network.expand,
            batch=self.batch,
            seed=self.seed,
            bias_gain=self.network.bias_gain,
        )

    def kernels(self) -> str:
        """Return a key of the compiled code that the run needs."""
        convolutional = any(isinstance(given, PooledKernel) for given in self.network.hidden)
        return f"binary {self.dynamics.activation}{' maps' if convolutional else ''}"
