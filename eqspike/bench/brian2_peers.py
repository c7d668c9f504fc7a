"""Brian2 as a peer: C++ standalone programs of the networks that are timed.

A standalone program is built once and run often; its time is what Brian2 itself reports of the run, without compiling
and without initialising.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from eqspike.bench.balanced import TICK_S, Brunel, Cuba
from eqspike.core.errors import ConfigError

_SEED = "EQSPIKE_PEER_SEED"  # read by the program when it starts, so that a seed needs no compiling
_RESEED = f"""
if (const char* given = std::getenv("{_SEED}"))
    for (size_t k = 0; k < brian::_random_generators.size(); k++)
        brian::_random_generators[k].seed(std::atol(given) + 1000003 * k);
"""


class Spikes(NamedTuple):
    """What a program did: the seconds of its run, and times (s) and neurons of its spikes in order."""

    seconds: float
    t: np.ndarray
    i: np.ndarray


@dataclass(frozen=True)
class Program:
    """A compiled standalone program in ``folder``.

    ``files`` are those of the spikes' times and neurons; ``given`` those of the arrays that a run may be given anew.
    """

    folder: Path
    threads: int
    files: Mapping[str, tuple[str, np.dtype]]
    given: Mapping[str, tuple[Path, np.dtype]] = field(default_factory=dict)

    def run(self, seed: int = 1, **arrays: np.ndarray) -> Spikes:
        """Run the program with random numbers from ``seed`` and with other ``arrays`` in place of those it has.

        Raises
        ------
        ConfigError
            if the program fails.
        """
        for name, values in arrays.items():
            path, dtype = self.given[name]
            np.asarray(values, dtype).tofile(path)
        environment = {**os.environ, _SEED: str(seed), "OMP_NUM_THREADS": str(self.threads)}
        done = subprocess.run(["./main"], cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ConfigError(f"the Brian2 peer failed: {done.stderr.strip()}", field="bench")
        results = self.folder / "results"
        seconds = float((results / "last_run_info.txt").read_text("utf-8").split()[0])
        t, i = (np.fromfile(results / name, dtype) for name, dtype in (self.files["t"], self.files["i"]))
        return Spikes(seconds, t.astype(np.float64), i.astype(np.int64))


def brunel_pairs(of: Brunel, seed: int) -> dict[str, np.ndarray]:
    """Return the synapses of Brunel's network, drawn with replacement, in order of their pre neurons.

    Brian2 itself would draw fixed in-degrees in order of post neurons, which scatters the synapses of a spike over
    memory.
    """
    rng, found = np.random.default_rng(seed), {}
    for kind, n, indegree in (
        ("excitatory", of.excitatory, of.from_excitatory),
        ("inhibitory", of.inhibitory, of.from_inhibitory),
    ):
        key = rng.integers(n, size=(of.neurons, indegree), dtype=np.int64) * of.neurons
        key += np.arange(of.neurons)[:, None]
        found[f"{kind}_pre"], found[f"{kind}_post"] = np.divmod(np.sort(key, axis=None), of.neurons)
    return found


def build_brunel(
    folder: Path, of: Brunel, *, duration_s: float = 1.0, threads: int = 1, precision: int = 64, seed: int = 1
) -> Program:
    """Compile Brunel's network; give a run other `brunel_pairs` for other synapses.

    What arrives at a refractory neuron is lost: Brian2 writes to no V that rests.
    """
    brian2 = _brian2()
    pairs = brunel_pairs(of, seed)
    with _standalone(brian2, threads, precision) as device:
        volt, second = brian2.volt, brian2.second
        space = {
            "tau": of.tau_membrane_s * second,
            "theta": of.v_threshold * volt,
            "v_reset": of.v_reset * volt,
            "J": of.weight * volt,
            "J_inhibitory": -of.g * of.weight * volt,
            "expected": of.external_rate_hz * TICK_S,
        }
        group = brian2.NeuronGroup(
            of.neurons, "dv/dt = -v / tau : volt (unless refractory)", threshold="v >= theta", reset="v = v_reset",
            refractory=of.refractory_s * second, method="exact", namespace=space,
        )  # fmt: skip
        group.run_regularly("v += J * poisson(expected)", when="end")
        synapses = []
        for kind, part, weight in (
            ("excitatory", group[: of.excitatory], "J"),
            ("inhibitory", group[of.excitatory :], "J_inhibitory"),
        ):
            joined = brian2.Synapses(
                part, group, on_pre=f"v_post += {weight}", delay=of.delay_s * second, namespace=space
            )
            joined.connect(i=pairs[f"{kind}_pre"], j=pairs[f"{kind}_post"])
            synapses.append(joined)
        return _build(brian2, device, folder, threads, group, synapses, duration_s, given=pairs)


def build_cuba(folder: Path, of: Cuba, *, duration_s: float = 1.0, threads: int = 1, precision: int = 64) -> Program:
    """Compile the CUBA network as in Brian2's example; its synapses are drawn anew at every run."""
    brian2 = _brian2()
    with _standalone(brian2, threads, precision) as device:
        volt, second = brian2.volt, brian2.second
        space = {
            "taum": of.tau_membrane_s * second,
            "taue": of.tau_excitatory_s * second,
            "taui": of.tau_inhibitory_s * second,
            "Vt": of.v_threshold * volt,
            "Vr": of.v_reset * volt,
            "El": of.v_rest * volt,
            "we": of.weight_excitatory * volt,
            "wi": of.weight_inhibitory * volt,
        }
        equations = """
        dv/dt = (ge + gi - (v - El)) / taum : volt (unless refractory)
        dge/dt = -ge / taue : volt
        dgi/dt = -gi / taui : volt
        """
        group = brian2.NeuronGroup(
            of.neurons, equations, threshold="v > Vt", reset="v = Vr", refractory=of.refractory_s * second,
            method="exact", namespace=space,
        )  # fmt: skip
        group.v = "Vr + rand() * (Vt - Vr)"
        synapses = []
        for part, code in ((group[: of.excitatory], "ge_post += we"), (group[of.excitatory :], "gi_post += wi")):
            joined = brian2.Synapses(part, group, on_pre=code, delay=of.delay_s * second, namespace=space)
            joined.connect(p=of.probability)
            synapses.append(joined)
        return _build(brian2, device, folder, threads, group, synapses, duration_s)


@dataclass(frozen=True)
class Inference:
    """An EqSpike network of one hidden layer answering images, ``lanes`` of them side by side.

    Neurons are integrate-and-fire with soft reset; weights from hidden to output act in both directions.

    Parameters
    ----------
    w_in, w_out : (n_pixels, n_hidden), (n_hidden, n_out).
    b_hidden, b_out : constant drives.
    threshold, v_min, v_max : of every neuron.
    ticks : how long each image is shown.
    """

    w_in: np.ndarray
    w_out: np.ndarray
    b_hidden: np.ndarray
    b_out: np.ndarray
    threshold: float = 1.0
    v_min: float = -1.0
    v_max: float = 1.0
    ticks: int = 120

    def drive(self, images: np.ndarray, lanes: int) -> np.ndarray:
        """Return what drives each neuron, all hidden ones before the outputs: (n_images / lanes, n_neurons).

        Raises
        ------
        ConfigError
            if the images do not fill the lanes.
        """
        if len(images) % lanes:
            raise ConfigError(
                f"{len(images)} images do not fill {lanes} lanes.", field="lanes", remedy="Give a multiple of them."
            )
        hidden = (images @ self.w_in + self.b_hidden).reshape(-1, lanes * len(self.b_hidden))
        return np.concatenate([hidden, np.tile(self.b_out, (len(hidden), lanes))], axis=1)

    def synapses(self, lanes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return pre and post neurons and weights of all synapses in both directions, in order of pre neurons."""
        n_hidden, n_out = self.w_out.shape
        hidden, output = (ends.ravel() for ends in np.indices(self.w_out.shape))
        lane = np.arange(lanes)[:, None]
        hidden, output = (lane * n_hidden + hidden).ravel(), (lanes * n_hidden + lane * n_out + output).ravel()
        pre, post = np.concatenate([hidden, output]), np.concatenate([output, hidden])
        order = np.lexsort((post, pre))
        return pre[order], post[order], np.tile(self.w_out.ravel(), 2 * lanes)[order]


def build_inference(
    folder: Path, network: Inference, images: np.ndarray, *, lanes: int = 1, precision: int = 64,
    recorded: Literal["all", "output"] = "output",
) -> Program:  # fmt: skip
    """Compile a network that answers ``images`` one after the other, ``lanes`` at a time, from rest each.

    One group of neurons, all hidden ones before the outputs, and one set of synapses make the fewest calls a tick. A
    tick clamps, adds drive and what arrived, and fires; spikes arrive at the next tick. The drive of all images is
    computed beforehand, and so is not in the program's time. Recording ``all`` spikes takes half as long
    again; 8 to 16 lanes are fastest.
    """
    brian2 = _brian2()
    n_hidden, n_out = network.w_out.shape
    neurons = lanes * (n_hidden + n_out)
    pre, post, weight = network.synapses(lanes)
    with _standalone(brian2, 1, precision) as device:
        shown_for = network.ticks * TICK_S * brian2.second
        space = {
            "shown": brian2.TimedArray(network.drive(images, lanes), dt=shown_for, name="shown"),
            "threshold": network.threshold,
            "v_min": network.v_min,
            "v_max": network.v_max,
        }
        group = brian2.NeuronGroup(
            neurons, "v : 1\narrived : 1\ndriven : 1", threshold="v >= threshold", reset="v -= threshold",
            namespace=space,
        )  # fmt: skip
        group.run_regularly("v = 0\narrived = 0\ndriven = shown(t, i)", dt=shown_for, when="start")
        group.run_regularly("v = clip(v, v_min, v_max) + (driven + arrived)\narrived = 0", when="groups")
        synapses = brian2.Synapses(group, group, "w : 1", on_pre="arrived_post += w")
        synapses.connect(i=pre, j=post)
        synapses.w = weight
        watched = group if recorded == "all" else group[lanes * n_hidden :]
        duration = len(images) // lanes * network.ticks * TICK_S
        return _build(brian2, device, folder, 1, group, [synapses], duration, watched=watched)


def output_counts(spikes: Spikes, network: Inference, images: int, *, lanes: int, last: int) -> np.ndarray:
    """Return how often each output fired in the ``last`` ticks of each image, (n_images, n_out)."""
    n_out = network.w_out.shape[1]
    show, tick = np.divmod(np.rint(spikes.t / TICK_S).astype(np.int64), network.ticks)
    counts = np.zeros((images, n_out), np.int64)
    late = tick >= network.ticks - last
    np.add.at(counts, (show[late] * lanes + spikes.i[late] // n_out, spikes.i[late] % n_out), 1)
    return counts


def by_image(spikes: Spikes, network: Inference, images: int, *, lanes: int = 1) -> np.ndarray:
    """Return all spikes of an inference program as a raster (n_images, ticks, n_hidden + n_out) of 0 and 1."""
    n_hidden, n_out = network.w_out.shape
    raster = np.zeros((images, network.ticks, n_hidden + n_out), np.uint8)
    show, tick = np.divmod(np.rint(spikes.t / TICK_S).astype(np.int64), network.ticks)
    above = spikes.i - lanes * n_hidden
    lane = np.where(above < 0, spikes.i // n_hidden, above // n_out)
    neuron = np.where(above < 0, spikes.i % n_hidden, n_hidden + above % n_out)
    raster[show * lanes + lane, tick, neuron] = 1
    return raster


_SCHEDULE = ["start", "groups", "thresholds", "resets", "synapses", "end"]  # of the engine


def _build(
    brian2: Any, device: Any, folder: Path, threads: int, group: Any, synapses: list[Any], duration_s: float,
    given: Mapping[str, np.ndarray] | None = None, watched: Any = None,
) -> Program:  # fmt: skip
    """Compile the network of ``group`` and ``synapses`` with a monitor of the spikes of all or those ``watched``."""
    monitor = brian2.SpikeMonitor(group if watched is None else watched)
    network = brian2.Network(group, *synapses, monitor)
    network.schedule = _SCHEDULE
    device.insert_code("after_start", _RESEED)
    network.run(duration_s * brian2.second)
    device.build(directory=str(folder), compile=True, run=False, with_output=False)
    (folder / "results").mkdir(exist_ok=True)
    variables = {name: monitor.variables[name] for name in ("t", "i")}
    files = {
        name: (Path(device.get_array_filename(variable)).name, variable.dtype) for name, variable in variables.items()
    }
    arrays = {}
    for name, values in (given or {}).items():
        held = next(key for key, array in device.static_arrays.items() if np.array_equal(array, values))
        arrays[name] = (folder / "static_arrays" / held, device.static_arrays[held].dtype)
    return Program(folder, threads, files, arrays)


@contextmanager
def _standalone(brian2: Any, threads: int, precision: int, tick_s: float = TICK_S) -> Iterator[Any]:
    """Let Brian2 write C++ with ``threads`` threads and floats of ``precision`` bits, and afterwards as it was."""
    prefs = brian2.prefs
    kept = prefs.core.default_float_dtype, prefs.devices.cpp_standalone.openmp_threads
    before = brian2.get_device()
    brian2.start_scope()
    brian2.set_device("cpp_standalone", build_on_run=False)
    device = brian2.get_device()
    device.reinit()
    device.activate(build_on_run=False)
    try:
        prefs.core.default_float_dtype = np.float32 if precision == 32 else np.float64
        prefs.devices.cpp_standalone.openmp_threads = threads if threads > 1 else 0
        brian2.defaultclock.dt = tick_s * brian2.second
        yield device
    finally:
        device.reinit()
        prefs.core.default_float_dtype, prefs.devices.cpp_standalone.openmp_threads = kept
        brian2.devices.reset_device(before)


def _brian2() -> Any:
    try:
        import brian2
    except ModuleNotFoundError:
        raise ConfigError(
            "there is no Brian2, the peer to compare with.",
            field="bench",
            remedy="Install it with: pip install 'eqspike[bench]'.",
        ) from None
    return brian2
