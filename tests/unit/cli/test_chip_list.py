"""``eqspike chips NAME``: everything that is known of one chip, as tables and as one document."""

from __future__ import annotations

import json

import pytest

from hw_models import load_chip


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


def test_a_priced_chip_shows_constants_limits_and_operating_points(invoke):
    said = invoke("chips", "odin").stdout
    for words in (
        "8.43 pJ",
        "1.78 uW/MHz",
        "fan_in",
        "256",
        "wall",
        "477 µW",
        "0.0 %",
        "doi:10.1109/TBCAS.2018.2880425",
    ):
        assert words in said
    assert "not modelled" in said


def test_a_chip_says_what_it_refuses(invoke):
    assert load_chip("loihi2").unpriced.split(";")[0] in invoke("chips", "loihi2").stdout
    said = invoke("chips", "truenorth").stdout
    assert "does not learn on chip" in said and "by construction" in said
    assert "regression to a board" in invoke("chips", "loihi").stdout


def test_one_document(invoke):
    found = json.loads(invoke("chips", "loihi", "--json").stdout)["chip"]
    assert found["constants"]["synaptic_operation"]["value"] == 23.6
    assert found["limits"]["axons_in_per_core"] == {
        "value": 4096,
        "kind": "wall",
        "source": "Davies et al. 2018, doi:10.1109/MM.2018.112130359",
    }
    assert found["limits"]["mesh"] == [8, 4] and found["variants"] == {"board": "regression to a board"}
    assert [point["independent"] for point in found["operating_points"]] == [True, True, False]
    assert found["operating_points"][0]["residual"] == pytest.approx(0.146, abs=0.001)


def test_a_chip_of_ones_own(invoke, tmp_path):
    from importlib.resources import files

    text = (files("hw_models.chips") / "presets" / "odin.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(
        text.replace('name = "odin"', 'name = "mine"')
        .replace("value = 8.43", "value = 9\nlow = 9", 1)
        .replace("low = 8.43\nhigh = 8.43", "high = 9", 1),
        encoding="utf-8",
    )
    found = json.loads(invoke("chips", str(path), "--json").stdout)["chip"]
    assert found["name"] == "mine"
    # 27.3 uW + 1.78 uW/MHz x 75 MHz + 9 pJ x 37.5e6 a second, against 477 uW.
    assert found["operating_points"][0]["residual"] == pytest.approx((27.3 + 133.5 + 337.5) / 477 - 1)


def test_an_unknown_chip_is_a_mistake(invoke):
    result = invoke("chips", "lohi")
    assert result.exit_code == 2 and "Did you mean 'loihi'?" in result.stderr


def test_the_energy_of_an_event_as_a_figure(invoke, tmp_path):
    drawn = tmp_path / "curve.png"
    assert invoke("chips", "truenorth", "--figure", str(drawn)).exit_code == 0
    assert drawn.read_bytes().startswith(b"\x89PNG")
    again = invoke("chips", "truenorth", "--figure", str(drawn))
    assert again.exit_code == 2 and "--force" in again.stderr
    for arguments in (["gpu-a100"], []):
        refused = invoke("chips", *arguments, "--figure", str(tmp_path / "other.png"))
        assert refused.exit_code == 2 and "--figure" in refused.stderr
