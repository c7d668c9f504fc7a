"""EqSpike: spike-triggered Equilibrium Propagation."""

from typing import NamedTuple
from eqspike.kernels.rules import bind

RATE, RATE_CHANGE, MEMORY = 0, 1, 2


class P(NamedTuple):
    smoothing: float
    inverse: float
    depth: int
    slow: float


def advance(parameters, traces, spikes, tick):
    smoothing = parameters.smoothing
    if parameters.depth == 0:
        slow = parameters.slow
        for i in range(spikes.size):
            r = traces[RATE, i]
            r += (spikes[i] - r) * smoothing
            s = traces[MEMORY, i]
            s += (r - s) * slow
            traces[MEMORY, i] = s
            traces[RATE, i] = r
            traces[RATE_CHANGE, i] = (r - s) * slow
        return
    slot = MEMORY + tick % parameters.depth
    inverse = parameters.inverse
    for i in range(spikes.size):
        r = traces[RATE, i]
        r += (spikes[i] - r) * smoothing
        traces[RATE_CHANGE, i] = (r - traces[slot, i]) * inverse
        traces[slot, i] = r
        traces[RATE, i] = r


def on_pre(parameters, weight, pre, i, post, j):
    return post[RATE_CHANGE, j]


def on_post(parameters, weight, pre, i, post, j):
    return pre[RATE_CHANGE, i]


bind(P, advance, on_pre, on_post)
