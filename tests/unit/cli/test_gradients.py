"""``eqspike gradients`` as its user meets it."""

from __future__ import annotations

import json

import pytest

from eqspike.core.errors import ConfigError

SMALL = """
name = "small"
substrate = "hopfield"

[data]
name = "digits"
train_limit = 40
test_limit = 20

[network]
hidden = [6]
activation = "hard-sigmoid"
output_activation = "identity"

[dynamics]
update = "asynchronous"

[rule]
name = "ep"
nudging = "centered"

[optimiser]
learning_rates = [0.5, 0.5]

[training]
epochs = 1
"""
KEYS = {"rule", "reference", "betas", "relative_errors", "slope", "angle_degrees"}


@pytest.fixture
def small(invoke, tmp_path) -> str:
    (tmp_path / "small.toml").write_text(SMALL)
    return "small.toml"


def rows(result) -> list[dict]:
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert isinstance(found, list)
    return found


def test_json_is_a_bare_list_and_draws_nothing_unasked(invoke, small, tmp_path):
    found = rows(invoke("gradients", small, "--samples", 3, "--json"))
    assert all(set(row) >= KEYS for row in found)
    assert {row["reference"] for row in found} == {"implicit", "bptt", "finite-differences"}
    (own,) = (row for row in found if row["own"] and row["reference"] == "implicit")
    assert own["rule"] == "ep-centered" and own["samples"] == 3
    assert own["slope"] == pytest.approx(2, abs=0.02)
    assert not list(tmp_path.glob("*.png"))
    rows(invoke("gradients", small, "--samples", 3, "--json", "--out", "asked.png"))
    assert (tmp_path / "asked.png").stat().st_size > 10_000


def test_a_table_and_a_figure(invoke, small, tmp_path):
    result = invoke("gradients", small, "--samples", 3)
    assert result.exit_code == 0, result.stderr
    (line,) = (line for line in result.stdout.splitlines() if line.strip().startswith("ep-centered"))
    rule, theory, *slopes, _, angle = line.split()
    assert (rule, theory) == ("ep-centered", "2") and angle.endswith("°")
    assert [float(slope) for slope in slopes[:2]] == pytest.approx([2, 2], abs=0.02)
    assert "untrained" in result.stdout and "gradients-small.png" in result.stdout
    assert (tmp_path / "gradients-small.png").read_bytes().startswith(b"\x89PNG")
    assert invoke("gradients", small, "--samples", 3).exit_code == 0
    assert (tmp_path / "gradients-small-2.png").exists()


def test_a_run_file_is_compared_with_its_trained_weights(invoke, small, tmp_path):
    assert invoke("train", small, "--out", "run.h5").exit_code == 0
    before = (tmp_path / "run.h5").read_bytes()
    untrained, trained = (rows(invoke("gradients", name, "--samples", 3, "--json")) for name in (small, "run.h5"))
    assert [row["rule"] for row in untrained] == [row["rule"] for row in trained]
    assert untrained[0]["relative_error"] != pytest.approx(trained[0]["relative_error"], rel=0.01)
    assert trained[0]["slope"] == pytest.approx(2, abs=0.05)
    assert (tmp_path / "run.h5").read_bytes() == before


def test_another_data_set_may_be_given(invoke, small, tmp_path):
    import numpy as np

    images = np.random.default_rng(0).random((12, 8, 8))
    labels = np.arange(12) % 10
    np.savez(tmp_path / "own.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    choices = (("--dataset", "own.npz"), ())
    own, digits = (rows(invoke("gradients", small, "--samples", 3, "--json", *choice)) for choice in choices)
    assert own[0]["relative_error"] != digits[0]["relative_error"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tiny.toml",), "tiny: a spiking network has no smooth energy"),
        (("eqspike-digits", "--json"), "Name a recipe such as ep-512"),
        (("ep-51",), "no recipe 'ep-51'. Did you mean 'ep-512'?"),
        (("missing.h5",), "missing.h5: there is no such file"),
        (("small.toml", "--samples", 400), "samples: 400 is no number of samples"),
        (("small.toml", "--out", "small.toml", "--force"), "figures are not written as '.toml'"),
        (("small.toml", "--out", "tiny.toml"), "exists"),
    ],
)
def test_mistakes_are_told(invoke, small, arguments, said):
    result = invoke("gradients", *arguments)
    assert result.exit_code == ConfigError.exit_code == 2
    assert said in result.stderr and result.stdout == ""


def test_a_spiking_run_is_refused(invoke, run_file):
    result = invoke("gradients", run_file)
    assert result.exit_code == 2 and "eqspike stdp" in result.stderr
