"""Peers of the benchmarks: that they are the networks they say, fire as the engine does, and say what is missing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from eqspike.analysis.statistics import mean_rate
from eqspike.bench import balanced, brian2_peers, nest_peers
from eqspike.core.errors import ConfigError
from eqspike.data import load_dataset

# Brian2 2.9 parses units with names that pyparsing 3.3 has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:'.*deprecated:DeprecationWarning")
TICK = balanced.TICK_S
needs_brian2 = pytest.mark.skipif(find_spec("brian2") is None, reason="needs brian2")
needs_nest = pytest.mark.skipif(find_spec("nest") is None, reason="needs nest-simulator")


def ticks(times: np.ndarray) -> list[int]:
    return np.rint(times / TICK).astype(int).tolist()


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


def mean_drives(case: balanced.Case) -> np.ndarray:
    """Return the mean drive of each population at full-scale rates, from what the network's description says."""
    network, inputs, _ = case
    rates = dict(zip(balanced.POPULATIONS, balanced.NEST_RATES_HZ, strict=True))
    drives = {name: network.layer(name).neuron.drive for name in rates}
    for p in network.projections:
        arriving = rates[p.pre] * p.connectivity.number / network.layer(p.post).size * p.weight.mean
        drives[p.post] += arriving * p.tau_synapse_s
    for name, given in inputs.items():
        drives[name] += given.rate_hz * given.weight * given.tau_synapse_s
    return np.array(list(drives.values()))


def test_a_smaller_microcircuit_can_keep_its_in_degrees() -> None:
    network, inputs, initial = balanced.microcircuit(0.01, indegree_scale=1)
    rows = {p.name: p for p in network.projections}
    assert network.layer("L23E").size == 207 and initial["L6I"].shape == (29,)
    inward = [rows[f"{pre}->L23E"].connectivity.number for pre in balanced.POPULATIONS if f"{pre}->L23E" in rows]
    assert len(inward) == 6  # two populations of layers 5 and 6 do not reach it
    assert sum(inward) / 207 == pytest.approx(balanced.indegrees()[0].sum(), rel=1e-3)
    assert rows["L4E->L23E"].weight.mean == pytest.approx(2 * rows["L4E->L4E"].weight.mean)
    assert rows["L4I->L4E"].weight.mean == pytest.approx(-4 * rows["L4E->L4E"].weight.mean)
    assert inputs["L6E"].rate_hz == 8 * 2_900
    assert all(network.layer(name).neuron.drive == 0 for name in balanced.POPULATIONS)


def test_thinner_synapses_keep_the_mean_input_and_its_variance() -> None:
    full, thin = balanced.microcircuit(0.02, indegree_scale=1), balanced.microcircuit(0.02, indegree_scale=0.25)
    np.testing.assert_allclose(mean_drives(thin), mean_drives(full), rtol=5e-3)
    assert np.all(mean_drives(balanced.microcircuit(0.02)) > 0.9 * mean_drives(full))
    one = [next(p for p in case[0].projections if p.name == "L4E->L4I") for case in (thin, full)]
    (few, sparse), (many, dense) = [(p.connectivity.number, p.weight.mean) for p in one]
    assert few * sparse**2 == pytest.approx(many * dense**2, rel=1e-3)
    assert few == pytest.approx(many / 4, rel=1e-3)


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
