"""One synapse driven by given spikes: what a rule in ticks makes of them, tick by tick, without a network."""

from __future__ import annotations

from eqspike.core.jit import kernel
from eqspike.kernels.rules import advance, on_post, on_pre


@kernel
def run_synapse(parameters, arrivals, spikes, both, fixed, weight, pre, post, pre_now, post_now):
    """Return the weight's change over all ticks, in the order of the engine: arrivals, post spikes, then the traces.

    Parameters
    ----------
    arrivals, spikes : (n_ticks,) 1 in the ticks of pre and of post spikes, else 0.
    both : whether post spikes change the synapse too.
    fixed : whether the rule is told of the first weight all along.
    pre, post : (rows, 1) traces, zero. ``pre_now``, ``post_now`` : (1,) room for the spikes of a tick.
    """
    change = 0.0
    for tick in range(arrivals.size):
        pre_now[0], post_now[0] = arrivals[tick], spikes[tick]
        if arrivals[tick] > 0:
            seen = weight if fixed else weight + change
            change += on_pre(parameters, seen, pre, 0, post, 0)
        if both and spikes[tick] > 0:
            seen = weight if fixed else weight + change
            change += on_post(parameters, seen, pre, 0, post, 0)
        advance(parameters, pre, pre_now, tick)
        advance(parameters, post, post_now, tick)
    return change
