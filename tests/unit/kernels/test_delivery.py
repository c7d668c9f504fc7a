"""Delivery of spikes by every kind of wiring equals a sum over explicit synapses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eqspike.kernels import simulation_layout as layout
from eqspike.kernels.delivery import convolve, scatter, scatter_one
from eqspike.network.connectivity import AllToAll, FixedProbability, OneToOne, Pairs
from eqspike.network.description import Kernel, Layer, Network, Projection
from eqspike.network.inputs import SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked
from eqspike.substrates.spiking.simulation import simulate

pytestmark = pytest.mark.kernels
INTEGRATOR = LIF(tau_membrane_s=None, v_threshold=1e9)
WEIGHTS = np.random.default_rng(2).normal(size=(6, 6))


def brought(projection: Projection, fired: list[int], shapes: tuple[tuple, tuple]) -> tuple[np.ndarray, int]:
    """Return what one volley of spikes brings to silent neurons, and the synapses it reached."""
    pre, post = (int(np.prod(shape)) for shape in shapes)
    layers = (Layer("in", pre, "source", shape=shapes[0]), Layer("out", post, "lif", INTEGRATOR, shape=shapes[1]))
    volley = {"in": SpikeList(np.full(len(fired), 1e-3), np.array(fired, np.int64))}
    clock = Clocked(tick_s=1e-3, precision=64)
    found = simulate(Network(layers, (projection,)), 3e-3, clock=clock, inputs=volley)
    return found.potentials()["out"], found.ledger().total("inference", "synaptic_events")


FIRED = st.lists(st.integers(0, 5), max_size=9)


@given(fired=FIRED)
def test_dense_rows_add_up(fired: list[int]) -> None:
    found, reached = brought(Projection("in", "out", connectivity=AllToAll(), weight=WEIGHTS), fired, ((6,), (6,)))
    np.testing.assert_allclose(found, WEIGHTS[fired].sum(axis=0), atol=1e-12)
    assert reached == 6 * len(fired)


@given(fired=FIRED, uniform=st.booleans())
def test_one_to_one_keeps_places(fired: list[int], uniform: bool) -> None:
    weights = np.full(6, 0.7) if uniform else WEIGHTS[0]
    projection = Projection("in", "out", connectivity=OneToOne(), weight=0.7 if uniform else weights)
    found, reached = brought(projection, fired, ((6,), (6,)))
    np.testing.assert_allclose(found, weights * np.bincount(fired, minlength=6), atol=1e-12)
    assert reached == len(fired)


@given(fired=FIRED, pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)), max_size=12), uniform=st.booleans())
def test_sparse_synapses_reach_their_targets(fired: list[int], pairs: list, uniform: bool) -> None:
    pre, post = (np.array([pair[end] for pair in pairs], np.int64) for end in (0, 1))
    weights = np.full(len(pairs), -0.3) if uniform or not pairs else WEIGHTS.reshape(-1)[: len(pairs)]
    weight = -0.3 if uniform or not pairs else weights
    found, reached = brought(Projection("in", "out", connectivity=Pairs(pre, post), weight=weight), fired, ((6,), (7,)))
    wanted = np.zeros(7)
    for source in fired:
        for k in range(len(pairs)):
            wanted[post[k]] += weights[k] * (pre[k] == source)
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    assert reached == sum(int(np.sum(pre == source)) for source in fired)


@pytest.mark.parametrize(("size", "padding"), [(1, 0), (3, 0), (3, 1), (2, 1), (4, 2)])
def test_convolutions_are_correlations_of_padded_maps(size: int, padding: int) -> None:
    rng = np.random.default_rng(size)
    shape, kernel = (5, 4, 2), Kernel(channels=3, size=size, padding=padding, pool="none")
    after, weights = kernel.pooled(shape), rng.normal(size=(size, size, 2, 3))
    image = rng.integers(0, 3, shape)
    fired = np.repeat(np.arange(image.size), image.reshape(-1))
    found, reached = brought(Projection("in", "out", kernel=kernel, weight=weights), fired.tolist(), (shape, after))
    wide = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    wanted, inside = np.zeros(after), np.pad(np.ones(shape), ((padding, padding), (padding, padding), (0, 0)))
    events = 0
    for y, x in np.ndindex(*after[:2]):
        window = wide[y : y + size, x : x + size]
        wanted[y, x] = np.einsum("abc,abcm->m", window, weights)
        events += int((window * inside[y : y + size, x : x + size]).sum()) * 3
    np.testing.assert_allclose(found.reshape(after), wanted, atol=1e-12)
    assert reached == events


@pytest.mark.parametrize("kind", [np.uint16, np.uint32])
def test_scattering_takes_targets_of_both_widths(kind: type) -> None:
    targets, out = np.array([3, 0, 3], kind), np.zeros(5)
    scatter(out, targets, np.array([1.0, 2.0, 4.0]))
    scatter_one(out, targets, 0.5)
    assert out.tolist() == [2.5, 0, 0, 6.0, 0]


def test_a_corner_of_a_map_reaches_only_the_kernels_over_it() -> None:
    row = np.zeros(layout.OUT_WIDTH + 1, np.int64)
    row[layout.HEIGHT : layout.OUT_WIDTH + 1] = [3, 3, 1, 3, 1, 1, 3, 3]  # 3 x 3 maps of one channel, padded
    out = np.zeros(9)
    assert convolve(out, row, np.arange(9.0), 0) == 4
    assert out.reshape(3, 3).tolist() == [[4, 3, 0], [1, 0, 0], [0, 0, 0]]


def test_more_than_two_bytes_of_targets() -> None:
    """Layers beyond 65,536 neurons are addressed with four bytes."""
    layers = (Layer("in", 2, "source"), Layer("out", 70_000, "lif", INTEGRATOR))
    far = Projection("in", "out", connectivity=FixedProbability(probability=0.001), weight=1.0)
    near = Projection("in", "out", connectivity=Pairs(np.array([1]), np.array([69_999])), weight=0.5, label="one")
    volley = {"in": SpikeList(np.array([1e-3]), np.array([1]))}
    found = simulate(Network(layers, (far, near)), 2e-3, clock=Clocked(tick_s=1e-3), inputs=volley)
    part = found.parts[0].program
    assert part.narrow.size == 0
    row = part.projections[0]
    starts = part.starts[row[layout.STARTS] : row[layout.STARTS] + 3]
    assert (found.potentials()["out"] >= 1).nonzero()[0].tolist() == part.wide[starts[1] : starts[2]].tolist()
    assert found.potentials()["out"][69_999] % 1 == 0.5
