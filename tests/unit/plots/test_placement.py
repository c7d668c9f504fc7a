"""The figure of a placement: loads of links by hand, colours of cores, several chips."""

from __future__ import annotations

import numpy as np
import pytest
from reference.mapping import chip, clustered

from eqspike.core.errors import ConfigError, OutputError
from eqspike.plots.placement import draw, link_loads, save
from hw_models.mapping import Connection, GraphLayer, NetworkGraph, place


def test_a_spike_loads_every_link_on_its_way_once() -> None:
    graph = NetworkGraph(
        (GraphLayer("a", 1, spikes=5.0), GraphLayer("b", 1), GraphLayer("c", 1), GraphLayer("d", 1)),
        (Connection("a", "d"),),
    )
    placement = place(graph, chip(cores=4, neurons_per_core=1, mesh=(4, 1)), "contiguous")
    mesh = placement.mesh
    along, across = link_loads(placement, 4, 1)
    ends = sorted((int(mesh.x[placement.core["a"][0]]), int(mesh.x[placement.core["d"][0]])))
    assert along.tolist() == [[5.0 if ends[0] <= link < ends[1] else 0.0 for link in range(3)]]
    assert across.size == 0


def test_loads_over_all_links_are_the_hops() -> None:
    placement = place(clustered(300, 6), chip(cores=36, neurons_per_core=10, mesh=(6, 6)))
    along, across = link_loads(placement, 6, 6)
    assert along.sum() + across.sum() == pytest.approx(placement.hops)
    assert along.min() >= 0 and across.min() >= 0


@pytest.mark.parametrize("limits", [{"cores": 2, "neurons_per_core": 8, "mesh": (2, 1)}, {}])
def test_every_core_is_drawn_with_its_share(limits, tmp_path) -> None:
    placement = place(clustered(60, 3), chip(**limits), chips=9)
    figure = draw(placement, "a title")
    assert figure.axes[0].get_title(loc="left") == "a title"
    places = placement.mesh.x.tolist(), placement.mesh.y.tolist()
    table = figure.axes[0].collections[0].get_array()
    assert np.nanmax(table) == pytest.approx(1.0)
    assert np.isfinite(np.ma.filled(table, np.nan)).sum() == len(set(zip(*places, strict=True)))
    save(placement, tmp_path / "cores.svg")
    with pytest.raises(OutputError):
        save(placement, tmp_path / "cores.svg")


def test_a_mesh_that_no_figure_shows_is_refused() -> None:
    graph = NetworkGraph((GraphLayer("a", 4),), ())
    placement = place(graph, chip(cores=1, neurons_per_core=1, mesh=(300, 300)), "contiguous", chips=4)
    with pytest.raises(ConfigError, match="too many to draw"):
        draw(placement)
