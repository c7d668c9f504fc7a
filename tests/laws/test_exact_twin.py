"""The exact clock equals its slow twin: spike for spike, weight for weight, count for count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from reference.exact import Pair, Triplet, Twin

from eqspike.learning.stdp import PairSTDP, TripletSTDP
from eqspike.network.connectivity import AllToAll, FixedIndegree, FixedProbability, Normal, OneToOne, Pairs, Uniform
from eqspike.network.description import Kernel, Layer, Network, Projection
from eqspike.network.inputs import Poisson, SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Exact
from eqspike.substrates.spiking.exact import ExactSimulation
from eqspike.substrates.spiking.wiring import wire

pytestmark = pytest.mark.kernels
DURATION = 0.05


def assert_same(network: Network, inputs: dict, *, seed=3, rule=None, twin_rule=None, initial=None, precision=32):
    """Run both and compare all that can be seen."""
    engine = ExactSimulation(
        network, Exact(), inputs, seed=seed, rule=rule, initial=initial, max_rate_hz=20_000, precision=precision
    )
    if engine.run(DURATION).kind != "completed":  # the twin would go on for ever
        reject()
    dtype = np.float32 if precision == 32 else np.float64
    twin = Twin(network, inputs, seed=seed, rule=twin_rule, initial=initial, dtype=dtype)
    twin.run(DURATION)
    for number, layer in enumerate(network.layers):
        expected = [(time, k) for time, at, k in twin.spikes if at == number]
        found = engine.spikes[layer.name]
        assert list(found.i) == [k for _, k in expected]
        np.testing.assert_allclose(found.t, [time for time, _ in expected], rtol=0, atol=1e-12)
    for name, values in twin.potentials(DURATION).items():
        np.testing.assert_allclose(engine.potentials()[name], values, rtol=0, atol=1e-9)
    for bundle in twin.bundles:
        found = engine.weights()[bundle.name].reshape(-1)
        n = min(found.size, len(bundle.weights))  # shared weights are stored once, even of no synapse
        np.testing.assert_allclose(found[:n], bundle.weights[:n], rtol=0, atol=1e-6 if precision == 32 else 1e-12)
    phase = "inference" if rule is None else "free"
    counted = {(row, counter): n for _, row, counter, n in engine.ledger().rows() if row != "run"}
    assert counted == {key: n for key, n in twin.counts.items() if n}
    assert engine.ledger().total(phase, "presentations") == 1
    return engine


@st.composite
def neurons(draw) -> LIF:
    """A neuron of any kind, with or without a drive that makes it fire by itself."""
    reset = draw(st.sampled_from(["hard", "soft"]))
    leaky = draw(st.booleans())
    return LIF(
        tau_membrane_s=draw(st.sampled_from([5e-3, 0.0171])) if leaky else None,
        v_rest=draw(st.sampled_from([0.0, -0.31])),
        v_reset=draw(st.sampled_from([0.0, -0.17])),
        reset=reset,
        refractory_s=draw(st.sampled_from([0.0, 2.3e-3])) if reset == "hard" else 0.0,
        drive=draw(st.sampled_from([0.0, 1.57])) if leaky else draw(st.sampled_from([-20.3, 0.0, 61.7])),
    )


@st.composite
def networks(draw, plastic: bool) -> tuple[Network, dict, dict, int]:
    """Return a network, its inputs, its potentials at the beginning and a seed."""
    seed = draw(st.integers(0, 2**40))
    numbers = np.random.default_rng(seed)
    layers, inputs, initial = [], {}, {}
    for k in range(draw(st.integers(1, 2))):
        n = draw(st.integers(1, 4))
        layers.append(Layer(f"in{k}", n, "source"))
        if draw(st.booleans()):
            count = draw(st.integers(0, 12))
            inputs[f"in{k}"] = SpikeList(numbers.uniform(0, DURATION, count), numbers.integers(0, n, count))
        else:
            inputs[f"in{k}"] = Poisson(rate_hz=150.0)
    for k in range(draw(st.integers(1, 3))):
        n = draw(st.integers(1, 4))
        layers.append(Layer(f"n{k}", n, "lif", draw(neurons())))
        if draw(st.booleans()):
            inputs[f"n{k}"] = Poisson(rate_hz=120.0, weight=0.37)
        if draw(st.booleans()):
            initial[f"n{k}"] = numbers.uniform(-0.5, 1.2, n)
    targets = [layer for layer in layers if layer.kind == "lif"]
    projections = []
    for k in range(draw(st.integers(1, 5))):
        pre, post = draw(st.sampled_from(layers)), draw(st.sampled_from(targets))
        projections.append(draw(joined(f"p{k}", pre, post, numbers, plastic and draw(st.booleans()))))
    return Network(tuple(layers), tuple(projections)), inputs, initial, seed


@st.composite
def joined(draw, label: str, pre: Layer, post: Layer, numbers, plastic: bool) -> Projection:
    """A projection of any connectivity, with weights of both signs and delays of every kind."""
    count = draw(st.integers(0, 8))
    rules = [
        AllToAll(),
        FixedProbability(probability=0.6),
        FixedIndegree(indegree=3),
        Pairs(numbers.integers(0, pre.size, count), numbers.integers(0, post.size, count)),
    ]
    chosen = draw(st.sampled_from(rules + ([OneToOne()] if pre.size == post.size else [])))
    recurrent = pre.kind == "lif"
    weight = draw(
        st.sampled_from([-0.43, Normal(mean=-0.3, sd=0.2), 0.21] if recurrent else [0.73, Uniform(low=-0.4, high=1.3)])
    )
    delay = draw(st.sampled_from([None, 1.7e-3, Uniform(low=1e-3, high=6e-3), numbers.uniform(0, 4e-3, pre.size)]))
    return Projection(
        pre.name, post.name, connectivity=chosen, weight=weight, delay_s=delay, plastic=plastic, label=label
    )


@given(case=networks(plastic=False))
def test_networks_run_as_their_twin(case) -> None:
    network, inputs, initial, seed = case
    assert_same(network, inputs, seed=seed, initial=initial)


def tight_bounds(network: Network, seed: int) -> tuple[float, float]:
    """Return bounds that hold all initial weights and little more."""
    drawn = [wire(network, p, k, seed, spread=True).weights.reshape(-1) for k, p in enumerate(network.projections)]
    weights = np.concatenate([[0.0], *drawn])
    return float(weights.min()) - 0.03, float(weights.max()) + 0.03


@given(case=networks(plastic=True), nearest=st.booleans(), bounded=st.booleans())
def test_pair_stdp_learns_as_its_twin(case, nearest: bool, bounded: bool) -> None:
    network, inputs, initial, seed = case
    low, high = tight_bounds(network, seed) if bounded else (None, None)
    rule = PairSTDP(
        tau_plus=7e-3, tau_minus=11e-3, A_plus=0.043, A_minus=0.051, w_min=low, w_max=high,
        pairs="nearest-neighbour" if nearest else "all-to-all",
    ).trace_rule()  # fmt: skip
    twin = Pair(0.043, 0.051, 7e-3, 11e-3, nearest, rule.w_min, rule.w_max)
    assert_same(network, inputs, seed=seed, initial=initial, rule=rule, twin_rule=twin)


@given(case=networks(plastic=True), nearest=st.booleans())
def test_triplet_stdp_learns_as_its_twin(case, nearest: bool) -> None:
    network, inputs, initial, seed = case
    pairs = "nearest-neighbour" if nearest else "all-to-all"
    low, high = tight_bounds(network, seed)
    rule = TripletSTDP(A2_plus=0.01, A2_minus=0.02, A3_plus=0.03, A3_minus=0.04, pairs=pairs, w_min=low, w_max=high)
    twin = Triplet((0.01, 0.02), (0.03, 0.04), (16.8e-3, 33.7e-3, 101e-3, 125e-3), nearest, low, high)
    assert_same(network, inputs, seed=seed, initial=initial, rule=rule.trace_rule(), twin_rule=twin)


@pytest.mark.parametrize("padding", [0, 1, 2])
def test_convolutions_run_as_their_twin(padding: int) -> None:
    kernel = Kernel(channels=2, size=3, padding=padding, pool="none")
    shape = kernel.pooled((4, 3, 2))
    layers = (
        Layer("in", 24, "source", shape=(4, 3, 2)),
        Layer("map", int(np.prod(shape)), "lif", LIF(v_threshold=0.9), shape=shape),
    )
    weight = np.random.default_rng(2).normal(0.3, 0.3, (3, 3, 2, 2))
    network = Network(layers, (Projection("in", "map", kernel=kernel, weight=weight, delay_s=1.3e-3),))
    engine = assert_same(network, {"in": Poisson(rate_hz=60)})
    assert engine.spikes["map"].t.size > 5
