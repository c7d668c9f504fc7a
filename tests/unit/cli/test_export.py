"""``eqspike export``: every format from a network, NeuroBench from a run, and mistakes with exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eqspike.cli.app import app
from eqspike.training.api import train

NETWORK = """
name = "1 small net"
duration_s = 0.02
clock = { kind = "clocked", tick_s = 1e-3 }
[[layers]]
name = "in"
size = 5
poisson = { rate_hz = 100.0 }
[[layers]]
name = "h"
size = 4
neuron = { tau_membrane_s = 20e-3 }
[[projections]]
pre = "in"
post = "h"
connectivity = { kind = "one-to-one" }
weight = 0.7
"""


@pytest.fixture
def network(tmp_path: Path) -> str:
    (tmp_path / "net.toml").write_text(NETWORK.replace("size = 4", "size = 5"))
    return str(tmp_path / "net.toml")


def export(*words: str):
    return CliRunner().invoke(app, ["export", *words])


def test_a_network_in_every_format(network: str, tmp_path: Path) -> None:
    pytest.importorskip("nir")
    folder = tmp_path / "sana"
    done = export(network, "--to", "sana-fe", "--out", str(folder), "--chip", "loihi", "--json")
    assert done.exit_code == 0, done.stderr
    names = ["architecture.yaml", "network.yaml", "perf.csv"]
    assert json.loads(done.stdout) == {
        "source": network, "format": "sana-fe", "files": [str(folder / name) for name in names],
    }  # fmt: skip
    assert json.loads((folder / "network.yaml").read_text())["network"]["name"] == "n1_small_net"
    assert len((folder / "perf.csv").read_text().splitlines()) == 21
    done = export(network, "--to", "neurobench", "--out", str(tmp_path / "m.json"), "--duration", "0.01")
    metrics = json.loads((tmp_path / "m.json").read_text())["phases"]["inference"]
    assert done.stdout.split() == ["wrote", str(tmp_path / "m.json")]
    assert metrics["connection_sparsity"] == 0.8 and metrics["membrane_updates"] == 50
    assert export(network, "--to", "nir", "--out", str(tmp_path / "m.nir")).exit_code == 0
    from eqspike.bridges.nir import from_nir

    assert from_nir(tmp_path / "m.nir").tick_s == 1e-3


def test_a_run_in_neurobenchs_words_and_as_a_graph(tmp_path: Path) -> None:
    pytest.importorskip("nir")
    few = {"training__epochs": 1, "data__train_limit": 40, "data__test_limit": 20}
    train("eqspike-digits", out=tmp_path / "a.h5", network__hidden=[10], **few)
    done = export(str(tmp_path / "a.h5"), "--to", "neurobench", "--out", str(tmp_path / "m.json"))
    assert done.exit_code == 0, done.stderr
    phases = json.loads((tmp_path / "m.json").read_text())["phases"]
    assert set(phases) == {"free", "nudged", "inference"}
    operations = phases["inference"]["synaptic_operations"]
    assert 0 < operations["Effective_MACs"] + operations["Effective_ACs"] < operations["Dense"]
    refused = export(str(tmp_path / "a.h5"), "--to", "sana-fe", "--out", str(tmp_path / "x"))
    assert refused.exit_code == 2 and "to neurobench, nir" in refused.stderr
    assert export(str(tmp_path / "a.h5"), "--to", "nir", "--out", str(tmp_path / "a.nir")).exit_code == 0
    from eqspike.bridges.nir import from_nir

    assert from_nir(tmp_path / "a.nir").network.layer("hidden").neuron.reset == "soft"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere", "--to", "nir"), "no network 'nowhere'"),
        (("cuba-4k", "--to", "sana-fe", "--set", "layers.0.size=3", "--duration", "0"), "duration_s"),
        (("brunel-1k", "--to", "sana-fe", "--duration", "0.001"), "refractory"),
        (("brunel-1k", "--to", "warp"), "warp"),
    ],
)
def test_mistakes_are_explained(words: tuple, said: str, tmp_path: Path) -> None:
    done = export(*words, "--out", str(tmp_path / "out"))
    assert done.exit_code == 2 and said in done.stderr
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


def test_what_exists_is_not_replaced_unless_told_to(network: str, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text("mine")
    words = (network, "--to", "neurobench", "--out", str(tmp_path / "m.json"))
    assert export(*words).exit_code == 2 and (tmp_path / "m.json").read_text() == "mine"
    assert export(*words, "--force").exit_code == 0 and (tmp_path / "m.json").read_text() != "mine"
