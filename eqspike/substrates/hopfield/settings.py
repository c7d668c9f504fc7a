"""What a recipe says about the physics: how states move, what an image goes through, and how weights are changed."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from eqspike.core.config import Config
from eqspike.core.errors import ConfigError


class Dynamics(Config):
    r"""How states settle.

    ``prototypical``: s <- sigma(d phi/d s), the output nudged ``inside``, sigma(h - beta dC/ds), or ``outside``,
    sigma(h) - beta dC/ds. ``real-time``: s <- s + dt (-s + rho'(s) d phi/d rho(s) - beta dC/ds). ``clip`` keeps
    real-time states and outputs nudged outside within [0, 1]. ``asynchronous``: even and odd layers in turn. With a
    ``tolerance`` a sample of which a state still moves by more at the last of ``free_steps`` is counted as unsettled
    and not learnt from; with ``early_stop`` it takes no more steps than it needs. The nudged phase is cut off after
    ``nudged_steps``, as published. ``persistent`` states start where the last ones ended:
    those of the last mini-``batch``, or of the same ``sample`` in the epoch before.
    """

    kind: Literal["prototypical", "real-time"] = "prototypical"
    nudge: Literal["inside", "outside"] = "inside"
    update: Literal["synchronous", "asynchronous"] = "synchronous"
    dt: float = Field(1.0, gt=0, le=1)
    clip: bool = False
    free_steps: int = Field(40, ge=1, le=1_000_000)
    nudged_steps: int = Field(15, ge=1, le=1_000_000)
    tolerance: float = Field(0.0, ge=0)
    early_stop: bool = False
    persistent: Literal["no", "batch", "sample"] = "no"

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.kind == "real-time" and self.update == "asynchronous":
            raise ValueError("real-time dynamics move all layers at once")
        if self.early_stop and self.tolerance == 0:
            raise ValueError("early_stop needs a tolerance above 0")
        return self


class Images(Config):
    """What an image goes through: padding to ``size``, random crop and flip while training, (x - mean) / std."""

    size: int | None = Field(None, ge=1, le=1024)
    crop_padding: int = Field(0, ge=0, le=64)
    fill: Literal["edge", "zero"] = "edge"
    flip: bool = False
    mean: list[float] = Field(default_factory=list)
    std: list[float] = Field(default_factory=list)

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if len(self.mean) != len(self.std):
            raise ValueError("mean and std need one value for each channel")
        if any(value <= 0 for value in self.std):
            raise ValueError("std must be positive")
        return self

    def check_shape(self, image_shape: tuple[int, ...]) -> None:
        """Refuse images that these settings cannot be applied to.

        Raises
        ------
        ConfigError
            if samples are no images, are larger than ``size``, or have other channels than ``mean``.
        """
        varied = self.size is not None or self.crop_padding or self.flip or self.mean
        flat, channels = len(image_shape) == 1, 1 if len(image_shape) == 2 else image_shape[-1]
        larger = self.size is not None and not flat and max(image_shape[:2]) > self.size
        for wrong, field, problem, remedy in (
            (bool(varied) and flat, "images", "samples are no images.", "Leave these settings out."),
            (larger, "images.size", f"images of {image_shape} cannot be padded to less.", "Raise it."),
            (bool(self.mean) and len(self.mean) != channels, "images.mean", f"{channels} channels.", "One each."),
        ):
            if wrong:
                raise ConfigError(problem, field=field, remedy=remedy)


class Optimiser(Config):
    """How an estimate becomes a change: ``sgd`` or ``adam``, one learning rate per projection, from the input on.

    The factor on all rates: ``constant``, ``exponential`` (``decay`` to the power of the epoch), or ``cosine`` from 1
    to ``final`` over ``period`` epochs (by default all), constant after.
    """

    name: Literal["sgd", "adam"] = "sgd"
    learning_rates: list[float] = Field(min_length=1)
    momentum: float = Field(0.0, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["constant", "exponential", "cosine"] = "constant"
    decay: float = Field(1.0, gt=0, le=1)
    final: float = Field(0.0, ge=0, le=1)
    period: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _rates(self) -> Self:
        if any(rate < 0 for rate in self.learning_rates):
            raise ValueError("learning rates must not be negative")
        if self.name == "adam" and self.momentum:
            raise ValueError("adam has no momentum setting")
        return self
