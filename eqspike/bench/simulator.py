"""The simulator and the engine beside Brian2 and NEST, each with one thread and with all cores, and their memory.

Peers report the time of their run alone, without compiling and without building the network; so do we.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from eqspike.bench import balanced, brian2_peers, nest_peers
from eqspike.bench.result import Measurement
from eqspike.network.connectivity import AllToAll, Normal
from eqspike.network.description import Network, Projection
from eqspike.substrates.spiking.clocks import Clocked
from eqspike.substrates.spiking.simulation import Simulation, prepare
from eqspike.substrates.spiking.simulation_program import Part
from eqspike.training.run import Run

_IMAGES = 1440  # of a timing of Brian2's inference
_LANES = (1, 8)  # images that Brian2 answers side by side: the faster counts
_DURATION_S = 1.0


def alternately(works: dict[str, Callable[[], float]], repeats: int) -> dict[str, float]:
    """Return the median of the seconds that each work reports of itself, all run in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            seconds[name].append(work())
    return {name: median(found) for name, found in seconds.items()}


def timed(simulation: Simulation) -> Callable[[], float]:
    """Return a work that goes on for a second of emulated time, once warm, and reports what that took."""
    simulation.run(0.1)

    def work() -> float:
        started = time.perf_counter()
        simulation.run(_DURATION_S)
        return time.perf_counter() - started

    return work


def against_simulators(
    name: str, case: balanced.Case, threads: int, folder: Path, repeats: int
) -> Iterator[Measurement]:
    """Measure one second of a balanced network against Brian2 and NEST on as many threads."""
    network, inputs, initial = case
    kind = name.split("-")[0]
    simulation = prepare(
        network, inputs=inputs, initial=initial, clock=Clocked(tick_s=balanced.TICK_S), threads=threads
    )
    build, of = (
        (brian2_peers.build_brunel, balanced.BRUNEL) if kind == "brunel" else (brian2_peers.build_cuba, balanced.CUBA)
    )
    program = build(folder / f"{kind}-{threads}", of, duration_s=_DURATION_S, threads=threads)
    works = {
        "ours": timed(simulation),
        "Brian2, compiled": lambda: program.run().seconds,
        "NEST": lambda: nest_peers.measure(kind, duration_s=_DURATION_S, threads=threads, spikes=False)[0]["seconds"],
    }
    times = alternately(works, repeats)
    for peer in ("Brian2, compiled", "NEST"):
        yield Measurement(
            name if threads == 1 else f"{name}-{threads}-threads", times["ours"], "s/s of network time", peer,
            times[peer], times[peer] / times["ours"], note=f"{threads} thread{'s' * (threads > 1)} each",
        )  # fmt: skip


def against_brian2(name: str, run: Run, images: np.ndarray, folder: Path, repeats: int) -> Measurement:
    """Measure inference with feedback against the faster of Brian2's layouts, one thread each."""
    weights, biases = run.substrate.get_weights()
    network = brian2_peers.Inference(
        weights["input->hidden"], weights["hidden->output"], biases["hidden"], biases["output"],
        ticks=run.spec.phases.free_ticks,
    )  # fmt: skip
    images = images[:_IMAGES]
    programs = {
        f"Brian2, compiled, {lanes} at a time, {bits} bits": brian2_peers.build_inference(
            folder / f"{name}-{lanes}-{bits}", network, images, lanes=lanes, precision=bits
        )
        for lanes in _LANES
        for bits in (32, 64)
    }

    def ours() -> float:
        started = time.perf_counter()
        run.substrate.infer(images, threads=1, counted=False)
        return time.perf_counter() - started

    ours()
    works = {peer: (lambda program=program: program.run().seconds) for peer, program in programs.items()}
    times = alternately({"ours": ours, **works}, repeats)
    fastest = min(programs, key=times.__getitem__)
    scale = 1e6 / len(images)
    return Measurement(
        name, times["ours"] * scale, "us/image", fastest, times[fastest] * scale, times[fastest] / times["ours"],
        note=f"{network.ticks} ticks; the peer's drive is computed beforehand, ours within the time",
    )  # fmt: skip


def synapse_bytes(part: Part) -> int:
    """Return the bytes of the arrays that hold a part's synapses."""
    program = part.program
    return part.state.weights.nbytes + program.narrow.nbytes + program.wide.nbytes + program.starts.nbytes


def memory() -> Iterator[Measurement]:
    """Measure the bytes of a synapse: sparse with one weight, with weights of their own, plastic, and dense."""
    from eqspike.learning.stdp import PairSTDP

    network, inputs, _ = balanced.brunel()
    spread = [
        Projection(**{**vars(p), "weight": Normal(mean=p.weight, sd=abs(p.weight) / 10)}) for p in network.projections
    ]
    learning = [Projection(**{**vars(p), "plastic": True}) for p in spread]
    dense = [
        Projection(p.pre, p.post, connectivity=AllToAll(), weight=p.weight, delay_s=p.delay_s)
        for p in network.projections[-1:]
    ]
    for name, projections, rule in (
        ("sparse, one weight", network.projections, None),
        ("sparse, weights of their own", spread, None),
        ("sparse, plastic", learning, PairSTDP()),
        ("dense", dense, None),
    ):
        simulation = prepare(Network(network.layers, tuple(projections)), inputs=inputs, rule=rule)
        synapses = sum(simulation.synapses.values())
        yield Measurement(
            f"memory, {name}", sum(map(synapse_bytes, simulation.parts)) / synapses, "bytes/synapse",
            note=f"{synapses:,} synapses",
        )  # fmt: skip


def measure_simulator(repeats: int) -> Iterator[Measurement]:
    """Yield the balanced networks on one thread and on all cores, and the memory of synapses."""
    cores = os.cpu_count() or 1
    with TemporaryDirectory() as folder:
        for threads in sorted({1, cores}):
            yield from against_simulators("brunel-10k", balanced.brunel(), threads, Path(folder), repeats)
        yield from against_simulators("cuba-4k", balanced.cuba(), 1, Path(folder), repeats)
    yield from memory()
