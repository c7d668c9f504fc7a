"""The benchmark beside SANA-FE: the same prices, the same spikes, and what it says without the peer."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from eqspike.bench import hardware, sanafe_peers
from eqspike.core.errors import ConfigError
from hw_models import price
from hw_models.exchange.graph import GraphPlacement
from hw_models.exchange.performance import EventPrices, performance

PEER = os.environ.get(hardware.PEER_VARIABLE)
# SANA-FE 2.2.9's own loihi.yaml: synapse, soma access + update, soma spike, axon out, hop east or west.
PRICES = EventPrices(35.5e-12, 51.2e-12 + 21.6e-12, 69.3e-12, 111e-12, 3.0e-12)


@pytest.fixture(scope="module")
def simulation():
    return hardware.compared()


def trace(graph) -> list[list[str]]:
    return [
        [f"{group.name}.{neuron}", str(tick + 1 - hardware.EARLIER[group.name])]
        for group in graph.groups
        for tick, neuron in zip(*(values.tolist() for values in group.spikes), strict=True)
    ]


def test_the_chip_file_holds_the_peers_prices(simulation) -> None:
    graph = hardware.placed(simulation)
    rows = performance(graph, hardware.TICKS, 1e-3, PRICES)
    report = price(hardware.as_the_peer_counts(simulation), hardware.peer_chip(), placement=GraphPlacement(graph))
    assert report.energy().value == pytest.approx(rows["total_energy"].sum(), rel=1e-12)
    assert rows["hops"].sum() > 0 and report.energy(part="static").value == 0


def test_every_layer_fires_and_falls_still_before_the_end(simulation) -> None:
    for name, spikes in simulation.spikes.items():
        assert len(spikes.t) > 0, name
        assert spikes.t.max() <= (hardware.TICKS - 1) * 1e-3


def test_without_the_peer_it_says_so(monkeypatch) -> None:
    monkeypatch.setattr(sanafe_peers, "measure", lambda *_, **__: None)
    found = list(hardware.against_sanafe(1))
    assert all(m.peer is None for m in found) and found[-1].note.startswith("not compared")
    assert hardware.PEER_VARIABLE in found[-1].note


def test_other_spikes_or_joules_are_no_comparison(simulation, monkeypatch) -> None:
    graph = hardware.placed(simulation)
    hardware._require_same_spikes(graph, trace(graph))
    with pytest.raises(ConfigError, match="1 spikes are not the same"):
        hardware._require_same_spikes(graph, trace(graph)[1:])
    report = {"energy": {"total": 1.0}, "version": "0", "seconds": 1.0, "spike_trace": trace(graph)}
    monkeypatch.setattr(sanafe_peers, "measure", lambda *_, **__: report)
    with pytest.raises(ConfigError, match="apart"):
        list(hardware.measure(1))


def test_a_peer_that_fails_is_quoted(tmp_path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no such unit' >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(ConfigError, match="no such unit"):
        sanafe_peers.measure("{}", 1, python=str(broken))
    missing = tmp_path / "missing"
    missing.write_text("#!/bin/sh\nexit 3\n")
    missing.chmod(0o755)
    assert sanafe_peers.measure("{}", 1, python=str(missing)) is None


@pytest.mark.skipif(PEER is None, reason="needs a Python with sanafe, named in EQSPIKE_SANAFE_PYTHON")
def test_sanafe_says_the_same_energy() -> None:
    found = {m.workload: m for m in hardware.measure(1)}
    energy = next(m for name, m in found.items() if name.endswith("energy"))
    assert energy.ours == pytest.approx(energy.peer_value, rel=hardware.AGREEMENT)
    assert replace(energy, note="").peer.startswith("SANA-FE")
