"""Initial weights, from counter-based streams: one stream per projection."""

from __future__ import annotations

import numpy as np

from eqspike.core.rng import Purpose, stream


def glorot_uniform(n_pre: int, n_post: int, gain: float, seed: int, index: int) -> np.ndarray:
    """Return weights uniform in +- gain sqrt(6 / (n_pre + n_post)), shape (n_pre, n_post), float64.

    References
    ----------
    Glorot and Bengio, AISTATS 2010.
    """
    limit = gain * np.sqrt(6.0 / (n_pre + n_post))
    return stream(seed, Purpose.WEIGHTS, index).uniform(-limit, limit, (n_pre, n_post))
