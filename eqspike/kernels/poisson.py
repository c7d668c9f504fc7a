"""Poisson counts of a tick, one a neuron, from counter-based random numbers: no result depends on threads or order."""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import inline
from eqspike.kernels.philox import philox4x32
from eqspike.kernels.simulation_layout import GROUP, LANES

_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)


@inline
def poisson_counts(tails, n_tails, seed, stream, tick, group, drawn, counted):
    """Write into ``counted`` (GROUP,) how many events each neuron of a group has in this tick.

    With u uniform in [0, 2^32) the count is the number of ``tails`` that exceed u, tails[k] = 2^32 P(count > k):
    inversion without a branch.
    """
    k0, k1 = np.uint64(seed) & _LOW, np.uint64(seed) >> _32
    c1, c2, c3 = np.uint64(tick) & _LOW, np.uint64(tick) >> _32, np.uint64(stream)
    for lane in range(LANES):
        words = philox4x32(np.uint64(group * LANES + lane), c1, c2, c3, k0, k1)
        drawn[lane] = words[0]
        drawn[LANES + lane] = words[1]
        drawn[2 * LANES + lane] = words[2]
        drawn[3 * LANES + lane] = words[3]
    for i in range(GROUP):
        counted[i] = 0
    for k in range(n_tails):
        tail = tails[k]
        for i in range(GROUP):
            counted[i] += np.int32(drawn[i] < tail)
