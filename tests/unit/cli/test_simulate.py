"""``eqspike simulate``: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
import signal

import numpy as np
import pytest

from eqspike.substrates.spiking.clocked_simulation import ClockedSimulation

NETWORK = """
name = "pair"
duration_s = 0.02

[[layers]]
name = "in"
size = 2
spikes = { times_s = [1e-3, 2e-3, 2e-3], neurons = [0, 0, 1] }

[[layers]]
name = "out"
size = 2
neuron = { tau_membrane_s = 10e-3 }

[[projections]]
pre = "in"
post = "out"
connectivity = { kind = "one-to-one" }
weight = 2.0
delay_s = 3e-3
plastic = true

[rule]
name = "pair-stdp"
A_plus = 0.25
tau_plus = 1.0
"""
PAIR = ("simulate", "pair.toml", "--chip", "generic-45nm")


@pytest.fixture
def invoke(invoke, tmp_path):
    (tmp_path / "pair.toml").write_text(NETWORK)
    return invoke


def test_one_document_says_what_happened(invoke):
    result = invoke(*PAIR, "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["layers"]["in"]["spikes"] == 3 and said["layers"]["out"]["spikes"] == 3
    assert said["layers"]["out"]["rate_hz"] == pytest.approx(3 / (2 * 0.02))
    assert said["synaptic_events"] == 3 and said["outcome"] == "completed" and said["time_s"] == pytest.approx(0.02)
    assert said["energy_j"]["low"] < said["energy_j"]["value"] < said["energy_j"]["high"]


def test_spikes_and_learnt_weights_are_written(invoke, tmp_path):
    result = invoke(*PAIR, "--out", "found.npz", "--figure", "spikes.png")
    assert result.exit_code == 0, result.stderr
    with np.load(tmp_path / "found.npz") as found:
        np.testing.assert_allclose(found["spikes/out/t"], [4.1e-3, 5.1e-3, 5.1e-3], rtol=1e-6)
        assert found["spikes/out/i"].tolist() == [0, 0, 1]
        assert (found["weights/in->out"] > 2).all(), "each spike made its neuron fire"
        assert json.loads(str(found["spec"]))["projections"][0]["delay_s"] == 3e-3
    assert (tmp_path / "spikes.png").read_bytes().startswith(b"\x89PNG")
    again = invoke(*PAIR, "--out", "found.npz")
    assert again.exit_code == 2 and "exists already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("simulate", "brunel-1"), ("network:", "Did you mean 'brunel-1k'?")),
        (("simulate", "nowhere.toml"), ("nowhere.toml:", "Check the path")),
        (("simulate", "tiny.toml"), ("tiny.toml:", "layers")),
        ((*PAIR, "--clock", "sundial"), ("clock.kind:", "there is no 'sundial'", "exact")),
        ((*PAIR, "--duration", "-1"), ("duration_s:", "greater than 0")),
        ((*PAIR, "--set", "layers.1.neuron.tau_s=1"), ("layers.1.neuron.tau_s", "no such setting")),
        ((*PAIR, "--set", "projections.0.delay_s=1e-5"), ("in->out.delay_s:", "shorter than a tick")),
        ((*PAIR, "--set", "layers.0.size=3"), ("in->out.connectivity:", "one size")),
        ((*PAIR, "--out", "found.h5"), ("found.h5:", ".npz")),
        ((*PAIR, "--chip", "nosuch"), ("chip:",)),
    ],
)
def test_mistakes_end_in_one_message(invoke, tmp_path, arguments, words):
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert all(word in result.stderr for word in words), result.stderr
    assert "Traceback" not in result.stderr and result.stderr.splitlines()[-1].startswith("error: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pair.toml", "tiny.toml"]


def test_a_signal_ends_it_early_and_keeps_what_there_is(invoke, tmp_path, monkeypatch):
    run = ClockedSimulation.run

    def stopped(self, duration_s):
        signal.raise_signal(signal.SIGTERM)
        return run(self, duration_s)

    monkeypatch.setattr(ClockedSimulation, "run", stopped)
    result = invoke(*PAIR, "--out", "found.npz")
    assert result.exit_code == 130 and "SIGTERM" in result.stderr
    with np.load(tmp_path / "found.npz") as found:
        assert json.loads(str(found["results"]))["time_s"] == pytest.approx(0.02 / 50)


def test_the_shipped_networks_are_listed(invoke):
    listed = json.loads(invoke("simulate", "--list", "--json").stdout)["networks"]
    assert {"brunel-1k", "brunel-10k", "cuba-4k"} <= {each["name"] for each in listed}
