"""``eqspike calibrate``: a complete chip file with fitted constants, never over another."""

from __future__ import annotations

import json

import numpy as np
import pytest

KNOWN = 'low = 0, high = 100, includes = "x", source = "a paper", year = 2019'
CHIP = f"""
schema = 1
name = "bench"
title = "t"
description = "d"
device = "digital"
node_nm = 28
not_modelled = ["nothing"]
parts = {{ static = "leakage", dynamic = "events", periphery = "none" }}
transposition = {{ policy = "crossbar", reason = "r" }}
free = {{ spikes = "none", neuron_updates = "none" }}
[constants]
leak = {{ value = 1, unit = "uW", evidence = "unstated", {KNOWN} }}
event = {{ value = 1, unit = "pJ", evidence = "unstated", {KNOWN} }}
[[static]]
component = "leakage"
price = "leak"
[[actions.synaptic_events]]
component = "synapse"
price = "event"
"""
FIT = ("calibrate", "chip.toml", "--measured", "bench.csv", "--out", "fitted.toml")


@pytest.fixture
def files(tmp_path):
    (tmp_path / "chip.toml").write_text(CHIP)
    draw = np.random.default_rng(1)
    lines = ["seconds,joules,synaptic_events"]
    for _ in range(12):
        seconds, events = draw.uniform(1, 10), int(draw.uniform(1e6, 1e8))
        joules = (30e-6 * seconds + 8e-12 * events) * (1 + 0.01 * draw.normal())
        lines.append(f"{seconds},{joules},{events}")
    (tmp_path / "bench.csv").write_text("\n".join(lines))
    (tmp_path / "alike.csv").write_text("seconds,joules,synaptic_events\n1,1,1\n2,2,2\n3,3,3\n")
    (tmp_path / "few.csv").write_text("seconds,joules,synaptic_events\n1,1,1\n2,2,1\n")
    (tmp_path / "counts.csv").write_text(
        "phase,entity,counter,count\n,run,schema,1\n,run,tick_s,1e-3\n,a,neurons,1\n,b,neurons,1\n"
        ",a->b,synapses,1\n,a->b,weight_bits,8\ngo,run,presentations,1\ngo,run,ticks,1000\n"
        "go,a->b,synaptic_events_forward,1000000\n"
    )


def test_unknown_constants_are_fitted_and_the_file_prices(invoke, files):
    refused = invoke("energy", "--counts", "counts.csv", "--chip", "chip.toml")
    assert refused.exit_code == 2 and "unstated" in refused.stderr
    result = invoke(*FIT, "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    leak, event = said["constants"]
    assert leak["low"] < 30 < leak["high"] and event["low"] < 8 < event["high"]
    assert leak["correlation"]["event"] < 0 and said["degrees_of_freedom"] == 10
    priced = invoke("energy", "--counts", "counts.csv", "--chip", "fitted.toml", "--json")
    total = json.loads(priced.stdout)["total_j"]
    assert total["value"] == pytest.approx(leak["value"] * 1e-6 + event["value"] * 1e-6)
    assert total["low"] == pytest.approx(leak["low"] * 1e-6 + event["low"] * 1e-6)


def test_constants_by_name_as_a_table(invoke, files):
    result = invoke(*FIT, "--fit", "leak, event")
    assert result.exit_code == 0, result.stderr
    for words in ("leak", "95 % interval", "r with event", "12, 10 degrees of freedom", "fitted.toml"):
        assert words in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("calibrate", "nowhere.toml", *FIT[2:]), ("nowhere.toml",)),
        (("calibrate", "generic-45nm", *FIT[2:]), ("CHIP.toml:", ".toml file")),
        ((*FIT[:3], "nowhere.csv", *FIT[4:]), ("nowhere.csv",)),
        ((*FIT[:3], "counts.csv", *FIT[4:]), ("counts.csv", "'phase'", "seconds")),
        ((*FIT[:3], "alike.csv", *FIT[4:]), ("leak and event", "cannot be told apart")),
        ((*FIT[:3], "few.csv", *FIT[4:]), ("2 measurements", "at least 3")),
        ((*FIT[:5], "chip.toml"), ("chip.toml:", "exists already")),
        ((*FIT[:5], "fitted.txt"), ("--out:", ".toml file")),
        ((*FIT, "--fit", "leek"), ("'leek'", "leak, event")),
        ((*FIT, "--fit", ","), ("--fit", "leak, event")),
        ((*FIT, "--fit", "leak"), ("constants.event", "unstated")),
    ],
)
def test_mistakes_end_in_one_message(invoke, files, tmp_path, arguments, words):
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == "" and len(result.stderr.splitlines()) == 1 and result.stderr.startswith("error: ")
    assert all(word in result.stderr for word in words), result.stderr
    assert not (tmp_path / "fitted.toml").exists() and (tmp_path / "chip.toml").read_text() == CHIP
