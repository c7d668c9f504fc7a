from __future__ import annotations

import pytest

from eqspike.cli.settings import changes_from, free_path, free_run_file, parse_value
from eqspike.core.errors import ConfigError


@pytest.mark.parametrize(
    "text, value",
    [
        ("5", 5),
        ("1e-3", 1e-3),
        ("true", True),
        ("[200, 100]", [200, 100]),
        ('"mnist"', "mnist"),
        ("mnist", "mnist"),
        ("/a/b c.npz", "/a/b c.npz"),
        ("{gain = 2}", {"gain": 2}),
        ("2026-01-01", "2026-01-01"),
        ("", ""),
        ("1\nseed = 2", "1\nseed = 2"),
        ("1 # one", 1),
        ("a=b", "a=b"),
    ],
)
def test_values_are_toml_or_else_text(text, value):
    parsed = parse_value(text)
    assert parsed == value
    assert type(parsed) is type(value)


def test_shorthands_join_the_settings():
    changes = changes_from(["rule.beta = 2", "data.scale=a=b"], dataset="digits", epochs=0, seed=0)
    assert changes == {
        "rule.beta": 2,
        "data.scale": "a=b",
        "data.name": "digits",
        "training.epochs": 0,
        "seed": 0,
    }
    assert changes_from([]) == {}


@pytest.mark.parametrize("pair", ["seed", "=1", " = 1"])
def test_a_pair_needs_a_key_and_a_value(pair):
    with pytest.raises(ConfigError, match="is not key=value"):
        changes_from([pair])


def test_nothing_is_given_twice():
    with pytest.raises(ConfigError, match="given twice"):
        changes_from(["seed=1", "seed=1"])


def test_free_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = tmp_path / "a.b.png"
    assert free_path(first) == first
    first.touch()
    (tmp_path / "a.b-2.png").touch()
    assert free_path(first) == tmp_path / "a.b-3.png"
    assert str(free_run_file("../my run", 1)) == "runs/-my-run-seed1.h5"
