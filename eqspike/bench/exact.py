"""Suite ``exact``: the clock without ticks costs what happens, not what time passes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

from eqspike.bench.balanced import BRUNEL, Brunel, brunel
from eqspike.bench.result import Measurement
from eqspike.network.connectivity import OneToOne
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Exact
from eqspike.substrates.spiking.simulation import Simulation, prepare

SILENT = 1_000_000
_MOMENT_S = 1e-3  # a first run, so that kernels are compiled and activity has begun


def silent(neurons: int = SILENT) -> Simulation:
    """Return leaky neurons in a ring that nothing drives over their threshold."""
    ring = Projection("neurons", "neurons", connectivity=OneToOne(), weight=0.5, delay_s=1e-3)
    network = Network((Layer("neurons", neurons, "lif", LIF(drive=0.5)),), (ring,))
    return prepare(network, clock=Exact())


def balanced(of: Brunel = BRUNEL) -> Simulation:
    """Return the balanced network of delta synapses with its background."""
    network, inputs, initial = brunel(of)
    return prepare(network, clock=Exact(), inputs=inputs, initial=initial)


def seconds(simulation: Simulation, duration_s: float, repeats: int) -> float:
    """Return the median time that ``duration_s`` of the simulation takes."""
    simulation.run(_MOMENT_S)
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        simulation.run(duration_s)
        taken.append(time.perf_counter() - started)
    return median(taken)


def measure(repeats: int = 5) -> Iterator[Measurement]:
    """Yield the time of silence, short and long, and of an event in a balanced network."""
    for duration_s in (1.0, 1000.0):
        taken = seconds(silent(), duration_s, repeats)
        yield Measurement(f"silence-{SILENT}-{duration_s:g}s", taken, "s", note="nothing happens, so nothing is done")
    simulation = balanced()
    taken = seconds(simulation, 0.1, repeats)
    events = simulation.ledger().total("inference", "synaptic_events") * 0.1 / simulation.time_s
    note = f"{events / taken:.3g} synaptic events a second, background included"
    yield Measurement("exact-brunel-10k", taken / 0.1, "s/s of network time", note=note)
