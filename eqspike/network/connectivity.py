"""Which neurons of two layers a projection joins, and with which weights and delays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from eqspike.core.config import Config
from eqspike.core.errors import ConfigError


class AllToAll(Config):
    """Every pre neuron onto every post neuron; weights (n_pre, n_post)."""

    kind: Literal["all-to-all"] = "all-to-all"

    def synapses(self, n_pre: int, n_post: int) -> int:
        """Return the number of synapses."""
        return n_pre * n_post


class OneToOne(Config):
    """Pre neuron k onto post neuron k; weights (n,)."""

    kind: Literal["one-to-one"] = "one-to-one"

    def synapses(self, n_pre: int, n_post: int) -> int:
        """Return the number of synapses."""
        return n_pre


class FixedProbability(Config):
    """Every pair joined with ``probability``, independently of all others."""

    kind: Literal["fixed-probability"] = "fixed-probability"
    probability: float = Field(gt=0, le=1)
    self_connections: bool = True

    def synapses(self, n_pre: int, n_post: int) -> int:
        """Return the expected number of synapses."""
        return round(self.probability * n_pre * n_post)


class FixedIndegree(Config):
    """Every post neuron receives from ``indegree`` pre neurons drawn with replacement: a pair may be joined twice."""

    kind: Literal["fixed-indegree"] = "fixed-indegree"
    indegree: int = Field(ge=1)
    self_connections: bool = True

    def synapses(self, n_pre: int, n_post: int) -> int:
        """Return the number of synapses."""
        return self.indegree * n_post


class FixedTotal(Config):
    """``number`` synapses, both ends of each drawn independently: a pair may be joined several times."""

    kind: Literal["fixed-total"] = "fixed-total"
    number: int = Field(ge=1)

    def synapses(self, n_pre: int, n_post: int) -> int:
        """Return the number of synapses."""
        return self.number


@dataclass(frozen=True, eq=False)
class Pairs:
    """The synapses given one by one: ``pre`` and ``post`` are neuron numbers (n_synapses,), weights are as long."""

    pre: np.ndarray
    post: np.ndarray

    def synapses(self, n_pre: int, n_post: int) -> int:
        """Return the number of synapses."""
        return len(self.pre)

    def check(self, n_pre: int, n_post: int, field: str) -> None:
        """Refuse numbers of neurons that do not exist.

        Raises
        ------
        ConfigError
            if the arrays differ in length or leave the layers.
        """
        if len(self.pre) != len(self.post):
            raise ConfigError(
                f"{len(self.pre)} pre and {len(self.post)} post neurons make no pairs.",
                field=field,
                remedy="Give arrays of equal length.",
            )
        for name, given, n in (("pre", self.pre, n_pre), ("post", self.post, n_post)):
            if len(given) and not (np.min(given) >= 0 and np.max(given) < n):
                raise ConfigError(
                    f"a {name} neuron is not in 0 to {n - 1}.", field=field, remedy="Count from 0 within each layer."
                )


class Normal(Config):
    """Normally distributed values; those on the other side of zero than the mean are set to zero."""

    kind: Literal["normal"] = "normal"
    mean: float
    sd: float = Field(ge=0)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Return values of ``shape``."""
        values = generator.normal(self.mean, self.sd, shape)
        if self.mean == 0:
            return values
        return np.maximum(values, 0) if self.mean > 0 else np.minimum(values, 0)


class Uniform(Config):
    """Values uniform in [low, high)."""

    kind: Literal["uniform"] = "uniform"
    low: float
    high: float

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Return values of ``shape``."""
        return generator.uniform(self.low, self.high, shape)


Drawn = AllToAll | OneToOne | FixedProbability | FixedIndegree | FixedTotal
Connectivity = Drawn | Pairs
Distribution = Normal | Uniform
