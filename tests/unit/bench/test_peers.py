"""The peers of the benchmarks: that they are the networks they say, step as they say, and say what is missing."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from eqspike.analysis.statistics import mean_rate
from eqspike.bench import balanced, brian2_peers, nest_peers
from eqspike.core.errors import ConfigError
from eqspike.data import load_dataset
from eqspike.network.connectivity import Pairs
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked
from eqspike.substrates.spiking.simulation import simulate

TICK = balanced.TICK_S
NEURON = LIF(tau_membrane_s=10e-3, v_threshold=1.0)
needs_brian2 = pytest.mark.skipif(find_spec("brian2") is None, reason="needs brian2")
needs_nest = pytest.mark.skipif(find_spec("nest") is None, reason="needs nest-simulator")


@pytest.fixture(autouse=True)
def others_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def ticks(times: np.ndarray) -> list[int]:
    return np.rint(times / TICK).astype(int).tolist()


def run(neuron, connections, spikes=(), **settings):
    inputs = SpikeList(np.array([t for t, _ in spikes]) * TICK, np.array([i for _, i in spikes], int))
    return brian2_peers.small_network(neuron, 2, connections, inputs=inputs, **({"duration_s": 40 * TICK} | settings))


def entry(weight, delay_ticks, tau=0.0, **settings):
    ends = {"pre": np.array([0]), "post": np.array([0])} | settings
    return brian2_peers.Connection(
        weight=weight, delay_s=delay_ticks * TICK, tau_synapse_s=tau, from_input="pre" not in settings, **ends
    )


# ---- the networks ---------------------------------------------------------------------------------------------------


def test_brunels_external_rate_is_twice_what_holds_the_threshold() -> None:
    of = balanced.BRUNEL
    assert of.external_rate_hz == pytest.approx(20_000)
    assert of.external_rate_hz * of.weight * of.tau_membrane_s == pytest.approx(2 * of.v_threshold)
    network, inputs, initial = balanced.brunel()
    assert {p.name: (p.connectivity.indegree, p.weight) for p in network.projections} == {
        "E->E": (800, 1e-4), "E->I": (800, 1e-4), "I->E": (200, -5e-4), "I->I": (200, -5e-4),
    }  # fmt: skip
    assert set(inputs) == {"E", "I"} and not initial


def test_cubas_rest_above_threshold_is_kept() -> None:
    network, inputs, initial = balanced.cuba()
    neuron = network.layer("E").neuron
    assert neuron.v_rest + neuron.drive == pytest.approx(-49e-3)
    assert neuron.v_threshold == -50e-3
    assert not inputs
    assert all(v.min() >= -60e-3 and v.max() < -50e-3 for v in initial.values())
    weights = {p.name: (round(p.weight * 1e3, 6), p.tau_synapse_s) for p in network.projections}
    assert weights["E->I"] == (1.62, 5e-3) and weights["I->E"] == (-9.0, 10e-3)


def test_the_microcircuit_has_the_published_size_and_potentials() -> None:
    assert balanced.SIZES.sum() == 77_169
    inward = balanced.indegrees()
    assert (inward.sum(axis=1) * balanced.SIZES).sum() == pytest.approx(0.3e9, rel=0.01)
    tau_m, tau_s = balanced.MICROCIRCUIT_NEURON.tau_membrane_s, balanced.TAU_SYNAPSE_S
    t = np.linspace(0, 0.02, 20_001)
    potential = balanced.MICROCIRCUIT_WEIGHT * tau_s / (tau_m - tau_s) * (np.exp(-t / tau_m) - np.exp(-t / tau_s))
    assert potential.max() == pytest.approx(0.15e-3, rel=1e-3)


def test_a_smaller_microcircuit_keeps_its_in_degrees_and_its_mean_input() -> None:
    network, inputs, initial = balanced.microcircuit(0.01)
    rows = {p.name: p for p in network.projections}
    sizes = {layer.name: layer.size for layer in network.layers}
    assert sizes["L23E"] == 207 and initial["L6I"].shape == (29,)
    of_l23e = [
        len(p.connectivity.pre)
        for p in network.projections
        if p.post == "L23E" and p.pre[0] == "L" and "-" not in p.pre
    ]
    assert sum(of_l23e) / 207 == pytest.approx(balanced.indegrees()[0].sum(), rel=1e-3)
    assert rows["L4E->L23E"].weight.mean == pytest.approx(2 * rows["L4E->L4E"].weight.mean)
    assert rows["L4I->L4E"].weight.mean == pytest.approx(-4 * rows["L4E->L4E"].weight.mean)
    assert inputs["L6E-background"].rate_hz == 8 * 2_900
    for pair in (rows["L4E->L23E"].connectivity, rows["L23I->L5E"].connectivity):
        pair.check(10**9, 10**9, "pairs")
    assert network.layer("L23E").neuron.drive == 0

    k = 0.25
    thin, thin_inputs, _ = balanced.microcircuit(0.01, indegree_scale=k)
    for t, target in enumerate(balanced.POPULATIONS):
        full, found = 0.0, thin.layer(target).neuron.drive
        for s, pre in enumerate(balanced.POPULATIONS):
            both = [
                n
                for n in (rows.get(f"{pre}->{target}"), {p.name: p for p in thin.projections}.get(f"{pre}->{target}"))
                if n
            ]
            if len(both) == 2:
                drives = [len(p.connectivity.pre) * p.weight.mean / sizes[target] for p in both]
                full += drives[0] * balanced.NEST_RATES_HZ[s] * balanced.TAU_SYNAPSE_S
                found += drives[1] * balanced.NEST_RATES_HZ[s] * balanced.TAU_SYNAPSE_S
        name = f"{target}-background"
        full += inputs[name].rate_hz * rows[f"{name}->{target}"].weight * balanced.TAU_SYNAPSE_S
        weight = next(p for p in thin.projections if p.pre == name).weight
        found += thin_inputs[name].rate_hz * weight * balanced.TAU_SYNAPSE_S
        assert found == pytest.approx(full, rel=5e-3), (target, t)


# ---- Brian2, step by step -------------------------------------------------------------------------------------------


@needs_brian2
def test_a_spike_arrives_after_its_delay_and_acts_in_the_next_tick() -> None:
    onward = brian2_peers.Connection(np.array([0]), np.array([1]), 1.5, 2 * TICK)
    t, i = run(NEURON, [entry(1.5, 5), onward], [(3, 0)])
    assert (ticks(t), i.tolist()) == ([9, 12], [0, 1])  # 3 + 5, read in tick 9; 9 + 2, read in tick 12


@needs_brian2
def test_arrivals_are_lost_from_the_spike_until_the_refractory_time_has_passed() -> None:
    neuron = NEURON.model_copy(update={"refractory_s": 5 * TICK})
    fired = {last: ticks(run(neuron, [entry(1.5, 1)], [(3, 0), (last, 0)])[0]) for last in range(4, 12)}
    assert fired[4] == fired[8] == [5]  # arrive in ticks 5 to 9
    assert fired[9] == [5, 11]  # arrives in tick 10, read in 11
    charged = neuron.model_copy(update={"tau_membrane_s": None, "drive": 0.5 / TICK})
    assert ticks(run(charged, [], duration_s=20 * TICK)[0])[::2] == [1, 8, 15]  # stands still in ticks 2 to 6


@needs_brian2
def test_a_driven_neuron_fires_in_its_period() -> None:
    neuron = NEURON.model_copy(update={"drive": 2.0})
    t, _ = brian2_peers.small_network(neuron, 1, [], duration_s=0.1)
    period = int(np.ceil(10e-3 * np.log(2) / TICK))
    assert ticks(t)[:3] == [period - 1, 2 * period - 1, 3 * period - 1]


@needs_brian2
def test_soft_reset_adaptation_and_currents_are_those_of_the_equations() -> None:
    neuron = LIF(tau_membrane_s=None, reset="soft", drive=900.0, tau_adaptation_s=4e-3, adaptation_step=150.0)
    t, _ = run(neuron, [entry(800.0, 2, tau=1e-3)], [(4, 0), (11, 0)])
    v, a, g, expected = 0.0, 0.0, 0.0, []
    for tick in range(40):
        v += 900 * TICK + g * 1e-3 * -np.expm1(-TICK / 1e-3) - a * 4e-3 * -np.expm1(-TICK / 4e-3)
        g, a = g * np.exp(-TICK / 1e-3), a * np.exp(-TICK / 4e-3)
        if v >= 1:
            expected.append(tick)
            v, a = v - 1, a + 150
        g += 800 * (tick in (6, 13))
    assert len(expected) == 4
    assert ticks(t[np.isin(_, 0)]) == expected


def draw_network(seed: int):
    """Return a neuron, its connections in both descriptions, input spikes and initial potentials, all at random."""
    rng = np.random.default_rng(seed)
    size, n_inputs, n = 12, 5, 60
    leaky, kind = seed % 3 != 2, ("refractory", "soft", "hard", "adaptive")[seed % 4]
    neuron = LIF(
        tau_membrane_s=8e-3 if leaky else None, v_rest=0.1, v_reset=-0.2, drive=1.3 if leaky else 60.0,
        refractory_s=15 * TICK if kind in ("refractory", "adaptive") else 0.0,
        reset="soft" if kind == "soft" else "hard",
        tau_adaptation_s=20e-3, adaptation_step=(0.1 if leaky else 5.0) if kind == "adaptive" else 0.0,
    )  # fmt: skip
    tau = 3e-3 * (seed % 2)
    weights = rng.normal(0, 0.15 if tau == 0 else 0.3 if leaky else 40.0, n)
    inner = Pairs(rng.integers(size, size=n), rng.integers(size, size=n)), weights, tau
    outer = Pairs(rng.integers(n_inputs, size=20), rng.integers(size, size=20)), rng.normal(0.3, 0.2, 20), 0.0
    delays = rng.integers(1, 20, size)
    spikes = np.unique(rng.integers(0, 500, 100) * n_inputs + rng.integers(n_inputs, size=100))
    network = Network(
        (Layer("input", n_inputs, "source"), Layer("n", size, "lif", neuron)),
        (
            Projection("n", "n", connectivity=inner[0], weight=weights, delay_s=delays * TICK, tau_synapse_s=tau),
            Projection("input", "n", connectivity=outer[0], weight=outer[1], delay_s=3 * TICK),
        ),
    )
    theirs = [
        brian2_peers.Connection(inner[0].pre, inner[0].post, weights, delays[inner[0].pre] * TICK, tau),
        brian2_peers.Connection(outer[0].pre, outer[0].post, outer[1], 3 * TICK, from_input=True),
    ]
    return network, theirs, (spikes // n_inputs, spikes % n_inputs), rng.uniform(-0.2, 0.9, size)


@needs_brian2
@pytest.mark.parametrize("seed", range(12))
def test_in_64_bits_the_engine_fires_spike_for_spike_as_brian2(seed: int) -> None:
    network, connections, (tick, neuron), initial = draw_network(seed)
    t, i = brian2_peers.small_network(
        network.layer("n").neuron, 12, connections, duration_s=500 * TICK, inputs=SpikeList(tick * TICK, neuron),
        initial=initial,
    )  # fmt: skip
    inputs = {"input": SpikeList((tick + 1) * TICK, neuron)}  # the engine's spikes fall on the ends of ticks
    clock = Clocked(tick_s=TICK, precision=64)
    ours = simulate(network, 500 * TICK, clock=clock, inputs=inputs, initial={"n": initial}).spikes["n"]
    order = np.lexsort((ours.i, ours.t))
    assert len(t) > 50
    assert [k - 1 for k in ticks(ours.t[order])] == ticks(t)
    assert ours.i[order].tolist() == i.tolist()


# ---- Brian2, compiled -----------------------------------------------------------------------------------------------


@needs_brian2
def test_the_compiled_inference_fires_as_the_engine_does(tmp_path) -> None:
    from eqspike.training.api import resolve
    from eqspike.training.run import new_run

    digits = load_dataset("digits")
    fresh = new_run(resolve("eqspike-digits", {"network.hidden": [20], "network.precision": 64}), digits)
    fresh.substrate.train(digits.x_train, digits.y_train, np.arange(60), 0, 60, scale=1.0, offset=0)
    weights, biases = fresh.substrate.get_weights()
    network = brian2_peers.Inference(
        weights["input->hidden"], weights["hidden->output"], biases["hidden"], biases["output"],
        ticks=fresh.spec.phases.free_ticks,
    )  # fmt: skip
    images = digits.x_test[:30]
    program = brian2_peers.build_inference(tmp_path / "all", network, images, lanes=3, recorded="all")
    raster = brian2_peers.by_image(program.run(), network, 30, lanes=3)
    assert raster.sum() > 100 and raster[:, :, 20:].any()
    compiled = fresh.substrate.compiled
    for k in range(30):
        ours = fresh.substrate.observe(images, None, k, states=False).raster
        expected = np.concatenate([ours[:, compiled.block(name)] for name in ("hidden", "output")], axis=1)
        assert np.array_equal(raster[k], expected)


def test_outputs_are_counted_by_image_and_only_at_its_end() -> None:
    network = brian2_peers.Inference(np.zeros((4, 3)), np.zeros((3, 2)), np.zeros(3), np.zeros(2), ticks=10)
    fired = [(6, 1), (7, 1), (9, 1), (8, 2), (17, 0), (19, 3), (16, 3)]  # tick and output, two lanes of two outputs
    t, i = (np.array(part) for part in zip(*fired, strict=True))
    found = brian2_peers.output_counts(brian2_peers.Spikes(1.0, t * TICK, i), network, 4, lanes=2, last=3)
    assert found.tolist() == [[0, 2], [1, 0], [1, 0], [0, 1]]


@needs_brian2
def test_images_that_do_not_fill_the_lanes_are_refused(tmp_path) -> None:
    network = brian2_peers.Inference(np.zeros((4, 3)), np.zeros((3, 2)), np.zeros(3), np.zeros(2))
    with pytest.raises(ConfigError, match="5 images do not fill 2 lanes"):
        brian2_peers.build_inference(tmp_path, network, np.zeros((5, 4)), lanes=2)


@needs_brian2
def test_the_compiled_brunel_network_follows_its_seed_and_its_synapses(tmp_path) -> None:
    of = nest_peers.resized("brunel", 0.05)
    program = brian2_peers.build_brunel(tmp_path, of, duration_s=0.1)
    runs = [program.run(1), program.run(1), program.run(2)]
    assert np.array_equal(runs[0].i, runs[1].i) and np.array_equal(runs[0].t, runs[1].t)
    assert not np.array_equal(runs[0].i, runs[2].i)
    assert 20 < mean_rate(runs[0].t, runs[0].i, of.neurons, 0.1) < 80
    alone = {name: np.zeros_like(ends) for name, ends in brian2_peers.brunel_pairs(of, 1).items()}
    other = program.run(1, **alone)  # all synapses join neuron 0 to itself
    heard = ticks(runs[0].t)[0] + round(of.delay_s / TICK)
    before = [(r.i[r.t < heard * TICK].tolist(), r.i[r.t > (heard + 50) * TICK].tolist()) for r in (runs[0], other)]
    assert before[0][0] == before[1][0] != []
    assert before[0][1] != before[1][1]


def test_brunels_synapses_have_their_in_degree_and_come_in_order() -> None:
    of = replace(balanced.BRUNEL, excitatory=40, inhibitory=10, from_excitatory=7, from_inhibitory=3)
    pairs = brian2_peers.brunel_pairs(of, 3)
    for kind, n, indegree in (("excitatory", 40, 7), ("inhibitory", 10, 3)):
        pre, post = pairs[f"{kind}_pre"], pairs[f"{kind}_post"]
        assert np.array_equal(np.bincount(post, minlength=50), np.full(50, indegree))
        assert pre.min() >= 0 and pre.max() == n - 1 and np.all(np.diff(pre) >= 0)


@needs_brian2
def test_the_compiled_cuba_network_fires_by_itself(tmp_path) -> None:
    of = nest_peers.resized("cuba", 0.1)
    found = brian2_peers.build_cuba(tmp_path, of, duration_s=0.2).run(5)
    assert mean_rate(found.t, found.i, of.neurons, 0.2) > 1
    assert found.i.min() >= 0 and found.i.max() < 400


# ---- NEST -----------------------------------------------------------------------------------------------------------


@needs_nest
@pytest.mark.parametrize(("network", "synapses"), [("brunel", 500 * 50), ("cuba", 200**2 * 0.02)])
def test_nest_runs_the_network_and_reports_its_spikes(network: str, synapses: float) -> None:
    of = nest_peers.resized(network, 0.05)
    report, t, i = nest_peers.measure(network, duration_s=0.1, size=0.05, seed=3)
    assert report["spikes"] == len(t) == len(i) > 0
    assert report["seconds"] > 0
    assert report["synapses"] == pytest.approx(synapses, rel=0.1)
    assert np.all(np.diff(t) >= 0) and t[-1] <= 0.1
    assert i.min() >= 0 and i.max() < of.neurons
    bare, none, _ = nest_peers.measure(network, duration_s=0.1, size=0.05, seed=3, spikes=False)
    assert (bare["spikes"], len(none)) == (report["spikes"], 0)


@needs_nest
def test_what_nest_refuses_is_said() -> None:
    with pytest.raises(ConfigError, match="the NEST peer failed"):
        nest_peers.measure("brunel", size=0.0)


@pytest.mark.parametrize(("package", "call"), [("nest", "nest_peers._nest()"), ("brian2", "brian2_peers._brian2()")])
def test_a_missing_package_is_named_with_its_remedy(package: str, call: str) -> None:
    without = f'import sys; sys.modules["{package}"] = None; from eqspike.bench import {call.partition(".")[0]} as m; '
    done = subprocess.run(
        [sys.executable, "-c", without + f"m.{call.partition('.')[2]}"], capture_output=True, text=True, check=False
    )
    assert "pip install 'eqspike[bench]'" in done.stderr
