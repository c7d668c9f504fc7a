"""How much memory a network in continuous time takes, told before it is allocated."""

from __future__ import annotations

from math import prod
from pathlib import Path

from eqspike.core.errors import ConfigError
from eqspike.network.connectivity import (
    AllToAll,
    FixedIndegree,
    FixedProbability,
    FixedTotal,
    Normal,
    OneToOne,
    Uniform,
)
from eqspike.network.description import Network, Projection
from eqspike.substrates.spiking.clocks import Clock, Exact, FixedPoint
from eqspike.substrates.spiking.wiring import index_bytes

_NEURON = 64  # bytes of state, spikes and delivery a neuron
_DRAWING = 24  # bytes a synapse while synapses are drawn and sorted, one projection at a time


def clock_bits(clock: Clock) -> int:
    """Return the bits of a weight on the emulated hardware."""
    return clock.weight_bits if isinstance(clock, FixedPoint) else 8 * weight_bytes(clock)


def weight_bytes(clock: Clock) -> int:
    """Return the bytes of a stored weight."""
    return 4 if isinstance(clock, FixedPoint | Exact) or clock.precision == 32 else 8


def synapse_bytes(network: Network, projection: Projection, clock: Clock) -> float:
    """Return the bytes that a synapse takes while the network runs."""
    pre, post = network.layer(projection.pre).size, network.layer(projection.post).size
    weight, chosen = weight_bytes(clock), projection.connectivity
    spread = projection.plastic or isinstance(projection.weight, Normal | Uniform)
    own = weight if spread or getattr(projection.weight, "size", 1) > 1 else 0
    if projection.kernel is not None or isinstance(chosen, AllToAll):
        return weight
    if isinstance(chosen, OneToOne):
        return 16 + own
    return index_bytes(post) + own + (index_bytes(pre) if projection.plastic else 0)


def memory_bytes(network: Network, clock: Clock, rule) -> tuple[int, int]:
    """Return the bytes that a network takes while it runs, and at most while it is built."""
    running = sum(_NEURON * layer.size for layer in network.layers)
    drawing = weights = 0
    for projection in network.projections:
        pre, post = network.layer(projection.pre).size, network.layer(projection.post).size
        if projection.kernel is not None:
            running += weight_bytes(clock) * prod(network.stored(projection))
            continue
        n = projection.connectivity.synapses(pre, post)
        running += int(n * synapse_bytes(network, projection, clock)) + 8 * (pre + 1)
        if projection.plastic:
            running += 8 * (post + 1)
        drawn = isinstance(projection.connectivity, FixedIndegree | FixedProbability | FixedTotal)
        drawing = max(drawing, _DRAWING * n if drawn else 8 * n)
        if isinstance(projection.weight, Normal | Uniform):
            weights += 8 * n
        if projection.plastic and rule is not None:
            running += 8 * len(rule.taus_s) * (pre + post)
    return running, 2 * running + drawing + weights


def check_memory(network: Network, clock: Clock, rule) -> None:
    """Refuse a network that does not fit into the memory that is free.

    Raises
    ------
    ConfigError
        naming what is needed and what is there.
    """
    running, building = memory_bytes(network, clock, rule)
    free = available_bytes()
    if free is not None and building > free:
        raise ConfigError(
            f"the network needs {building / 1e9:.3g} GB to be built and {running / 1e9:.3g} GB to run; "
            f"{free / 1e9:.3g} GB are free.",
            field="network",
            remedy="Make it smaller or sparser, or give projections one weight.",
        )


def available_bytes() -> int | None:
    """Return the memory that can be had without swapping, None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return None
    found = [line.split() for line in lines if line.startswith("MemAvailable:")]
    return int(found[0][1]) * 1024 if found else None
