"""The specification of a run of a feed-forward network that learns by backpropagation."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from eqspike.core.config import Config
from eqspike.learning.backprop import Backpropagation
from eqspike.learning.metaplastic import Metaplastic
from eqspike.network.description import Layer, Network, Projection
from eqspike.training.spec import RunSpec
from eqspike.training.tasks import TaskSettings

if TYPE_CHECKING:
    from eqspike.substrates.feedforward.substrate import FeedforwardSubstrate

RULES = {"metaplastic": Metaplastic, "backprop": Backpropagation}
_ADAM_BITS = 96  # a hidden weight and two running moments, 32 bits each
ACTIVATIONS = {"binary": "sign", "quantised": "relu", "real": "relu"}


class FeedforwardNetwork(Config):
    """Hidden layers, and how weights are stored; initial weights are uniform within +- ``initial_range``.

    ``binary``: signs of hidden weights, neurons of +-1. ``quantised``: whole numbers of ``weight_bits`` bits with one
    unit a projection, and neurons that are 0 to ``activation_range`` in steps of as many bits. ``real``: floats, and
    ReLUs. Binary and real networks normalise every layer's drive, at test with the statistics of each mini-batch of
    test samples (``batch``) or with running ones. Gains, shifts and running statistics, no synapses, are each task's
    own: once it is finished they are kept for its tests, and the next task goes on from them.
    """

    hidden: list[int] = Field([1024, 1024], min_length=0)
    weights: Literal["binary", "quantised", "real"] = "binary"
    weight_bits: int = Field(8, ge=2, le=16)
    activation_range: float = Field(8.0, gt=0)
    statistics: Literal["batch", "running"] = "batch"
    initial_range: float = Field(0.05, gt=0)

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        if any(n < 1 or n > 1_000_000 for n in self.hidden):
            raise ValueError("hidden layers have 1 to 1,000,000 neurons")
        return self

    @property
    def normalised(self) -> bool:
        """Whether the drive of every layer is normalised."""
        return self.weights != "quantised"

    @property
    def stored_bits(self) -> int | None:
        """Bits that a weight is stored in; None for those of the run's precision."""
        return {"binary": 1, "quantised": self.weight_bits}.get(self.weights)


class TaskTraining(Config):
    """Epochs of every task, in mini-batches of ``batch``; ``rate_decay`` is a factor on the rate after each of them."""

    epochs: int = Field(10, ge=0, le=100_000)
    batch: int = Field(100, ge=1, le=100_000)
    rate_decay: float = Field(1.0, gt=0, le=1)
    checkpoint_s: float = Field(60.0, gt=0)


class FeedforwardSpec(RunSpec):
    """A run of a feed-forward network on one task, or on several one after the other."""

    substrate: Literal["feedforward"] = "feedforward"
    network: FeedforwardNetwork = FeedforwardNetwork()
    rule: Annotated[Metaplastic | Backpropagation, Field(discriminator="name")] = Metaplastic()
    tasks: TaskSettings = TaskSettings()
    training: TaskTraining = TaskTraining()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        projections = len(self.network.hidden) + 1
        for wrong, problem in (
            (self.probes.presentations > 0, "probes record spiking networks only"),
            (self.probes.weight_trajectory > 0, "probes record spiking networks only"),
            (len(self.rule.strengths(projections)) != projections, f"give one m, or {projections}"),
        ):
            if wrong:
                raise ValueError(problem)
        return self

    @property
    def precision(self) -> int:
        """Bits of hidden weights and of what is computed."""
        return 32

    @property
    def batch(self) -> int:
        """Samples that are learnt from together."""
        return self.training.batch

    def rate_scale(self, epoch: int) -> float:
        """Return the factor on the learning rate in ``epoch``; it begins anew with every task."""
        return self.training.rate_decay ** (epoch % max(1, self.training.epochs))

    def build_network(self, image_shape: tuple[int, ...], n_classes: int) -> Network:
        """Return the network for images of ``image_shape`` in ``n_classes`` classes."""
        sizes, activation = self.network.hidden, ACTIVATIONS[self.network.weights]
        layers = [Layer("input", prod(image_shape), "static")]
        for number, size in enumerate(sizes, 1):
            name = f"hidden{number}" if len(sizes) > 1 else "hidden"
            layers.append(Layer(name, size, "rate", activation=activation))
        layers.append(Layer("output", n_classes, "rate", activation="identity"))
        projections = [
            Projection(
                pre.name,
                post.name,
                symmetric=pre.name != "input",
                accumulates=True,
                weight_bits=self.network.stored_bits,
                accumulator_bits=_ADAM_BITS,
            )
            for pre, post in pairwise(layers)
        ]
        return Network(tuple(layers), tuple(projections))

    def build_substrate(self, network: Network, image_shape: tuple[int, ...]) -> FeedforwardSubstrate:
        """Return the untrained ``network`` on its substrate."""
        from eqspike.energies.feedforward import Form
        from eqspike.substrates.feedforward.substrate import FeedforwardSubstrate

        settings = self.network
        form = Form(settings.weights, settings.weight_bits, settings.activation_range, settings.normalised)
        return FeedforwardSubstrate(
            network,
            form,
            self.rule,
            batch=self.batch,
            seed=self.seed,
            initial_range=settings.initial_range,
            keeps_moments=settings.statistics == "running",
            separate_tasks=self.tasks.kind != "stream",
        )

    def kernels(self) -> str:
        """Return a key of the compiled code: nothing is compiled ahead."""
        return "feedforward"
