"""What a recipe says about the physics of a binary network."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from eqspike.core.config import Config


class BinaryDynamics(Config):
    r"""How states move, all layers at once.

    ``activation`` "real": s <- clip(h, 0, 1), from 0 (in convolutional networks from 1/2). "binary": a neuron emits
    b = 1 where s >= ``threshold``, s <- clip((1 - inertia) s + inertia h, 0, 1), from 1. A phase takes ``free_steps``
    or ``nudged_steps``; ``stop`` "rest" counts it only up to where nothing moves any more, which leaves the states the
    same, bit for bit.

    References
    ----------
    Laydevant, Ernoult, Querlioz and Grollier, CVPR Workshops 2021, arXiv:2103.08953.
    """

    activation: Literal["real", "binary"] = "binary"
    threshold: float = Field(0.5, gt=0, lt=1)
    inertia: float = Field(0.5, gt=0, le=1)
    free_steps: int = Field(20, ge=1, le=1_000_000)
    nudged_steps: int = Field(10, ge=1, le=1_000_000)
    stop: Literal["rest", "schedule"] = "rest"
