"""Placing networks: what a placement says, what refuses, and what is offered instead."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from math import exp, factorial

import numpy as np
import pytest
from reference.mapping import chip, clustered, sparse

from hw_models import LayerShape, PhaseCounts, ProjectionShape, Workload, load_chip
from hw_models.errors import FitError, WorkloadError
from hw_models.mapping import Connection, GraphLayer, NetworkGraph, describe, judge, place, what_would_fit
from hw_models.mapping.mesh import _hilbert, _snake
from hw_models.mapping.queues import poisson_peak, poisson_tail


def perceptron(hidden: int = 100, bits: int = 3, **settings) -> NetworkGraph:
    layers = (GraphLayer("input", 784, external=True), GraphLayer("hidden", hidden), GraphLayer("output", 10))
    onto_output = Connection("hidden", "output", bidirectional=True, weight_bits=bits, **settings)
    return NetworkGraph(layers, (Connection("input", "hidden", weight_bits=bits), onto_output), name="perceptron")


def chain(layers: int, seed: int = 0) -> NetworkGraph:
    sizes = np.random.default_rng(seed).integers(50, 1900, layers)
    built = tuple(GraphLayer(f"l{k}", int(n), spikes=2.0 * n) for k, n in enumerate(sizes))
    return NetworkGraph(built, tuple(Connection(pre.name, post.name) for pre, post in pairwise(built)))


def test_a_perceptron_on_four_cores_by_hand() -> None:
    graph = NetworkGraph(
        (GraphLayer("a", 4, spikes=np.array([1.0, 2.0, 3.0, 4.0])), GraphLayer("b", 4, spikes=8.0)),
        (Connection("a", "b", weight_bits=5),),
        ticks=10,
    )
    placement = place(graph, chip(cores=4, neurons_per_core=2, mesh=(4, 1)), "contiguous")
    assert [(s.layer, s.first, s.last, s.core) for s in placement.slices] == [
        ("a", 0, 2, 0), ("a", 2, 4, 1), ("b", 0, 2, 2), ("b", 2, 4, 3),
    ]  # fmt: skip
    assert placement.intercore_spikes == placement.packets == 2 * (1 + 2 + 3 + 4)
    assert placement.per_core["synapse_bits"].tolist() == [0, 0, 2 * 4 * 5, 2 * 4 * 5]
    assert placement.per_core["axons_in"].tolist() == [0, 0, 4, 4]
    assert placement.per_core["axons_out"].tolist() == [4, 4, 0, 0]
    assert placement.queue()["expected"] == 1.0
    assert placement.hops == sum(
        spikes * abs(int(placement.mesh.x[core]) - int(placement.mesh.x[there]))
        for core, spikes in ((0, 3), (1, 7))
        for there in (2, 3)
    )
    assert placement.binds == "cores" and placement.cores == 4


def test_a_spike_to_two_cores_of_a_tile_is_one_packet_with_multicast() -> None:
    graph = NetworkGraph((GraphLayer("a", 1, spikes=7.0), GraphLayer("b", 8)), (Connection("a", "b"),))
    limits = {"cores": 9, "neurons_per_core": 1, "mesh": (3, 1)}
    single, multi = (place(graph, chip(multicast=m, **limits), "contiguous") for m in (False, True))
    assert single.packets == 7 * 8
    assert multi.packets == 7 * 3, "three tiles of three cores"
    assert single.intercore_spikes == multi.intercore_spikes == 7 * 8


def test_odin_holds_246_inputs_and_says_so() -> None:
    odin = chip(cores=1, neurons_per_core=256, fan_in=256, weight_bits=3)
    with pytest.raises(FitError, match=r"fan_in: hidden needs 794 .* the wall is 256.*input <= 246"):
        place(perceptron(), odin)
    assert place(perceptron().resized("input", 246), odin).cores == 1
    with pytest.raises(FitError):
        place(perceptron().resized("input", 247), odin)


def test_a_layer_that_is_too_large_is_told_its_largest_size() -> None:
    one_core = chip(cores=1, neurons_per_core=256)
    with pytest.raises(FitError, match=r"cores: the network needs 2 cores.*2 chips, or hidden <= 246"):
        place(perceptron(hidden=300), one_core)
    assert place(perceptron(hidden=246), one_core).cores == 1
    assert place(perceptron(hidden=300), one_core, chips=2).chips == 2


def test_wide_weights_are_told_the_widest_that_fits() -> None:
    assert what_would_fit(perceptron(bits=32), chip(weight_bits=4)) == ("weight_bits <= 4",)
    tight = chip(cores=1, synapse_bits_per_core=100 * 784 * 4 + 2 * 1000 * 4)
    with pytest.raises(FitError, match="weight_bits <= 4"):
        place(perceptron(bits=5), tight)
    assert place(perceptron(bits=4), tight).cores == 1


def test_accumulators_count_while_learning_only() -> None:
    graph = perceptron(plastic=True, accumulator_bits=16)
    need = 100 * 784 * 3 + 2 * 1000 * 3
    made_up = chip(cores=1, synapse_bits_per_core=need)
    assert place(graph, made_up, learning=False).cores == 1
    with pytest.raises(FitError, match="inference alone"):
        place(graph, made_up)
    verdict = judge(graph, chip())
    assert verdict.demand.spare == {"synapse_bits_inference": need, "synapse_bits_training": need + 1000 * 16}


def test_one_copy_of_a_weight_serves_both_directions_where_the_array_conducts_both_ways() -> None:
    twice, once = (place(perceptron(), chip(policy)).demand.spare for policy in ("duplicate", "crossbar"))
    assert twice["synapse_bits_inference"] - once["synapse_bits_inference"] == 1000 * 3


def test_larger_cells_leave_less_room_for_weights() -> None:
    # 1,000 weights of 3 bits act both ways: one copy in cells of 1.26 is 3,780 bits of plain memory.
    cells = chip("transposable", cores=1, synapse_bits_per_core=100 * 784 * 3 + 3780)
    placement = place(perceptron(), cells)
    assert placement.demand.spare["synapse_bits_inference"] == 100 * 784 * 3 + 3780
    assert any("cells that take the room of 1.26" in note for note in placement.notes)
    with pytest.raises(FitError, match="weight_bits <= 2"):
        place(perceptron(), chip("transposable", cores=1, synapse_bits_per_core=100 * 784 * 3 + 3000))


def test_budgets_degrade_and_say_by_how_much() -> None:
    graph = perceptron(hidden=300)
    placement = place(graph, chip(cores=1, neurons_per_core=(128, "budget")))
    (passed,) = placement.violations
    assert (passed.name, passed.demand, passed.limit) == ("neurons_per_core", 310, 128)
    assert placement.cores == 1
    spread = place(graph, chip(cores=3, neurons_per_core=(128, "budget")))
    assert not spread.violations and spread.cores == 3, "no budget is passed where there is room"
    more = place(graph, chip(cores=(2, "budget"), neurons_per_core=128))
    assert more.chips == 2 and more.violations[0].name == "cores"


def test_trees_serve_wide_fan_ins_by_relays_that_fire_too() -> None:
    plain, made_up = perceptron(), chip(fan_in=256, trees=True)
    placement = place(plain, made_up)
    assert placement.summary()["relay_neurons"] == 100 * 4, "794 synapses in parts of 256"
    assert placement.demand.amount("fan_in") == 256
    assert any("relay" in note and "not re-evaluated" in note for note in placement.notes)
    spread = place(plain, chip(fan_in=256, trees=True, neurons_per_core=64))
    counts = PhaseCounts("inference", 1, 1, {("hidden", "spikes"): 50})
    layers = (LayerShape("input", 784, False), LayerShape("hidden", 100), LayerShape("output", 10))
    sent = spread.counts("inference", Workload("w", layers, (), (counts,), 1e-3))
    relays = spread.traffic.packets["hidden~relay1"].sum() + spread.traffic.packets["hidden"].sum()
    assert sent["hidden", "packets"] == round(50 / 100 * float(relays))


def test_counts_are_spikes_times_what_each_sends() -> None:
    graph = NetworkGraph(
        (GraphLayer("a", 6, spikes=np.array([5.0, 0, 0, 0, 0, 1.0])), GraphLayer("b", 3)), (Connection("a", "b"),)
    )
    placement = place(graph, chip(cores=6, neurons_per_core=2, mesh=(3, 2)), "contiguous")
    layers = (LayerShape("a", 6), LayerShape("b", 3))
    shapes = (ProjectionShape("a->b", "a", "b", 18, 8, False, True),)
    spiking = PhaseCounts("free", 10, 100, {("a", "spikes"): 60, ("b", "spikes"): 9})
    rate = PhaseCounts("inference", 10, 100, {("a->b", "macs_forward"): 90})
    workload = Workload("w", layers, shapes, (spiking, rate), 1e-3)
    hops = placement.traffic.hops["a"]
    assert placement.counts("free", workload) == {
        ("a", "packets"): 60 * 2,
        ("a", "hops"): 10 * (5 * int(hops[0]) + int(hops[5])),
    }
    assert placement.counts("inference", workload)["a", "packets"] == 30 * 2, "90 products are 30 states of 3 synapses"
    with pytest.raises(WorkloadError, match="phase 'nudged'"):
        placement.counts("nudged", workload)
    with pytest.raises(WorkloadError, match="layer c"):
        placement.counts("free", Workload("w", (*layers, LayerShape("c", 2)), shapes, (spiking,), 1e-3))


def test_chips_side_by_side_are_crossed_by_packets() -> None:
    graph = NetworkGraph((GraphLayer("a", 2, spikes=6.0), GraphLayer("b", 2)), (Connection("a", "b"),))
    placement = place(graph, chip(cores=1, neurons_per_core=2), "contiguous", chips=2)
    counted = PhaseCounts("inference", 1, 1, {("a", "spikes"): 6})
    workload = Workload("w", (LayerShape("a", 2), LayerShape("b", 2)), (), (counted,), 1e-3)
    assert placement.counts("inference", workload)["a", "offchip_packets"] == 6


def test_poisson_tail_and_peak() -> None:
    for mean, depth in ((0.5, 2), (3.0, 1), (20.0, 32), (1e-3, 1)):
        direct = 1 - sum(mean**k * exp(-mean) / factorial(k) for k in range(depth + 1))
        assert poisson_tail(mean, depth) == pytest.approx(direct, rel=1e-6)
    assert poisson_tail(0.0, 0) == 0 and poisson_tail(5000.0, 10) == 1
    peak = poisson_peak(4.0, 1e6)
    assert poisson_tail(4.0, peak) * 1e6 <= 1 < poisson_tail(4.0, peak - 1) * 1e6
    assert poisson_peak(0.0, 1e9) == 0


def test_the_queue_of_the_busiest_core() -> None:
    graph = NetworkGraph(
        (GraphLayer("in", 50, spikes=400.0, external=True), GraphLayer("b", 2, spikes=0.0)),
        (Connection("in", "b"),),
        ticks=100,
    )
    queue = place(graph, chip(queue_depth=8)).queue()
    assert queue["expected"] == 4.0 and queue["depth"] == 8
    assert queue["overflow_probability"] == pytest.approx(poisson_tail(4.0, 8))
    assert place(perceptron(), chip(queue_depth=8)).queue() is None, "nobody knows how much it fires"


@pytest.mark.parametrize(("width", "height"), [(8, 8), (5, 3), (1, 7), (64, 64), (12, 10)])
def test_a_curve_visits_every_place_once_by_single_steps(width: int, height: int) -> None:
    curve = _snake(width, height)
    assert sorted(map(tuple, curve.tolist())) == sorted((x, y) for x in range(width) for y in range(height))
    steps = np.abs(np.diff(curve, axis=0)).sum(axis=1)
    if width == height:
        assert (steps == 1).all()
        assert np.array_equal(curve, _hilbert(width)) == (width & (width - 1) == 0)


def test_swaps_lower_hops() -> None:
    """A ring of cores whose numbers are shuffled lies on the mesh nearly as a ring."""
    rng, n = np.random.default_rng(0), 64
    number = rng.permutation(n)
    pairs = sparse("a", "a", number, np.roll(number, 1), n)
    graph = NetworkGraph((GraphLayer("a", n),), (pairs,))
    placement = place(graph, chip(cores=n, neurons_per_core=1, mesh=(8, 8)), "contiguous")
    assert placement.packets == n
    assert placement.hops <= 2.2 * n, "random places are 5.3 hops apart"


def test_shapes_of_a_thousand_layers_are_placed_in_a_moment() -> None:
    graph, made_up = chain(1000), chip(cores=4096, neurons_per_core=256, mesh=(64, 64))
    place(chain(3), made_up)  # compiles
    started = time.process_time()
    placement = place(graph, made_up)
    assert time.process_time() - started < 3.0
    assert placement.cores <= 4096
    contiguous = place(graph, made_up, "contiguous")
    assert placement.intercore_spikes < contiguous.intercore_spikes


def test_what_binds_is_what_fills_up_with_the_network() -> None:
    graph = perceptron()
    one = place(graph, chip(cores=1, neurons_per_core=220, weight_bits=3))
    assert one.binds == "neurons_per_core", "neither the width of weights nor the one core of the chip"
    assert place(graph, chip(cores=2, neurons_per_core=60, weight_bits=3)).binds == "cores"


def test_large_networks_are_not_lowered_packet_by_packet(monkeypatch) -> None:
    """Synapses x cores pass 32 bits here."""

    def settle(*_) -> None:
        raise AssertionError("too much work")

    monkeypatch.setattr("hw_models.mapping.partition.settle", settle)
    targets = np.random.default_rng(0).integers(0, 4000, 4000 * 200)
    joined = Connection("a", "a", "sparse", np.arange(0, 800_001, 200), targets)
    graph = NetworkGraph((GraphLayer("a", 4000),), (joined,))
    assert place(graph, chip(neurons_per_core=1)).cores == 4000


@pytest.mark.parametrize("explicit", [True, False])
def test_cores_that_would_send_to_too_many_are_split(explicit: bool) -> None:
    """Four neurons of one core reach 8 cores each: with 16 destinations a core, they need two cores."""
    dense = Connection("a", "b")
    pairs = sparse("a", "b", np.repeat(np.arange(4), 32), np.tile(np.arange(32), 4), 4)
    graph = NetworkGraph((GraphLayer("a", 4), GraphLayer("b", 32)), (pairs if explicit else dense,))
    for strategy in ("auto", "contiguous"):
        free = place(graph, chip(cores=32, neurons_per_core=4), strategy)
        assert (free.cores, free.per_core["axons_out"].max()) == (9, 32)
        split = place(graph, chip(cores=32, neurons_per_core=4, axons_out_per_core=16), strategy)
        assert split.per_core["axons_out"].max() <= 16


def test_documents_are_json() -> None:
    placement = place(clustered(200, 4), chip(cores=16, neurons_per_core=50, fan_in=10**6))
    document = json.loads(json.dumps(placement.to_dict(), allow_nan=False))
    assert document["cores"] == placement.cores == len(document["cores_used"])
    assert sum(last - first for _, first, last, _ in document["slices"]) == 200
    refused = judge(perceptron(), chip(fan_in=2))
    assert not refused.fits
    document = json.loads(json.dumps(describe(refused, ("x",)), allow_nan=False))
    assert document["walls"][0]["name"] == "fan_in" and document["would_fit"] == ["x"]


def test_a_chip_without_limits_takes_everything_in_one_core() -> None:
    placement = place(perceptron(), load_chip("generic-45nm").model_copy(update={"limits": chip().limits}))
    assert placement.cores == 1 and placement.binds is None
    assert any("no limits" in note for note in placement.notes)


def layer(name: str = "a", neurons: int = 3, **settings) -> GraphLayer:
    return GraphLayer(name, neurons, **settings)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: layer(neurons=0), "a layer of 0 neurons"),
        (lambda: layer(spikes=-1.0), "no counts"),
        (lambda: layer(spikes=np.ones(2)), "no counts"),
        (lambda: NetworkGraph((), ()), "taken twice"),
        (lambda: NetworkGraph((layer(), layer()), ()), "taken twice"),
        (lambda: NetworkGraph((layer(external=True),), ()), "no neuron to place"),
        (lambda: NetworkGraph((layer(),), (), ticks=0), "ticks"),
        (lambda: NetworkGraph((layer(),), (Connection("a", "b"),)), "'b'"),
        (lambda: NetworkGraph((layer(),), (Connection("a", "a", weight_bits=0),)), "out of range"),
        (lambda: NetworkGraph((layer(), layer("b", 2)), (Connection("a", "b", "one-to-one"),)), "3 and 2"),
        (lambda: NetworkGraph((layer(), layer("b", external=True)), (Connection("a", "b"),)), "receives nothing"),
        (lambda: NetworkGraph((layer(),), (Connection("a", "a", "sparse"),)), "do not fit"),
        (lambda: _arrays([0, 1, 2, 1], [0]), "do not rise"),
        (lambda: _arrays([0, 1, 1, 1], [3]), "not in 0 to 2"),
        (lambda: _arrays([0.0, 1, 1, 1], [0]), "no integers"),
        (lambda: place(perceptron(), chip(), "best"), "'best'"),
        (lambda: place(perceptron(), chip(), chips=0), "0 chips"),
    ],
)
def test_what_cannot_be_placed_is_refused_by_name(build, said: str) -> None:
    with pytest.raises(WorkloadError, match=said):
        build()


def _arrays(starts: list, targets: list) -> NetworkGraph:
    joined = Connection("a", "a", "sparse", np.array(starts), np.array(targets))
    return NetworkGraph((layer(),), (joined,))
