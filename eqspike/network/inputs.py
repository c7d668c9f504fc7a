"""What drives a network from outside: spikes given one by one, or Poisson processes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from eqspike.core.config import Config
from eqspike.core.errors import ConfigError


class Poisson(Config):
    """Independent Poisson processes of ``rate_hz``, one a neuron.

    Those of a source layer are its spikes. A layer of neurons takes them as background: every event adds ``weight`` to
    the potential, or to a current of time constant ``tau_synapse_s`` (Brunel, J. Comput. Neurosci. 8:183, 2000,
    doi:10.1023/A:1008925309027).
    """

    rate_hz: float = Field(ge=0)
    weight: float | None = None
    tau_synapse_s: float = Field(0.0, ge=0)


@dataclass(frozen=True, eq=False)
class SpikeList:
    """Spikes of a source layer: ``neurons`` (n,) fire at ``times_s`` (n,), in any order."""

    times_s: np.ndarray
    neurons: np.ndarray

    def sorted(self, n: int, field: str) -> tuple[np.ndarray, np.ndarray]:
        """Return times and neurons in order of time, then of neuron.

        Raises
        ------
        ConfigError
            if the arrays differ in length, a time is negative or not finite, or a neuron does not exist.
        """
        times, neurons = np.asarray(self.times_s, np.float64), np.asarray(self.neurons, np.int64)
        for wrong, problem, remedy in (
            (times.shape != neurons.shape, f"{times.size} times, {neurons.size} neurons.", "Give one time a spike."),
            (times.size and not (np.isfinite(times).all() and times.min() >= 0), "a time is negative.", "Start at 0."),
            (
                neurons.size and not (neurons.min() >= 0 and neurons.max() < n),
                f"a neuron is not in 0 to {n - 1}.",
                "Count from 0.",
            ),
        ):
            if wrong:
                raise ConfigError(problem, field=field, remedy=remedy)
        order = np.lexsort((neurons, times))
        return times[order], neurons[order]


Input = Poisson | SpikeList
