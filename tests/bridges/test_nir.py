"""NIR: neurons against the equations that NIR defines, integrated here; graphs there and back; files that lie."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from eqspike.bridges.nir import NirModel, from_nir, to_nir, write_nir
from eqspike.bridges.nir_runs import trained_to_nir
from eqspike.core.errors import ConfigError, EqspikeError, ModelError, OutputError
from eqspike.network.connectivity import AllToAll, FixedProbability, OneToOne, Uniform
from eqspike.network.description import Layer, Network, Neuron, Projection, Synapse
from eqspike.network.inputs import SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked, Exact
from eqspike.substrates.spiking.simulation import simulate

nir = pytest.importorskip("nir")
h5py = pytest.importorskip("h5py")

STEP = 1e-4  # area of a spike
FINE = 2e-6  # tick of the clock where it stands for continuous time
ONES = np.ones(3)
WEIGHT = np.array([[151.3, 91.7], [43.1, 262.9], [-61.7, 207.3]])  # (n_post, n_pre)


# ---- the equations of NIR, integrated in steps far below every time constant ----------------------------------------


def response(node, current, spikes, duration_s: float, dt: float = 2e-6) -> tuple[list[np.ndarray], np.ndarray]:
    """Return spike times of each neuron and last potentials: Euler steps, a spike in as an impulse of area STEP.

    ``current`` (n,) is constant; ``spikes`` are (time, weights (n,)), impulses in I (LIF, IF) or in S (CubaLIF).
    """
    kind, n = type(node).__name__, len(node.r)
    cuba, leaky = kind == "CubaLIF", kind != "IF"
    v = np.where(node.v_leak < node.v_threshold, node.v_leak, node.v_reset) if leaky else np.zeros(n)
    i = np.zeros(n)
    fired: list[list[float]] = [[] for _ in range(n)]
    arrivals = sorted(spikes, key=lambda spike: spike[0])
    at = 0
    for k in range(round(duration_s / dt)):
        drive = np.array(current, float)
        while at < len(arrivals) and arrivals[at][0] < (k + 1) * dt:
            drive = drive + arrivals[at][1] * STEP / dt
            at += 1
        if cuba:
            i = i + dt * (-i + node.w_in * drive) / node.tau_syn
            v = v + dt * (node.v_leak - v + node.r * i) / node.tau_mem
        elif leaky:
            v = v + dt * (node.v_leak - v + node.r * drive) / node.tau
        else:
            v = v + dt * node.r * drive
        for neuron in np.flatnonzero(v >= node.v_threshold):
            fired[neuron].append((k + 1) * dt)
            v[neuron] = node.v_reset[neuron]
    return [np.array(times) for times in fired], v


NODES = {
    "LIF": nir.LIF(
        tau=20e-3 * ONES, r=2.0 * ONES, v_leak=0.1 * ONES, v_threshold=1.0 * ONES, v_reset=-0.3 * ONES
    ),
    "IF": nir.IF(r=1.5 / 20e-3 * ONES, v_threshold=1.0 * ONES, v_reset=-0.2 * ONES),
    "CubaLIF": nir.CubaLIF(
        tau_syn=5e-3 * ONES, tau_mem=20e-3 * ONES, r=2.0 * ONES, v_leak=0.1 * ONES, v_threshold=1.0 * ONES,
        v_reset=-0.3 * ONES, w_in=1.5 * ONES,
    ),
    "LIF, all different": nir.LIF(
        tau=np.array([10e-3, 20e-3, 30e-3]), r=np.array([2.0, 3.0, 1.0]), v_leak=np.array([0.1, 0.0, 2.0]),
        v_threshold=np.array([1.0, 0.8, 1.5]), v_reset=np.array([-0.3, 0.0, 0.1]),
    ),
    "CubaLIF, all different": nir.CubaLIF(
        tau_syn=np.array([2e-3, 5e-3, 8e-3]), tau_mem=np.array([10e-3, 20e-3, 20e-3]), r=np.array([2.0, 3.0, 1.0]),
        v_leak=np.array([0.1, 0.0, 0.2]), v_threshold=np.array([1.0, 0.8, 1.5]), v_reset=np.array([-0.3, 0.0, 0.1]),
        w_in=np.array([1.0, 1.5, 2.0]),
    ),
}  # fmt: skip


def graph(node, weight=WEIGHT, bias=None, metadata=None):
    linear = nir.Linear(weight=weight) if bias is None else nir.Affine(weight=weight, bias=np.asarray(bias, float))
    nodes = {
        "in": nir.Input(np.array([weight.shape[1]])), "fc": linear, "n": node,
        "out": nir.Output(np.array([len(weight)])),
    }  # fmt: skip
    edges = [("in", "fc"), ("fc", "n"), ("n", "out")]
    return nir.NIRGraph(nodes, edges, metadata=metadata or {"dt": STEP}, type_check=False)


def times_of(model: NirModel, simulation, n: int = 3) -> list[np.ndarray]:
    spikes = model.spikes(simulation, "n")
    return [spikes.t[spikes.i == neuron] for neuron in range(n)]


def assert_alike(ours: list[np.ndarray], theirs: list[np.ndarray], late_s: float) -> None:
    """A neuron that lags by a tick a spike drifts: the k-th spike may be k times as late."""
    assert sum(map(len, theirs)) > 5
    for found, wanted in zip(ours, theirs, strict=True):
        assert abs(len(found) - len(wanted)) <= 1
        n = min(len(found), len(wanted))
        assert np.all(np.abs(found[:n] - wanted[:n]) <= late_s * (1 + np.arange(n)))


@pytest.mark.parametrize("name", NODES)
def test_the_response_to_a_step_is_that_of_the_equation(name: str) -> None:
    node, held = NODES[name], np.array([0.006, 0.004])
    model = from_nir(graph(node), tick_s=FINE, held={"in": held})
    simulation = model.simulate(0.08, clock=Clocked(tick_s=FINE, precision=64), max_rate_hz=1e5)
    theirs, _ = response(node, WEIGHT @ held, [], 0.08)
    assert_alike(times_of(model, simulation), theirs, 2e-5)


@pytest.mark.parametrize("name", NODES)
def test_the_response_to_a_spike_train_is_that_of_the_equation(name: str) -> None:
    node = NODES[name]
    times = 1e-3 + 1.7e-3 * np.arange(40)
    who = np.arange(40) % 3 % 2
    weight = WEIGHT * 0.3
    model = from_nir(graph(node, weight), tick_s=FINE)
    simulation = model.simulate(0.08, {"in": SpikeList(times, who)}, clock=Clocked(tick_s=FINE, precision=64))
    theirs, last = response(node, np.zeros(3), [(t, weight[:, i]) for t, i in zip(times, who, strict=True)], 0.08)
    assert_alike(times_of(model, simulation), theirs, 2e-5)
    ours, peak = model.potentials(simulation, "n"), np.abs(last).max()
    same = [len(a) == len(b) for a, b in zip(times_of(model, simulation), theirs, strict=True)]
    np.testing.assert_allclose(ours[same], last[same], atol=0.02 * peak)


def test_the_exact_clock_gives_impulses_exactly() -> None:
    node = NODES["LIF"]
    model = from_nir(graph(node, WEIGHT * 5.0))
    times, who = 1e-3 + 1.7e-3 * np.arange(40), np.arange(40) % 2
    simulation = model.simulate(0.08, {"in": SpikeList(times, who)}, clock=Exact())
    jumps = 2.0 * 5.0 * WEIGHT * STEP / 20e-3
    v, at, fired = np.full(3, 0.1), 0.0, []
    for time, i in zip(times, who, strict=True):  # between impulses v decays to v_leak, below the threshold
        v = 0.1 + (v - 0.1) * np.exp(-(time - at) / 20e-3) + jumps[:, i]
        fired += [(time, neuron) for neuron in np.flatnonzero(v >= 1.0)]
        v, at = np.where(v >= 1.0, -0.3, v), time
    spikes = model.spikes(simulation, "n")
    np.testing.assert_allclose(spikes.t, [time for time, _ in fired], rtol=1e-12)
    assert spikes.i.tolist() == [neuron for _, neuron in fired]


def test_a_bias_that_differs_is_the_current_that_it_says() -> None:
    bias = [0.7, 0.5, 0.9]
    for name in ("LIF", "IF", "CubaLIF"):
        model = from_nir(graph(NODES[name], bias=bias), tick_s=FINE)
        simulation = model.simulate(0.08, clock=Clocked(tick_s=FINE, precision=64), max_rate_hz=1e5)
        assert_alike(times_of(model, simulation), response(NODES[name], np.array(bias), [], 0.08)[0], 2e-5)
        assert model.constant and model.stored[f"constant->n->{'n'}"] == 0


def test_a_leaky_integrator_follows_its_equation_and_never_fires() -> None:
    node = nir.LI(tau=20e-3 * ONES, r=2.0 * ONES, v_leak=0.5 * ONES)
    model = from_nir(graph(node), held={"in": np.array([10.0, 3.0])})
    simulation = model.simulate(0.03, clock=Clocked(tick_s=STEP, precision=64))
    drive = 2.0 * (WEIGHT @ [10.0, 3.0])
    np.testing.assert_allclose(model.potentials(simulation, "n"), 0.5 - drive * np.expm1(-0.03 / 20e-3), rtol=1e-2)
    assert not len(model.spikes(simulation, "n").t)


# ---- graphs ---------------------------------------------------------------------------------------------------------


def convolved(image, weight, bias, stride, padding):
    """Return a convolution by its definition, (c_out, height, width)."""
    image = np.pad(image, ((0, 0), (padding[0],) * 2, (padding[1],) * 2))
    height, width = ((n - k) // s + 1 for n, k, s in zip(image.shape[1:], weight.shape[2:], stride, strict=True))
    found = np.zeros((len(weight), height, width))
    for y in range(height):
        for x in range(width):
            top, left = y * stride[0], x * stride[1]
            patch = image[:, top : top + weight.shape[2], left : left + weight.shape[3]]
            found[:, y, x] = np.tensordot(weight, patch, 3) + bias
    return found


def test_a_convolution_is_its_definition() -> None:
    rng = np.random.default_rng(1)
    weight, bias, image = rng.normal(size=(3, 2, 3, 2)), rng.normal(size=3), rng.random((2, 6, 5))
    want = convolved(image, weight, bias, (2, 1), (1, 0))
    ones = np.ones(want.shape)
    nodes = {
        "in": nir.Input(np.array(image.shape)),
        "conv": nir.Conv2d((6, 5), weight, (2, 1), (1, 0), 1, 1, bias),
        "n": nir.LI(tau=1e-3 * ones, r=ones, v_leak=0 * ones),
    }
    model = from_nir(
        nir.NIRGraph(nodes, [("in", "conv"), ("conv", "n")], type_check=False), held={"in": image.reshape(-1)}
    )
    simulation = model.simulate(0.02, clock=Clocked(tick_s=FINE, precision=64))
    np.testing.assert_allclose(model.potentials(simulation, "n"), want.reshape(-1), rtol=0.02, atol=1e-3)
    spiking = from_nir(nir.NIRGraph(nodes, [("in", "conv"), ("conv", "n")], type_check=False))
    joined = next(p for p in spiking.network.projections if p.pre == "in").connectivity
    inside = convolved(np.ones((2, 6, 5)), np.ones((3, 2, 3, 2)), 0, (2, 1), (1, 0)).sum()
    assert len(joined.pre) == inside  # one synapse for each use of a weight inside the image
    assert spiking.stored["in->n"] == weight.size + bias.size


def test_scales_delays_flattening_and_chains_compose() -> None:
    nodes = {
        "in": nir.Input(np.array([1, 2])),
        "flat": nir.Flatten({"input": np.array([1, 2])}, 0, -1),
        "later": nir.Delay(np.array([2e-3, 5e-3])),
        "scale": nir.Scale(np.array([2.0, 10.0])),
        "a": nir.Linear(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])),
        "b": nir.Affine(np.array([[1.0, 1.0, 1.0]]), np.array([0.25])),
        "n": nir.LIF(np.array([STEP]), np.array([1.0]), np.array([0.0]), np.array([9e9])),
    }
    names = list(nodes)
    model = from_nir(nir.NIRGraph(nodes, list(pairwise(names)), type_check=False))
    (projection,) = model.network.projections
    np.testing.assert_allclose(projection.weight, [[4.0], [20.0]])
    assert projection.delay_s.tolist() == [2e-3, 5e-3]
    assert model.network.layer("n").neuron.drive == 0.25
    assert model.stored == {"in->n": 6 + 4}


NETWORK = Network(
    (
        Layer("in", 3, "source"),
        Layer("h", 4, "lif", LIF(tau_membrane_s=None, drive=2.0, reset="soft")),
        Layer("output", 2, "lif", LIF(refractory_s=2e-3, drive=0.4, tau_adaptation_s=0.1, adaptation_step=0.01)),
        Layer("slow", 3, "lif", LIF(v_rest=-0.1, v_reset=-0.2)),
    ),
    (
        Projection("in", "h", connectivity=AllToAll(), weight=Uniform(low=0, high=1)),
        Projection("h", "output", connectivity=FixedProbability(probability=0.5), weight=0.4,
                   delay_s=Uniform(low=1e-3, high=2e-3)),
        Projection("output", "output", connectivity=OneToOne(), weight=-0.1),
        Projection("h", "slow", connectivity=AllToAll(), weight=0.5, tau_synapse_s=5e-3),
    ),
)  # fmt: skip


def test_a_network_comes_back_with_the_same_spikes(tmp_path: Path) -> None:
    write_nir(tmp_path / "a.nir", to_nir(NETWORK))
    model = from_nir(tmp_path / "a.nir")
    spikes = {"in": SpikeList(np.arange(1, 300) * 3e-4, np.arange(1, 300) % 3)}
    before = simulate(NETWORK, 0.1, inputs=spikes, clock=Clocked(precision=64))
    after = model.simulate(0.1, spikes, clock=Clocked(precision=64))
    for layer in ("h", "output", "slow"):
        found, wanted = model.spikes(after, layer), before.spikes[layer]
        assert len(wanted.t) > 10
        np.testing.assert_allclose(found.t, wanted.t)
        assert np.array_equal(found.i, wanted.i)
    assert model.metadata["dt"] == 1e-4
    with pytest.raises(OutputError):
        write_nir(tmp_path / "a.nir", to_nir(NETWORK))


def trained(leak: float = 0.0, **changes):
    neuron = Neuron(leak=leak, v_min=-9.0, v_max=9.0)
    layers = (Layer("input", 3, "static"), Layer("hidden", 4, "lif", neuron), Layer("output", 2, "lif", neuron))
    made = Network(
        layers,
        (
            Projection("input", "hidden", Synapse(learning_rate=0.1)),
            Projection("hidden", "output", Synapse(learning_rate=0.1, **changes), symmetric=True),
        ),
    )
    rng = np.random.default_rng(1)
    weights = {"input->hidden": rng.uniform(0, 0.4, (3, 4)), "hidden->output": rng.uniform(-0.3, 0.3, (4, 2))}
    return made, weights, {"hidden": rng.uniform(0, 0.2, 4), "output": np.array([0.11, 0.23])}


@pytest.mark.parametrize("leak", [0.0, 0.1])
def test_a_trained_network_fires_as_its_own_ticks_do(leak: float) -> None:
    """V <- (1 - leak) V + x w + b + feedback, soft reset: stepped here, arrivals and constants two ticks late."""
    network, weights, biases = trained(leak)
    x = np.array([0.9, 0.1, 0.6])
    graph = trained_to_nir(network, weights, biases, tick_s=1e-3)
    assert graph.nodes["output->hidden"].metadata == {"eqspike_tied_to": "hidden->output"}
    assert graph.nodes["hidden"].metadata == {"eqspike_v_min": -9.0, "eqspike_v_max": 9.0, "eqspike_reset": "soft"}
    model = from_nir(graph, held={"input": x})
    simulation = model.simulate(0.2, clock=Clocked(tick_s=1e-3, precision=64))
    keep = 1 - leak
    v = {"hidden": np.zeros(4), "output": np.zeros(2)}
    # a constant comes by events, so that it is in the potential as its limit says, not leaked as an impulse is
    drive = {"hidden": x @ weights["input->hidden"] + biases["hidden"], "output": biases["output"]}
    drive = {
        name: current * (-np.expm1(np.log(keep)) / -np.log(keep) if leak else 1.0) for name, current in drive.items()
    }
    w = weights["hidden->output"]
    fired = {name: np.zeros((200, len(v[name]))) for name in v}
    for tick in range(200):
        late = {name: spikes[tick - 2] if tick >= 2 else 0 * spikes[0] for name, spikes in fired.items()}
        arriving = {"hidden": w @ late["output"], "output": late["hidden"] @ w}
        for name in v:
            v[name] = keep * (v[name] + arriving[name]) + drive[name] * (tick >= 2)
            fired[name][tick] = v[name] >= 1
            v[name] -= fired[name][tick]
    for name in v:
        spikes = model.spikes(simulation, name)
        found = np.zeros_like(fired[name])
        found[np.rint(spikes.t / 1e-3).astype(int) - 1, spikes.i] = 1
        assert fired[name].sum() > 20
        assert np.array_equal(found, fired[name])


def test_what_no_trained_graph_can_say_is_refused() -> None:
    network, weights, biases = trained(tau_synapse_ticks=3.0)
    with pytest.raises(ModelError, match="synaptic currents"):
        trained_to_nir(network, weights, biases, tick_s=1e-3)
    rate = Network((Layer("input", 3, "static"), Layer("h", 4, "rate", activation="tanh")), ())
    with pytest.raises(ModelError, match="does not spike"):
        trained_to_nir(rate, {}, {}, tick_s=1e-3)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (Network((Layer("a", 2, "source"), Layer("b", 1, "lif", LIF())), tuple(
            Projection("a", "b", connectivity=AllToAll(), weight=1.0, tau_synapse_s=tau, label=str(tau))
            for tau in (1e-3, 2e-3))), "2 time constants"),
        (Network((Layer("a/b", 2, "source"), Layer("c", 1, "lif", LIF())), ()), "'/' cannot stand"),
        (Network((Layer("c", 1, "lif", LIF(tau_membrane_s=None, drive=1.0)),), ()), "nothing carries its drive"),
        (Network((Layer("a", 10_000, "source"), Layer("c", 10_000, "lif", LIF())),
                 (Projection("a", "c", connectivity=OneToOne(), weight=1.0),)), "more than 67,108,864"),
    ],
)  # fmt: skip
def test_what_nir_has_no_node_for_is_refused(network: Network, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        to_nir(network)


def linear_loop():
    nodes = {"in": nir.Input(np.array([2])), "a": nir.Linear(np.eye(2)), "b": nir.Linear(np.eye(2)), "n": pair()}
    return nir.NIRGraph(nodes, [("in", "a"), ("a", "b"), ("b", "a"), ("b", "n")], type_check=False)


def pair(**changes):
    given = {"tau": np.ones(2), "r": np.ones(2), "v_leak": np.zeros(2), "v_threshold": np.ones(2)} | changes
    return nir.LIF(**given)


def ladder(steps: int = 40):
    """Two ways at every step: more paths than anyone could walk."""
    nodes, edges = {"0": nir.Input(np.array([2]))}, []
    for k in range(steps):
        nodes |= {f"{k}a": nir.Scale(np.ones(2)), f"{k}b": nir.Scale(np.ones(2)), f"{k + 1}": nir.Scale(np.ones(2))}
        edges += [(f"{k}", f"{k}{side}") for side in "ab"] + [(f"{k}{side}", f"{k + 1}") for side in "ab"]
    nodes["n"] = pair()
    return nir.NIRGraph(nodes, [*edges, (f"{steps}", "n"), ("0", "n")], type_check=False)


def tiny(node, size: int = 2, edges=(("in", "n"),)):
    return nir.NIRGraph({"in": nir.Input(np.array([size])), "n": node}, list(edges), type_check=False)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: graph(NODES["LIF"], np.ones((2, 2))), "reach"),
        (lambda: graph(NODES["LIF"], bias=[0.0, 1.0]), "fc.bias"),
        (lambda: graph(NODES["LIF"], WEIGHT * np.nan), "not finite"),
        (lambda: tiny(pair(tau=np.zeros(2))), "time constant"),
        (lambda: tiny(pair(v_reset=np.ones(2))), "v_reset"),
        (lambda: tiny(pair(), size=2**40), "no layer"),
        (lambda: tiny(pair(), edges=(("in", "n"), ("in", "n"))), "twice"),
        (lambda: tiny(nir.Threshold(np.ones(2))), "cannot run here"),
        (lambda: tiny(nir.Flatten({"input": np.array([2])}, 0)), "nothing in the graph fires"),
        (linear_loop, "circle"),
        (ladder, "more than"),
        (lambda: tiny(pair(metadata={"eqspike_reset": "warp"})), "reset"),
        (lambda: tiny(pair(metadata={"eqspike_refractory_s": "x"})), "another kind"),
        (lambda: graph(NODES["LIF"], metadata={"dt": "often"}), "no time"),
        (lambda: tiny(nir.LIF(*(np.arange(1.0, 101.0),) * 3, 1e3 * np.ones(100)), size=100), "100 kinds"),
    ],
)
def test_graphs_that_cannot_run_are_refused_by_name(made, said: str) -> None:
    with pytest.raises(EqspikeError, match=said):
        from_nir(made())


def test_held_values_must_fit() -> None:
    for held, said in (({"x": np.ones(2)}, "no Input"), ({"in": np.ones(3)}, "3 values"), ({"in": [1, np.inf]}, "fin")):
        with pytest.raises(ConfigError, match=said):
            from_nir(graph(NODES["LIF"]), held=held)


# ---- files ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path: Path) -> Path:
    nir.write(tmp_path / "model.nir", graph(NODES["LIF"]))
    return tmp_path / "model.nir"


def change(path: Path, how) -> None:
    with h5py.File(path, "r+") as file:
        how(file["node/nodes"], file)


def external_data(nodes, file) -> None:
    del nodes["fc/weight"]
    secret = Path(file.filename).with_name("secret")
    secret.write_bytes(bytes(48))
    nodes["fc"].create_dataset("weight", (3, 2), "f8", external=[(str(secret), 0, 48)])


def virtual_data(nodes, file) -> None:
    del nodes["fc/weight"]
    layout = h5py.VirtualLayout((3, 2), "f8")
    layout[...] = h5py.VirtualSource("elsewhere.h5", "x", (3, 2))
    nodes["fc"].create_virtual_dataset("weight", layout)


def replaced(key: str, make):
    def how(nodes, file) -> None:
        del nodes[key]
        make(nodes, file)

    return how


def foreign_filter(nodes, file) -> None:
    del nodes["fc/weight"]
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((3, 2))
    plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL)
    h5py.h5d.create(nodes["fc"].id, b"weight", h5py.h5t.NATIVE_DOUBLE, h5py.h5s.create_simple((3, 2)), plist)


HOSTILE = {
    "a filter from elsewhere": foreign_filter,
    "an external link": replaced("fc", lambda n, f: n.__setitem__("fc", h5py.ExternalLink("/etc/hostname", "/"))),
    "a soft link": replaced("fc/weight", lambda n, f: n.__setitem__("fc/weight", h5py.SoftLink("/version"))),
    "a circle": lambda nodes, file: nodes.__setitem__("again", file["node"]),
    "data in another file": external_data,
    "a virtual array": virtual_data,
    "huge dimensions": replaced(
        "fc/weight", lambda n, f: n["fc"].create_dataset("weight", (1 << 20, 1 << 20), "f8", chunks=(1024, 1024))
    ),
    "a bomb": replaced(
        "fc/weight",
        lambda n, f: n["fc"].create_dataset("weight", (1 << 15, 1 << 15), "f8", chunks=(64, 64), compression="gzip"),
    ),
    "opaque bytes": replaced(
        "fc/weight", lambda n, f: n["fc"].create_dataset("weight", data=np.frombuffer(b"cos\nsystem\n.", "V4"))
    ),
    "references": replaced("fc/weight", lambda n, f: n["fc"].create_dataset("weight", (2,), h5py.ref_dtype)),
    "a named type": lambda nodes, file: nodes.__setitem__("type", np.dtype("f8")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_before_anything_is_read(name: str, written: Path, monkeypatch) -> None:
    change(written, HOSTILE[name])

    def read(*_: object, **__: object) -> None:
        pytest.fail("the file was read")

    monkeypatch.setattr(nir, "read", read)
    with pytest.raises(ModelError) as caught:
        from_nir(written)
    assert str(written) in caught.value.field and caught.value.remedy


def without(key: str):
    return lambda nodes, file: nodes.__delitem__(key)


def wrong(key: str, value):
    return replaced(key, lambda nodes, file: nodes.__setitem__(key, value))


MALFORMED = {
    "no weight": without("fc/weight"),
    "no type": without("n/type"),
    "an unknown type": wrong("fc/type", "os.system"),
    "a wrong shape": wrong("fc/weight", np.ones((7, 5))),
    "one dimension": wrong("fc/weight", np.ones(6)),
    "unequal parameters": wrong("n/tau", np.ones(2)),
    "texts for numbers": wrong("fc/weight", "many"),
    "a negative shape": wrong("in/shape", np.array([-2])),
    "a huge input": wrong("in/shape", np.array([1 << 40])),
    "an extra field": lambda nodes, file: nodes.__setitem__("fc/more", 1.0),
    "an edge to nowhere": lambda nodes, file: (
        file["node"].__delitem__("edges"),
        file["node"].create_dataset("edges", data=[["in", "fc"], ["fc", "x"]], dtype=h5py.string_dtype()),
    ),
    "edges of three": lambda nodes, file: (
        file["node"].__delitem__("edges"),
        file["node"].create_dataset("edges", data=[["in", "fc", "n"]], dtype=h5py.string_dtype()),
    ),
    "no edges": lambda nodes, file: file["node"].__delitem__("edges"),
    "no node": lambda nodes, file: file.__delitem__("node"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files_are_refused_by_name(name: str, written: Path) -> None:
    change(written, MALFORMED[name])
    with pytest.raises(ModelError) as caught:
        from_nir(written)
    assert caught.value.problem and caught.value.remedy


@pytest.mark.parametrize(
    "content", [b"", b"not hdf5", b"\x80\x04\x95cos\nsystem\n.", b"\x89HDF\r\n\x1a\n" + bytes(200)]
)
def test_what_is_no_hdf5_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.nir").write_bytes(content)
    with pytest.raises(ModelError, match="no HDF5 file"):
        from_nir(tmp_path / "x.nir")
    with pytest.raises(ModelError, match="no such file"):
        from_nir(tmp_path / "y.nir")


def test_a_truncated_file_is_refused(written: Path) -> None:
    written.write_bytes(written.read_bytes()[:-400])
    with pytest.raises(ModelError):
        from_nir(written)


def test_without_the_package_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nir", None)
    with pytest.raises(ModelError, match="interop"):
        from_nir("x.nir")
