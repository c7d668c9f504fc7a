"""Suite ``scaling``: how the simulator's time grows with neurons, fan-out and rate, and what a synaptic event costs.

Integrate-and-fire neurons with a constant drive fire regularly, out of step, at the rate that is asked for; their
synapses are too weak to change that. So the number of events is known, and each is a random access to a potential.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

import numpy as np

from eqspike.bench.result import Measurement
from eqspike.network.connectivity import FixedProbability
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked
from eqspike.substrates.spiking.simulation import Simulation, prepare

TICK_S = 1e-3
# (neurons, fan-out, rate in Hz): one of them grows at a time.
SIZES = tuple((n, 100, 10.0) for n in (1_000, 10_000, 30_000, 100_000, 300_000, 1_000_000))
FAN_OUTS = tuple((10_000, fan_out, 10.0) for fan_out in (10, 1_000))
RATES = tuple((10_000, 100, rate) for rate in (1.0, 100.0))
_EVENTS = 2e8  # of a timing, or _UPDATES neuron updates where events are few
_UPDATES = 2e8


def regular(neurons: int, fan_out: int, rate_hz: float, seed: int = 1) -> Simulation:
    """Return a network of ``neurons`` that fire regularly at ``rate_hz``, each onto about ``fan_out`` others."""
    neuron = LIF(tau_membrane_s=None, drive=rate_hz, reset="soft")
    chance = FixedProbability(probability=min(1.0, fan_out / neurons))
    network = Network(
        (Layer("neurons", neurons, "lif", neuron),),
        (Projection("neurons", "neurons", connectivity=chance, weight=1e-9),),
    )
    phases = np.random.default_rng(seed).random(neurons)
    return prepare(network, clock=Clocked(tick_s=TICK_S), initial={"neurons": phases}, seed=seed)


def cost(neurons: int, fan_out: int, rate_hz: float, repeats: int) -> tuple[float, float, float]:
    """Return (seconds a tick, synaptic events a tick, bytes of synapses) of a regular network."""
    simulation = regular(neurons, fan_out, rate_hz)
    size = sum(array.nbytes for array in (simulation.parts[0].program.narrow, simulation.parts[0].program.wide))
    a_tick = neurons * fan_out * rate_hz * TICK_S
    ticks = int(np.clip(min(_EVENTS / a_tick, _UPDATES / neurons), 20, 20_000))
    simulation.run(20 * TICK_S)
    seconds, before = [], simulation.ledger().total("inference", "synaptic_events")
    for _ in range(repeats):
        started = time.perf_counter()
        simulation.run(ticks * TICK_S)
        seconds.append((time.perf_counter() - started) / ticks)
    events = simulation.ledger().total("inference", "synaptic_events") - before
    return median(seconds), events / (repeats * ticks), size


def measure(repeats: int = 3) -> Iterator[Measurement]:
    """Yield the cost of a synaptic event, neuron updates of the same network taken out, as each quantity grows."""
    for neurons, fan_out, rate_hz in (*SIZES, *FAN_OUTS, *RATES):
        silent, _, _ = cost(neurons, 1, 1e-6, repeats)
        seconds, events, size = cost(neurons, fan_out, rate_hz, repeats)
        note = (
            f"{1e6 * seconds:.4g} us a tick, {events:,.0f} events in it; {1e9 * silent / neurons:.2f} ns a "
            f"neuron update; potentials {4 * neurons / 1024:,.0f} KiB, synapses {size / 2**20:,.1f} MiB"
        )
        yield Measurement(
            f"{neurons:,} neurons, fan-out {fan_out:,}, {rate_hz:g} Hz",
            1e9 * (seconds - silent) / events,
            "ns/synaptic event",
            note=note,
        )
