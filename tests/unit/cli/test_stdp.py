"""eqspike stdp: rules by name, protocols, the user's own measurements, and what does not go together."""

from __future__ import annotations

import json

import pytest

TABLES = {
    "pair": "difference_ms,change,error\n10,0.25,0.05\n-10,-0.17,0.05\n",
    "ramp": "difference_ms,change\n10,0.25\n-10,-0.17\n",
    "frequency": "rate_hz,difference_ms,change\n10,10,0.14\n20,-10,-0.34\n",
    "triplet": "first_ms,second_ms,change\n5,-5,-0.01\n-5,5,0.33\n-7,9,0.1\n",
}


@pytest.mark.parametrize(
    ("rule", "protocol"),
    [("pair-stdp", "pair"), ("triplet-stdp", "frequency"), ("triplet-stdp", "triplet"), ("pair-stdp", "ramp")],
)
def test_a_rule_beside_measurements(invoke, tmp_path, rule: str, protocol: str) -> None:
    (tmp_path / "mine.csv").write_text(TABLES[protocol])
    result = invoke("stdp", "--rule", rule, "--protocol", protocol, "--data", "mine.csv", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["protocol"] == {"ramp": "rate_ramp"}.get(protocol, protocol)
    assert found["measured"]["data"] == "mine.csv"
    assert len(found["measured"]["predicted"]) == TABLES[protocol].count("\n") - 1
    assert (tmp_path / f"stdp-{protocol}.png").stat().st_size > 10_000


@pytest.mark.kernels
def test_eqspike_of_a_recipe_with_weights_of_its_own(invoke, tmp_path) -> None:
    (tmp_path / "mine.csv").write_text(TABLES["pair"])
    arguments = ("stdp", "--rule", "tiny.toml", "--protocol", "pair", "--pairs", 3, "--tick-s", 1e-3)
    found = [
        json.loads(invoke(*arguments, "--weights", kind, "--data", "mine.csv", "--json").stdout)
        for kind in ("symmetric", "asymmetric")
    ]
    assert [one["parameters"]["weights"] for one in found] == ["symmetric", "asymmetric"]
    assert found[0]["parameters"]["rule"]["tau_ticks"] == 5
    assert found[0]["unit"] == "η/β"
    late = [
        max(abs(change) for dt, change in zip(line["difference_s"], line["change"], strict=True) if 0 < dt < 0.04)
        for line in (one["series"][0] for one in found)
    ]
    assert late[0] > 1e-3
    assert late[1] < 1e-30, "what is left of the pair before"
    shown = invoke(*arguments, "--data", "mine.csv")
    assert "best factor on the rule" in shown.stdout and "drawn with it" in shown.stdout


def test_a_parameter_of_the_rule_is_set(invoke) -> None:
    arguments = ("stdp", "--rule", "pair-stdp", "--protocol", "pair", "--set", "tau_plus=0.005", "--json")
    assert json.loads(invoke(*arguments).stdout)["parameters"]["rule"]["tau_plus"] == 0.005


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--rule", "pair-sdtp"), ("--rule:", "pair-stdp")),
        (("--rule", "pair-stdp", "--set", "tau=1"), ("tau", "tau_plus")),
        (("--rule", "pair-stdp", "--weights", "asymmetric"), ("weights", "PairSTDP")),
        (("--pairs", "5"), ("--pairs:", "ramp")),
        (("--tick-s", "0"), ("tick_s", "greater than 0")),
        (("--tick-s", "0", "--protocol", "pair"), ("tick_s", "greater than 0")),
        (("--rule", "eqspike-digits", "--protocol", "pair"), ("tick_s", "--tick-s")),
        (("--protocol", "triplet", "--data", "none.csv"), ("none.csv", "cannot be read")),
        (("--protocol", "triplet", "--data", "tiny.toml"), ("tiny.toml: first_s", "no such column")),
    ],
)
def test_what_cannot_be_asked_is_named(invoke, tmp_path, arguments, words) -> None:
    result = invoke("stdp", *arguments)
    assert result.exit_code == 2
    assert all(word in result.stderr for word in words), result.stderr
    assert not list(tmp_path.glob("*.png"))
