"""Brian2 as a peer: C++ standalone programs for timing, and small networks step by step for equality of spikes.

A standalone program is built once and run often; its time is what Brian2 itself reports of the run, without compiling
and without initialising.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import expm1
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from eqspike.bench.balanced import TICK_S, Brunel, Cuba
from eqspike.core.errors import ConfigError
from eqspike.network.inputs import SpikeList
from eqspike.network.neurons import LIF

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
    computed beforehand, and so is not in the program's time. Recording ``all`` spikes takes it half as long again.
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


@dataclass(frozen=True)
class Connection:
    """Synapses one by one onto the neurons, from them or from the ``input``'s spikes; ``delay_s`` one or one each."""

    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray | float
    delay_s: np.ndarray | float
    tau_synapse_s: float = 0.0
    from_input: bool = False


def small_network(
    neuron: LIF, size: int, connections: Sequence[Connection], *, duration_s: float, tick_s: float = TICK_S,
    inputs: SpikeList | None = None, initial: np.ndarray | float | None = None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return times (s) and neurons of the spikes of a deterministic network, in 64 bits, by time and neuron.

    Of each tick: neurons, thresholds, resets, arrivals. A spike of tick n with a delay of D ticks arrives in n + D. A
    refractory time of R ticks is that of NEST and of this engine: after a spike in tick n, V stands still in R ticks
    and what arrives in R ticks, from n on, is lost. Brian2 of itself would integrate already in tick n + R.

    Parameters
    ----------
    initial : potentials, by default at rest.
    """
    brian2 = _brian2()
    second = brian2.second
    with _runtime(brian2, tick_s):
        currents = {f"g{k}": c.tau_synapse_s for k, c in enumerate(connections) if c.tau_synapse_s > 0}
        group = _neurons(brian2, neuron, size, currents, tick_s)
        group.v = neuron.v_rest if initial is None else initial
        listed = inputs or SpikeList(np.zeros(0), np.zeros(0, np.int64))
        ends = [c.pre for c in connections if c.from_input and len(c.pre)]
        last = max((int(np.max(neurons)) for neurons in (*ends, listed.neurons) if len(neurons)), default=0)
        source = brian2.SpikeGeneratorGroup(1 + last, listed.neurons, listed.times_s * second)
        parts: list[Any] = [group, source]
        for k, connection in enumerate(connections):
            code = f"g{k}_post += w" if f"g{k}" in currents else "v_post += w"
            joined = brian2.Synapses(source if connection.from_input else group, group, "w : 1", on_pre=code)
            joined.connect(i=connection.pre, j=connection.post)
            joined.w, joined.delay = connection.weight, connection.delay_s * second
            parts.append(joined)
        monitor = brian2.SpikeMonitor(group)
        network = brian2.Network(*parts, monitor)
        network.schedule = _SCHEDULE
        network.run(duration_s * second)
        t, i = np.asarray(monitor.t), np.asarray(monitor.i, np.int64)
    order = np.lexsort((i, t))
    return t[order], i[order]


_SCHEDULE = ["start", "groups", "thresholds", "resets", "synapses", "end"]


def _neurons(brian2: Any, neuron: LIF, size: int, currents: Mapping[str, float], tick_s: float) -> Any:
    """Return the group of neurons with ``currents`` (their time constants), potentials being plain numbers.

    Brian2's exact integration wants an equation that settles: of a neuron without a leak the step is written out. A
    refractory neuron is put back at every tick, and so loses what arrived.
    """
    leaky, resting = neuron.tau_membrane_s is not None, neuron.refractory_s > 0
    taus = dict(currents)
    reset = "v = reset" if neuron.reset == "hard" else "v += reset - threshold"
    if neuron.adaptation_step:
        taus["a"] = neuron.tau_adaptation_s
        reset += "\na += adaptation_step"
    signs = {name: "-" if name == "a" else "+" for name in taus}
    space: dict[str, Any] = {"threshold": neuron.v_threshold, "rest": neuron.v_rest, "reset": neuron.v_reset}
    space |= {"drive": neuron.drive, "adaptation_step": neuron.adaptation_step}
    space |= {f"tau_{name}": tau * brian2.second for name, tau in taus.items()}
    if leaky:
        space["tau"] = neuron.tau_membrane_s * brian2.second
        total = " ".join(f"{sign} {name}" for name, sign in signs.items())
        lines = [
            f"dv/dt = (rest - v + drive {total}) / tau : 1",
            *(f"d{name}/dt = -{name} / tau_{name} : 1" for name in taus),
        ]
    else:
        lines = [f"{name} : 1" for name in ("v", *taus)]
    group = brian2.NeuronGroup(
        size, "\n".join(lines), threshold="v >= threshold", reset=reset,
        refractory=(neuron.refractory_s + tick_s if resting else 0) * brian2.second, method="exact", namespace=space,
    )  # fmt: skip
    steps = []
    if not leaky:
        areas = {name: -tau * expm1(-tick_s / tau) for name, tau in taus.items()}
        total = "".join(f" {sign} {areas[name]!r} * {name}" for name, sign in signs.items())
        steps = [f"v += drive * {tick_s!r}{total}", *(f"{name} *= exp(-dt / tau_{name})" for name in taus)]
    if resting:
        steps.append("v = v * int(not_refractory) + reset * (1 - int(not_refractory))")
    if steps:
        group.run_regularly("\n".join(steps), when="groups", order=1)
    return group


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


@contextmanager
def _runtime(brian2: Any, tick_s: float) -> Iterator[None]:
    """Let Brian2 step in NumPy, and afterwards as it was."""
    kept, tick = brian2.prefs.codegen.target, brian2.defaultclock.dt
    brian2.start_scope()
    try:
        brian2.prefs.codegen.target = "numpy"
        brian2.defaultclock.dt = tick_s * brian2.second
        yield
    finally:
        brian2.prefs.codegen.target, brian2.defaultclock.dt = kept, tick


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
