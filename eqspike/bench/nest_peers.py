"""The balanced networks in NEST, in a process of its own.

    python -m eqspike.bench.nest_peers brunel --threads 1 --duration 1 --seed 1 --spikes out.npz

prints one JSON document: the seconds that simulating took, without building, and how many spikes there were.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from eqspike.bench.balanced import BRUNEL, CUBA, TICK_S, Brunel, Cuba
from eqspike.core.errors import ConfigError, EqspikeError

_CAPACITANCE = 250.0  # pF, with which NEST's weights in pA are weights in volts times C / tau


def measure(
    network: str, *, duration_s: float = 1.0, threads: int = 1, seed: int = 1, size: float = 1.0, spikes: bool = True
) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Run ``network`` in a process of its own; return its report, and times (s) and neurons of its spikes.

    Parameters
    ----------
    network : "brunel" or "cuba".
    size : factor on the numbers of neurons and, of brunel, on in-degrees, for tests.
    spikes : whether spikes are recorded; without, a network runs as bare as NEST allows.

    Raises
    ------
    ConfigError : there is no NEST, or the process failed.
    """
    with TemporaryDirectory() as folder:
        found = Path(folder, "spikes.npz")
        wanted = {"threads": threads, "duration": duration_s, "seed": seed, "size": size}
        flags = [text for name, value in wanted.items() for text in (f"--{name}", str(value))]
        command = [sys.executable, "-m", "eqspike.bench.nest_peers", network, *flags]
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "OMP_NUM_THREADS": str(threads),
            "PYNEST_QUIET": "1",
        }
        if spikes:
            command += ["--spikes", str(found)]
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ConfigError(f"the NEST peer failed: {done.stderr.strip().rpartition(chr(10))[2]}", field="bench")
        report = json.loads(done.stdout.strip().rpartition("\n")[2])
        if not spikes:
            return report, np.zeros(0), np.zeros(0, np.int64)
        with np.load(found) as arrays:
            return report, arrays["t"], arrays["i"]


def simulate(
    nest: Any, network: Brunel | Cuba, *, duration_s: float, threads: int, seed: int, spikes: bool
) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Build ``network``, simulate it, and return the report, and times (s) and neurons of its spikes."""
    nest.ResetKernel()
    nest.resolution = TICK_S * 1e3
    nest.local_num_threads = threads
    nest.rng_seed = seed
    started = time.perf_counter()
    neurons = _cuba(nest, network, seed) if isinstance(network, Cuba) else _brunel(nest, network)
    recorder = nest.Create("spike_recorder") if spikes else None
    if spikes:
        nest.Connect(neurons, recorder)
    nest.Prepare()
    built = time.perf_counter()
    nest.Run(duration_s * 1e3)
    ended = time.perf_counter()
    nest.Cleanup()
    devices = int(spikes) + isinstance(network, Brunel)  # connected to every neuron
    events = recorder.events if spikes else {"times": np.zeros(0), "senders": np.zeros(0, np.int64)}
    order = np.argsort(events["times"], kind="stable")
    times, ids = events["times"][order] * 1e-3, events["senders"][order] - neurons[0].global_id
    report = {
        "seconds": ended - built,
        "build_seconds": built - started,
        "synapses": nest.num_connections - network.neurons * devices,
        "spikes": nest.local_spike_counter,
        "nest": nest.__version__,
    }
    return report, times, ids


def _brunel(nest: Any, of: Brunel) -> Any:
    """Create the network as NEST's example brunel_delta_nest.py does."""
    parameters = {
        "C_m": 1.0,
        "tau_m": of.tau_membrane_s * 1e3,
        "t_ref": of.refractory_s * 1e3,
        "E_L": 0.0,
        "V_reset": of.v_reset * 1e3,
        "V_m": 0.0,
        "V_th": of.v_threshold * 1e3,
    }
    neurons = nest.Create("iaf_psc_delta", of.neurons, params=parameters)
    noise = nest.Create("poisson_generator", params={"rate": of.external_rate_hz})
    excitatory = {"weight": of.weight * 1e3, "delay": of.delay_s * 1e3}
    inhibitory = {"weight": -of.g * of.weight * 1e3, "delay": of.delay_s * 1e3}
    for name, values in (("excitatory", excitatory), ("inhibitory", inhibitory)):
        nest.CopyModel("static_synapse", name, values)
    nest.Connect(noise, neurons, syn_spec="excitatory")
    rule = {"rule": "fixed_indegree", "indegree": of.from_excitatory}
    nest.Connect(neurons[: of.excitatory], neurons, rule, "excitatory")
    rule = {"rule": "fixed_indegree", "indegree": of.from_inhibitory}
    nest.Connect(neurons[of.excitatory :], neurons, rule, "inhibitory")
    return neurons


def _cuba(nest: Any, of: Cuba, seed: int) -> Any:
    """Create the network with Brian2's numbers: weights in volts become currents, w C / tau."""
    parameters = {
        "C_m": _CAPACITANCE,
        "tau_m": of.tau_membrane_s * 1e3,
        "t_ref": of.refractory_s * 1e3,
        "E_L": of.v_rest * 1e3,
        "V_reset": of.v_reset * 1e3,
        "V_th": of.v_threshold * 1e3,
        "tau_syn_ex": of.tau_excitatory_s * 1e3,
        "tau_syn_in": of.tau_inhibitory_s * 1e3,
    }
    neurons = nest.Create("iaf_psc_exp", of.neurons, params=parameters)
    neurons.V_m = np.random.default_rng(seed).uniform(of.v_reset * 1e3, of.v_threshold * 1e3, of.neurons)
    current = _CAPACITANCE / of.tau_membrane_s  # pA of a weight of one volt, the millis of pF/ms cancelling mV
    rule = {"rule": "pairwise_bernoulli", "p": of.probability}
    for sources, name, weight in (
        (neurons[: of.excitatory], "excitatory", of.weight_excitatory),
        (neurons[of.excitatory :], "inhibitory", of.weight_inhibitory),
    ):
        nest.CopyModel("static_synapse", name, {"weight": weight * current, "delay": of.delay_s * 1e3})
        nest.Connect(sources, neurons, rule, name)
    return neurons


def resized(network: str, size: float) -> Brunel | Cuba:
    """Return the network called ``network`` with ``size`` of its neurons; a neuron's synapses go with them.

    Brunel's weights grow by as much, so that excitation, inhibition and the external drive keep their means.
    """
    if network == "cuba":
        return replace(CUBA, excitatory=round(CUBA.excitatory * size), inhibitory=round(CUBA.inhibitory * size))
    numbers = ("excitatory", "inhibitory", "from_excitatory", "from_inhibitory")
    fewer = {name: round(getattr(BRUNEL, name) * size) for name in numbers}
    return replace(BRUNEL, **fewer, weight=BRUNEL.weight / size)


def _nest() -> Any:
    try:
        import nest
    except ModuleNotFoundError:
        raise ConfigError(
            "there is no NEST, the peer to compare with.",
            field="bench",
            remedy="Install it with: pip install 'eqspike[bench]'.",
        ) from None
    nest.verbosity = nest.VerbosityLevel.ERROR
    return nest


def main() -> None:
    """Run the network that the command line names and print its report as JSON."""
    parser = argparse.ArgumentParser(prog="python -m eqspike.bench.nest_peers", description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=("brunel", "cuba"))
    parser.add_argument("--duration", type=float, default=1.0, help="seconds to simulate")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=float, default=1.0, help="factor on the number of neurons")
    parser.add_argument("--spikes", help=".npz to write times and neurons to; without it, none are recorded")
    options = parser.parse_args()
    network = resized(options.network, options.size)
    report, times, ids = simulate(
        _nest(), network, duration_s=options.duration, threads=options.threads, seed=options.seed,
        spikes=options.spikes is not None,
    )  # fmt: skip
    if options.spikes:
        np.savez(options.spikes, t=times, i=ids)
    print(json.dumps({"network": options.network, "threads": options.threads, **report}))


if __name__ == "__main__":
    try:
        main()
    except EqspikeError as error:
        sys.exit(f"{error.problem} {error.remedy}")
