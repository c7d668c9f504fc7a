"""What a recipe may say, and what is told to somebody who says something else."""

from __future__ import annotations

import pytest

from eqspike.core.errors import ConfigError
from eqspike.training.api import resolve
from eqspike.training.spec import with_settings
from eqspike.training.specs import parse_spec


def test_changes_reach_nested_groups_and_lists_and_leave_the_original_alone(tiny: dict) -> None:
    changed = with_settings(tiny, {"training.epochs": 5, "network.projections.1.gain": 2.0, "rule.beta": 0.5})
    assert changed["training"]["epochs"] == 5
    assert changed["network"]["projections"][1] == {"learning_rate": 0.01, "gain": 2.0}
    assert changed["rule"]["beta"] == 0.5
    assert tiny["training"]["epochs"] == 2 and "gain" not in tiny["network"]["projections"][1]


@pytest.mark.parametrize(
    ("key", "value", "field", "said"),
    [
        ("training.epoch", 3, "training.epoch", "Did you mean 'epochs'"),
        ("trainin.epochs", 3, "trainin", "Did you mean 'training'"),
        ("training.epochs", "many", "training.epochs", "integer"),
        ("training.epochs", -1, "training.epochs", "greater than or equal to 0"),
        ("rule.beta", 0, "rule.beta", "greater than 0"),
        ("rule.derivative", "magic", "rule.derivative", "slow_trace"),
        ("network.projections.7.gain", 1, "network.projections.7.gain", "Use 0 to 1"),
        ("network.projections.0.comit", "immediate", "network.projections.0.comit", "Did you mean 'commit'"),
        ("training.epochs.more", 1, "training.epochs.more", "not a group"),
        ("network.hidden", [8, 8], "network", "3 projections"),
        ("network.hidden", [0], "network", "1 to 1,000,000"),
        ("network.neuron.v_min", 2.0, "network.neuron", "v_min"),
        ("phases.readout_ticks", 13, "phases", "readout_ticks"),
        ("phases.nudged_ticks", 0, "", "nudged_ticks"),
        ("encoding.max_rate", 1.5, "encoding.max_rate", "less than or equal to 1"),
        ("tick_s", float("nan"), "tick_s", "finite"),
        ("seed", 2**63, "seed", "less than"),
        ("probes.spikes", True, "probes", "presentations"),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(tiny: dict, key: str, value: object, field: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(tiny, {key: value})
    assert caught.value.field == field
    assert said in str(caught.value)


def test_unknown_recipes_are_answered_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'eqspike-digits'"):
        resolve("eqspike-digit")


def test_a_recipe_file_that_is_no_toml_names_the_line(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("name = 'x'\nseed = = 3\n")
    with pytest.raises(ConfigError, match="line 2"):
        resolve(str(path))


def test_a_specification_survives_its_own_dump(tiny: dict) -> None:
    spec = resolve(tiny)
    assert parse_spec(spec.model_dump(mode="json", exclude_none=True)) == spec


def test_another_rule_by_its_name_drops_what_it_does_not_know() -> None:
    spec = resolve("ep-512", {"rule.name": "holomorphic", "rule.points": 2})
    assert spec.rule.model_dump() == {"name": "holomorphic", "beta": 0.1, "points": 2, "periods": 0}
    with pytest.raises(ConfigError, match=r"rule\.nudging: there is no such setting"):
        resolve("ep-512", {"rule.name": "holomorphic", "rule.nudging": "centered"})
    assert resolve("eqspike-digits", {"rule.name": "eqspike"}).rule.beta == resolve("eqspike-digits").rule.beta
