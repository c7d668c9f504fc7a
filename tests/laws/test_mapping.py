"""Laws of placing a network: nothing is lost, no core is overfull, and counts equal those made synapse by synapse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.mapping import chip, clustered, fields, recount, ring, sparse, synapses

from hw_models.errors import FitError
from hw_models.mapping import Connection, GraphLayer, NetworkGraph, place

STRATEGIES = ("auto", "contiguous", "random")
MARGIN = 0.4  # auto sends at least this share fewer spikes between cores than the better of the other two

_KINDS = st.sampled_from(("dense", "one-to-one", "sparse"))


@st.composite
def graphs(draw, kinds=_KINDS) -> NetworkGraph:
    """Networks of a few small layers, joined in every way, some with inputs from outside and uneven spikes."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    sizes = [draw(st.integers(1, 25)) for _ in range(draw(st.integers(2, 4)))]
    outside = draw(st.booleans())
    layers = [
        GraphLayer(
            f"l{k}",
            size,
            spikes=rng.integers(0, 5, size).astype(float) if draw(st.booleans()) else None,
            external=outside and k == 0,
            bias_bits=draw(st.sampled_from((0, 3))),
        )
        for k, size in enumerate(sizes)
    ]
    connections = []
    for number in range(draw(st.integers(1, 5))):
        pre = draw(st.integers(0, len(sizes) - 1))
        post = draw(st.integers(1 if outside else 0, len(sizes) - 1))
        kind = draw(kinds)
        if kind == "one-to-one" and sizes[pre] != sizes[post]:
            kind = "dense"
        given_settings = {
            "label": str(number),
            "weight_bits": draw(st.integers(1, 8)),
            "plastic": draw(st.booleans()),
            "accumulator_bits": draw(st.sampled_from((0, 5))),
            "bidirectional": draw(st.booleans()) and not layers[pre].external,
        }
        if kind == "sparse":
            joined = rng.random((sizes[pre], sizes[post])) < 0.3
            i, j = np.nonzero(joined)
            connections.append(sparse(f"l{pre}", f"l{post}", i, j, sizes[pre], **given_settings))
        else:
            connections.append(Connection(f"l{pre}", f"l{post}", kind, **given_settings))
    return NetworkGraph(tuple(layers), tuple(connections), ticks=draw(st.integers(1, 20)))


CHIPS = st.fixed_dictionaries(
    {
        "policy": st.sampled_from(("duplicate", "crossbar")),
        "cores": st.sampled_from((4, 7, 64)),
        "neurons_per_core": st.integers(1, 20),
        "synapse_bits_per_core": st.sampled_from((2_000, 100_000)),
        "axons_in_per_core": st.sampled_from((40, 1_000)),
        "axons_out_per_core": st.sampled_from((60, 1_000)),
        "multicast": st.booleans(),
    },
    optional={"mesh": st.sampled_from(((2, 2), (1, 3), (4, 4), (3, 5)))},
)


@pytest.mark.kernels
@given(graph=graphs(), limits=CHIPS, strategy=st.sampled_from(STRATEGIES), seed=st.integers(0, 5))
def test_every_count_equals_one_made_synapse_by_synapse(graph, limits, strategy, seed) -> None:
    made_up = chip(**limits)
    try:
        placement = place(graph, made_up, strategy, seed, chips=30)
    except FitError:
        return
    for layer in graph.layers:
        cores = placement.core[layer.name]
        assert len(cores) == layer.neurons
        assert (cores == -1).all() if layer.external else ((cores >= 0) & (cores < placement.cores)).all()
    twin = recount(placement, made_up)
    for key in ("neurons", "synapse_bits", "axons_in", "axons_out", "spikes_in"):
        assert placement.per_core[key].tolist() == pytest.approx(twin[key]), key
    assert placement.intercore_spikes == pytest.approx(twin["intercore"])
    assert placement.packets == pytest.approx(twin["packets"])
    assert placement.hops == pytest.approx(twin["hops"])
    borders = sum(layer.spikes_per_neuron() @ placement.traffic.borders[layer.name] for layer in graph.layers)
    assert borders == pytest.approx(twin["borders"])
    for key in ("neurons", "synapse_bits", "axons_in", "axons_out"):
        name = {"neurons": "neurons_per_core", "synapse_bits": "synapse_bits_per_core"}.get(key, f"{key}_per_core")
        assert max(twin[key]) <= limits[name], key


@pytest.mark.kernels
@given(graph=graphs(), limits=CHIPS, strategy=st.sampled_from(STRATEGIES))
def test_what_fits_neuron_by_neuron_is_placed(graph, limits, strategy) -> None:
    alone = NetworkGraph(graph.layers, graph.connections)
    sources, stored = {}, {}
    for pre, i, post, j, bits in synapses(alone, copies=chip(**limits).copies(True), learning=True):
        sources.setdefault((post, j), set()).add((pre, i))
        stored[post, j] = stored.get((post, j), graph.layer(post).bias_bits) + bits
    limits = limits | {
        "axons_in_per_core": max(map(len, sources.values()), default=1),
        "synapse_bits_per_core": max(stored.values(), default=9),
        "axons_out_per_core": 10**6,
    }
    placement = place(graph, chip(**limits), strategy, chips=99)
    assert placement.per_core["axons_in"].max() <= limits["axons_in_per_core"]


@settings(max_examples=40)
@given(graph=graphs(), limits=CHIPS, seed=st.integers(0, 5))
def test_auto_never_sends_more_than_contiguous(graph, limits, seed) -> None:
    made_up = chip(**limits | {"multicast": False})
    try:
        contiguous = place(graph, made_up, "contiguous", seed, chips=30)
    except FitError:
        return
    assert place(graph, made_up, "auto", seed, chips=30).packets <= contiguous.packets * (1 + 1e-9)


@pytest.mark.parametrize(
    ("network", "neurons_per_core"), [(fields, 64), (clustered, 128), (ring, 128)], ids=lambda given: str(given)[:14]
)
def test_auto_sends_fewer_spikes_between_cores_by_the_stated_margin(network, neurons_per_core) -> None:
    graph, made_up = network(), chip(cores=64, neurons_per_core=neurons_per_core, mesh=(8, 8))
    found = {strategy: place(graph, made_up, strategy, seed=3) for strategy in STRATEGIES}
    better = min(found["contiguous"].intercore_spikes, found["random"].intercore_spikes)
    assert found["auto"].intercore_spikes <= (1 - MARGIN) * better
    assert found["auto"].hops <= (1 - MARGIN) * min(found["contiguous"].hops, found["random"].hops)
    assert found["auto"].cores == found["contiguous"].cores, "not by taking more of the chip"


@settings(max_examples=40)
@given(
    wall=st.sampled_from(("neurons_per_core", "synapse_bits_per_core", "axons_in_per_core", "axons_out_per_core")),
    graph=graphs(),
    seed=st.integers(0, 3),
)
def test_one_core_fits_at_its_limit_and_not_one_past_it(wall, graph, seed) -> None:
    whole = place(graph, chip(), seed=seed)
    assert whole.cores == 1 and whole.intercore_spikes == 0, "without limits everything lies in one core"
    need = int(whole.demand.amount(wall))
    if need < 1:
        return
    assert place(graph, chip(cores=1, **{wall: need}), seed=seed).cores == 1
    with pytest.raises(FitError) as caught:
        place(graph, chip(cores=1, **{wall: need - 1}), seed=seed)
    assert caught.value.exit_code == 3


@settings(max_examples=40)
@given(graph=graphs(), wall=st.sampled_from(("fan_in", "fan_out", "weight_bits")))
def test_a_neuron_fits_at_its_limit_and_not_one_past_it(graph, wall) -> None:
    need = int(place(graph, chip()).demand.amount(wall))
    if need < 1:
        return
    place(graph, chip(**{wall: need}))
    with pytest.raises(FitError, match=wall):
        place(graph, chip(**{wall: need - 1}))


@settings(max_examples=40)
@given(graph=graphs(), most=st.integers(2, 12))
def test_trees_keep_every_synapse_and_bound_the_fan_in(graph, most) -> None:
    placement = place(graph, chip(fan_in=most, trees=True))
    grown = placement.graph
    assert placement.demand.amount("fan_in") <= most
    kept = NetworkGraph(grown.layers, tuple(c for c in grown.connections if c.pre not in placement.serves))
    numbers = [len(list(synapses(each, copies=2, learning=False))) for each in (kept, graph)]
    assert numbers[0] == numbers[1]
    if placement.serves:
        leaves = [c for c in grown.connections if c.pre in placement.serves]
        assert all(np.diff(c.starts).tolist() == [1] * grown.layer(c.pre).neurons for c in leaves), (
            "each relay serves one"
        )


@given(graph=graphs())
@settings(max_examples=20)
def test_the_same_seed_gives_the_same_placement(graph) -> None:
    made_up = chip(cores=64, neurons_per_core=4)
    for strategy in STRATEGIES:
        first, second = (place(graph, made_up, strategy, 7, chips=9) for _ in range(2))
        for layer in graph.layers:
            assert np.array_equal(first.core[layer.name], second.core[layer.name])
        assert first.to_dict() == second.to_dict()
