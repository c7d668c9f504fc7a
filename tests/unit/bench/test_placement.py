"""The benchmark of placing: small versions of its networks."""

from __future__ import annotations

from itertools import pairwise

from eqspike.bench.placement import (
    bench_chip,
    layers_by_shape,
    local_network,
    measure_placement,
    measure_pricing,
    random_network,
)
from hw_models.mapping import place


def test_a_small_version_measures_every_network() -> None:
    found = list(measure_placement(repeats=1, neurons=900))
    assert [one.workload for one in found] == ["place-local-900", "place-random-900", "place-1000-layers"]
    assert all(one.ours > 0 and one.unit == "s" for one in found)


def test_local_synapses_stay_inside_cores_and_random_ones_do_not() -> None:
    chip = bench_chip()
    local, astray = (place(build(4900, 20), chip) for build in (local_network, random_network))
    assert local.intercore_spikes < 0.5 * astray.intercore_spikes
    assert layers_by_shape(5).shapes_only


def test_a_thousand_layers_are_priced_with_their_packets() -> None:
    (found,) = measure_pricing(repeats=1)
    sizes = [layer.neurons for layer in layers_by_shape().layers]
    events = sum(pre * post for pre, post in pairwise(sizes))
    assert found.workload == "price-1000-layers" and found.ours > 0
    assert f"{events:.3g} synaptic events" in found.note
