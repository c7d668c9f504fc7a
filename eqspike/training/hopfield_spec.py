"""The specification of a run of an energy-based network with real-valued states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from eqspike.core.config import Config
from eqspike.learning.continual import ContinualEP
from eqspike.learning.contrastive import ContrastiveRule
from eqspike.learning.holomorphic import HolomorphicEP
from eqspike.network.description import Kernel, Network, with_channels
from eqspike.network.layered import layered_rate
from eqspike.substrates.hopfield.settings import Dynamics, Images, Optimiser
from eqspike.training.spec import RunSpec

if TYPE_CHECKING:
    from eqspike.substrates.hopfield.substrate import HopfieldSubstrate

Activation = Literal["sigmoid", "tanh", "hard-sigmoid", "half-hard-sigmoid", "identity"]
RULES = {
    name: rule
    for rule in (ContrastiveRule, HolomorphicEP, ContinualEP)
    for name in get_args(rule.model_fields["name"].annotation)
}
SMOOTH = ("sigmoid", "tanh", "identity")


class RateNetwork(Config):
    """Hidden layers (a number of neurons, or a convolution), activations, and initial weights.

    Weights begin uniform within +- gain / sqrt(fan-in), ``gains`` one per projection or one for all, biases within
    +- bias_gain / sqrt(fan-in). ``readout`` "softmax": the output reads the last hidden layer outside the dynamics,
    with the cross-entropy as cost. ``feedback`` "separate" stores backward weights of their own, at first the
    forward ones with signs flipped at random so that their angle is ``feedback_angle_degrees``. ``precision`` is that
    of the states; weights have at least 32 bits.
    """

    hidden: list[int | Kernel] = Field([512], min_length=1)
    activation: Activation = "sigmoid"
    output_activation: Activation = "sigmoid"
    gains: list[float] = Field([1.0], min_length=1)
    bias_gain: float = Field(1.0, ge=0)
    readout: Literal["none", "softmax"] = "none"
    feedback: Literal["tied", "separate"] = "tied"
    feedback_angle_degrees: float = Field(0.0, ge=0, le=180)
    precision: Literal[16, 32, 64] = 32

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        if any(isinstance(n, int) and not 1 <= n <= 1_000_000 for n in self.hidden):
            raise ValueError("hidden layers have 1 to 1,000,000 neurons")
        dense = [isinstance(given, int) for given in self.hidden]
        if dense != sorted(dense):
            raise ValueError("convolutions come before layers without one")
        if len(self.gains) not in (1, len(self.hidden) + 1):
            raise ValueError(f"give one gain for all projections, or {len(self.hidden) + 1}")
        return self


class BatchTraining(Config):
    """Epochs of mini-batches of ``batch`` samples."""

    epochs: int = Field(10, ge=0, le=100_000)
    batch: int = Field(20, ge=1, le=100_000)
    checkpoint_s: float = Field(60.0, gt=0)


class HopfieldSpec(RunSpec):
    """A run of a network that settles to a fixed point of its energy."""

    substrate: Literal["hopfield"] = "hopfield"
    network: RateNetwork = RateNetwork()
    dynamics: Dynamics = Dynamics()
    images: Images = Images()
    rule: Annotated[ContrastiveRule | HolomorphicEP | ContinualEP, Field(discriminator="name")] = ContrastiveRule()
    optimiser: Optimiser
    training: BatchTraining = BatchTraining()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        network, rule, moving = self.network, self.rule, self.dynamics
        rates, projections = self.optimiser.learning_rates, len(network.hidden) + 1
        convolutional = any(isinstance(given, Kernel) for given in network.hidden)
        softmax = network.readout == "softmax"
        activations = (network.activation,) if softmax else (network.activation, network.output_activation)
        holomorphic = rule.name == "holomorphic" and rule.points > 2
        sgd = self.optimiser.name == "sgd" and not (self.optimiser.momentum or self.optimiser.weight_decay)
        pooled = [given.pool for given in network.hidden if isinstance(given, Kernel)]
        for wrong, problem in (
            (len(rates) != projections, f"give {projections} learning rates, one per projection"),
            (self.probes.presentations > 0, "probes record spiking networks only"),
            (self.probes.weight_trajectory > 0, "probes record spiking networks only"),
            (holomorphic and any(name not in SMOOTH for name in activations), "complex states need smooth activations"),
            (holomorphic and "max" in pooled, "complex states need average pooling"),
            (holomorphic and moving.clip, "complex states cannot be clipped"),
            (network.readout == "softmax" and moving.nudge == "outside", "a softmax read-out is nudged inside"),
            (rule.name == "continual" and convolutional, "continual learning is for dense layers"),
            (rule.name == "continual" and network.readout == "softmax", "continual learning has no softmax read-out"),
            (rule.name == "continual" and not sgd, "continual learning changes weights by plain sgd"),
            (rule.name == "continual" and network.precision == 16, "continual learning needs 32 or 64 bits"),
            (rule.name == "holomorphic" and network.precision == 16, "complex states need 32 or 64 bits"),
            (moving.kind == "real-time" and network.precision == 16, "real-time dynamics need 32 or 64 bits"),
        ):
            if wrong:
                raise ValueError(problem)
        return self

    @property
    def precision(self) -> int:
        """Bits of weights, as stored."""
        return max(32, self.network.precision)

    @property
    def batch(self) -> int:
        """Samples that are learnt from together."""
        return self.training.batch

    def rate_scale(self, epoch: int) -> float:
        """Return the factor on every learning rate in ``epoch``."""
        from eqspike.energies.backend import optax

        optimiser = self.optimiser
        if optimiser.schedule == "constant":
            return 1.0
        if optimiser.schedule == "exponential":
            return optimiser.decay**epoch
        period = optimiser.period or max(1, self.training.epochs)
        return float(optax.cosine_decay_schedule(1.0, period, optimiser.final)(epoch))

    def build_network(self, image_shape: tuple[int, ...], n_classes: int) -> Network:
        """Return the network for images of ``image_shape`` in ``n_classes`` classes."""
        network = self.network
        shape = with_channels(image_shape)
        if self.images.size is not None:
            shape = (self.images.size, self.images.size, *shape[2:])
        return layered_rate(
            shape,
            network.hidden,
            n_classes,
            (network.activation, network.output_activation),
            softmax=network.readout == "softmax",
            accumulates=self.rule.name != "continual",
            tied=network.feedback == "tied",
        )

    def build_substrate(self, network: Network, image_shape: tuple[int, ...]) -> HopfieldSubstrate:
        """Return the untrained ``network`` on its substrate."""
        from eqspike.substrates.hopfield.substrate import HopfieldSubstrate

        return HopfieldSubstrate(
            network,
            self.dynamics,
            self.rule,
            self.optimiser,
            self.images,
            image_shape=image_shape,
            batch=self.batch,
            seed=self.seed,
            precision=self.network.precision,
            gains=self.network.gains,
            bias_gain=self.network.bias_gain,
            feedback_angle_degrees=self.network.feedback_angle_degrees,
        )

    def kernels(self) -> str:
        """Return a key of the compiled code: nothing is compiled ahead."""
        return "hopfield"
