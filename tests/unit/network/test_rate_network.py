"""Networks of real-valued states: layers, convolutions and which projections act backwards."""

from __future__ import annotations

import pytest

from eqspike.core.errors import ConfigError
from eqspike.network.description import Kernel
from eqspike.network.layered import layered_rate

RATE = ("tanh", "identity")


def test_a_dense_chain() -> None:
    network = layered_rate((4, 5), [7, 6], 3, RATE)
    assert [(layer.name, layer.size, layer.kind) for layer in network.layers] == [
        ("input", 20, "static"),
        ("hidden1", 7, "rate"),
        ("hidden2", 6, "rate"),
        ("output", 3, "rate"),
    ]
    assert [layer.activation for layer in network.layers] == ["", "tanh", "tanh", "identity"]
    assert network.layers[0].shape == (4, 5, 1)
    assert [p.symmetric for p in network.projections] == [False, True, True]
    assert all(p.accumulates and not p.read_out for p in network.projections)
    assert [network.stored(p) for p in network.projections] == [(20, 7), (7, 6), (6, 3)]
    assert network.synapses == 20 * 7 + 7 * 6 + 6 * 3
    assert [layer.biases for layer in network.layers[1:]] == [7, 6, 3]


def test_convolutions_and_their_maps() -> None:
    hidden = [Kernel(channels=4), Kernel(channels=6, size=2, padding=0, pool="none"), 5]
    network = layered_rate((7, 9, 3), hidden, 2, RATE)
    assert [layer.shape for layer in network.layers] == [(7, 9, 3), (3, 4, 4), (2, 3, 6), (5,), (2,)]
    assert [network.stored(p) for p in network.projections] == [(3, 3, 3, 4), (2, 2, 4, 6), (36, 5), (5, 2)]
    assert [layer.biases for layer in network.layers[1:]] == [4, 6, 5, 2]
    assert network.synapses == 3 * 3 * 3 * 4 + 2 * 2 * 4 * 6 + 36 * 5 + 5 * 2


def test_separate_ways_a_read_out_and_immediate_updates() -> None:
    separate = layered_rate((4,), [3, 3], 2, RATE, tied=False, accumulates=False)
    assert not any(p.symmetric or p.accumulates for p in separate.projections)
    read_out = layered_rate((4,), [3, 3], 2, RATE, softmax=True).projections
    assert [(p.symmetric, p.read_out) for p in read_out] == [(False, False), (True, False), (False, True)]
    assert [layer.name for layer in layered_rate((4,), [3], 2, RATE).layers] == ["input", "hidden", "output"]


@pytest.mark.parametrize(
    ("shape", "hidden", "said"),
    [
        ((12,), [Kernel(channels=2)], "needs \\(height, width, channels\\)"),
        ((4, 4), [5, Kernel(channels=2)], "needs \\(height, width, channels\\)"),
        ((4, 4), [Kernel(channels=2), Kernel(channels=2), Kernel(channels=2)], "nothing is left of maps of 1 x 1"),
        ((2, 2), [Kernel(channels=2, size=3, padding=0, pool="none")], "nothing is left"),
    ],
)
def test_convolutions_without_room_are_refused(shape, hidden, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        layered_rate(shape, hidden, 2, RATE)
    assert error.value.field == "network.hidden"


@pytest.mark.parametrize(
    ("settings", "field"),
    [({"channels": 0}, "channels"), ({"channels": 1, "size": 0}, "size"), ({"channels": 1, "pool": "sum"}, "pool"),
     ({}, "channels"), ({"channels": 1, "stride": 2}, "stride")],
)  # fmt: skip
def test_kernel_fields_are_named(settings: dict, field: str) -> None:
    with pytest.raises(ConfigError) as error:
        Kernel.parse(settings)
    assert error.value.field == field
