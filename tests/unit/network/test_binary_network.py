"""Networks of binary weights: layers, what a weight is stored in, pools that drop what is left over."""

from __future__ import annotations

import pytest

from eqspike.core.errors import ConfigError
from eqspike.network.description import PooledKernel
from eqspike.network.layered import layered_binary


@pytest.mark.parametrize("activation", ["real", "binary"])
def test_a_dense_chain(activation: str) -> None:
    network = layered_binary((4, 5), [7, 6], 30, activation)
    assert [(layer.name, layer.size, layer.kind, layer.activation) for layer in network.layers] == [
        ("input", 20, "static", ""),
        ("hidden1", 7, "rate", activation),
        ("hidden2", 6, "rate", activation),
        ("output", 30, "rate", activation),
    ]
    assert [p.symmetric for p in network.projections] == [False, True, True]
    assert all(p.weight_bits == 1 and p.accumulates and not p.separate for p in network.projections)
    assert [network.stored(p) for p in network.projections] == [(20, 7), (7, 6), (6, 30)]
    single = layered_binary((4,), [3], 2, activation)
    assert [layer.name for layer in single.layers] == ["input", "hidden", "output"]


def test_convolutions_and_their_maps() -> None:
    hidden = [PooledKernel(channels=4), PooledKernel(channels=6, size=2, padding=0, pool_size=3), 5]
    network = layered_binary((9, 11, 3), hidden, 20, "real")
    assert [layer.shape for layer in network.layers] == [(9, 11, 3), (4, 5, 4), (1, 1, 6), (5,), (20,)]
    assert [network.stored(p) for p in network.projections] == [(3, 3, 3, 4), (2, 2, 4, 6), (6, 5), (5, 20)]
    assert [layer.biases for layer in network.layers[1:]] == [4, 6, 5, 20]
    plain = layered_binary((5, 4), [PooledKernel(channels=2, pool="none", pool_size=4)], 3, "real")
    assert plain.layers[1].shape == (5, 4, 2)


@pytest.mark.parametrize(
    ("settings", "field"),
    [({"channels": 1, "pool_size": 1}, "pool_size"), ({"channels": 1, "pool_size": 17}, "pool_size"),
     ({"channels": 1, "pool": "average"}, "pool"), ({}, "channels")],
)  # fmt: skip
def test_kernel_fields_are_named(settings: dict, field: str) -> None:
    with pytest.raises(ConfigError) as error:
        PooledKernel.parse(settings)
    assert error.value.field == field
