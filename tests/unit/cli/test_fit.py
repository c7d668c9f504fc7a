"""``eqspike fit``: the answer, the table of limits, the figure, and exit code 3."""

from __future__ import annotations

import json

import pytest


def test_what_fits_is_said_with_its_limits(invoke) -> None:
    result = invoke("fit", "eqspike-digits", "--chip", "odin", "--weight-bits", 3)
    assert result.exit_code == 0, result.stderr
    for said in ("fits odin", "neurons_per_core", "43.0%", "not re-evaluated", "binds first"):
        assert said in result.stdout, said


def test_the_document_holds_every_limit(invoke) -> None:
    result = invoke("fit", "eqspike-digits", "--chip", "odin", "--weight-bits", 3, "--json")
    document = json.loads(result.stdout)
    assert document["fits"] and document["placement"]["cores"] == 1 and document["walls"] == []
    limits = {one["name"]: one for one in document["limits"]}
    assert (limits["neurons_per_core"]["demand"], limits["neurons_per_core"]["limit"]) == (110, 256)
    assert limits["neurons_per_core"]["source"]
    assert document["synapse_bits"]["inference"] == 3 * (64 * 100 + 2 * 100 * 10 + 100 + 10), "weights, copies, biases"


def test_what_does_not_fit_ends_with_exit_code_3_and_what_would(invoke) -> None:
    result = invoke("fit", "eqspike-digits", "--chip", "odin")
    assert result.exit_code == 3
    assert "weight_bits" in result.stdout and "does not fit" in result.stdout
    assert "error: odin: weight_bits: input->hidden needs 32" in result.stderr
    assert "weight_bits <= 3" in result.stderr
    result = invoke("fit", "eqspike-digits", "--chip", "odin", "--json")
    assert result.exit_code == 3
    document = json.loads(result.stdout)
    assert not document["fits"] and document["placement"] is None
    assert document["walls"][0]["name"] == "weight_bits" and document["would_fit"] == ["weight_bits <= 3"]


def test_a_run_is_placed_with_its_spikes_and_drawn(invoke, run_file, tmp_path) -> None:
    drawn = tmp_path / "cores.png"
    result = invoke("fit", run_file, "--chip", "loihi", "--weight-bits", 8, "--figure", drawn)
    assert result.exit_code == 0, result.stderr
    assert "busiest queue" in result.stdout
    assert drawn.stat().st_size > 10_000
    again = invoke("fit", run_file, "--chip", "loihi", "--weight-bits", 8, "--figure", drawn)
    assert again.exit_code == 2 and "--force" in again.stderr


def test_how_weights_are_read_backwards_changes_the_memory(invoke) -> None:
    bits = {}
    for policy in ("duplicate", "column_walk"):
        result = invoke(
            "fit", "eqspike-digits", "--chip", "seneca", "--weight-bits", 16, "--transposition", policy, "--json"
        )
        assert result.exit_code == 0, result.stderr
        bits[policy] = json.loads(result.stdout)["synapse_bits"]["inference"]
    assert bits["duplicate"] - bits["column_walk"] == 100 * 10 * 16


def test_inference_alone_needs_no_accumulators(invoke, tmp_path) -> None:
    waiting = (tmp_path / "tiny.toml").read_text().replace("0.01", '0.01\ncommit = "end_of_phase"')
    (tmp_path / "waiting.toml").write_text(waiting)
    results = [invoke("fit", "waiting.toml", "--json", *option) for option in ((), ("--inference",))]
    documents = [json.loads(result.stdout) for result in results]
    assert documents[0]["synapse_bits"] == documents[1]["synapse_bits"], "both figures stand in either document"
    assert documents[0]["synapse_bits"]["training"] - documents[0]["synapse_bits"]["inference"] == 8 * 10 * 32


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "'nothing'"),
        (("eqspike-digits", "--chip", "nothing"), "nothing"),
        (("eqspike-digits", "--strategy", "best"), "'best'"),
        (("eqspike-digits", "--figure", "cores.txt"), "cores.txt"),
        (("missing.h5",), "missing.h5"),
        (("missing.toml",), "missing.toml"),
    ],
)
def test_mistakes_end_with_exit_code_2(invoke, arguments, said) -> None:
    result = invoke("fit", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
