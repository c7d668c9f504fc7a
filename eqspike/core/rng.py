"""Counter-based random streams keyed by (seed, purpose, index): no result depends on order, threads or resuming."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a random number is for; each purpose is a stream of its own."""

    WEIGHTS = 1
    SHUFFLE = 2
    NUDGE_SIGN = 3
    INPUT_SPIKES = 4
    PROTOCOL = 5
    SPLIT = 6
    TASK_PIXELS = 7
    TASK_SUBSETS = 8
    SYNAPSES = 9
    SOURCES = 10
    BACKGROUND = 11
    ROUNDING = 12
    WEIGHT_ROUNDING = 13
    POTENTIALS = 14
    SYNAPSE_ROUNDING = 15


def stream(seed: int, purpose: Purpose, index: int = 0) -> np.random.Generator:
    """Return the generator of (seed, purpose, index), a Philox4x64 counter of its own.

    Parameters
    ----------
    seed : the run's seed, 0 <= seed < 2**63.
    purpose : what the numbers are for.
    index : epoch, projection or trial.
    """
    return np.random.Generator(np.random.Philox(key=[seed, int(purpose)], counter=[0, 0, 0, index]))
