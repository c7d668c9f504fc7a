"""Philox4x32-10 counter-based random numbers inside kernels (Salmon et al., SC 2011, doi:10.1145/2063384.2063405)."""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import inline

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)
_TO_UNIT = 2.0**-32


@inline
def philox4x32(c0, c1, c2, c3, k0, k1):
    """Return four 32-bit words (as uint64) of counter (c0, c1, c2, c3) under key (k0, k1), ten rounds."""
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ k0, p1 & _LOW, (p0 >> _32) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@inline
def uniforms(seed, purpose, index, draw):
    """Return four numbers in (0, 1] of stream (seed, purpose, index) at position ``draw``; purposes are below 256."""
    seed, index = np.uint64(seed), np.uint64(index)
    words = philox4x32(
        index & _LOW, index >> _32, np.uint64(draw), np.uint64(purpose), seed & _LOW, (seed >> _32) & _LOW
    )
    return (
        (np.float64(words[0]) + 1.0) * _TO_UNIT,
        (np.float64(words[1]) + 1.0) * _TO_UNIT,
        (np.float64(words[2]) + 1.0) * _TO_UNIT,
        (np.float64(words[3]) + 1.0) * _TO_UNIT,
    )
