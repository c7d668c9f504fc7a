"""``eqspike reproduce`` as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from eqspike.claims.table import BEGIN, END
from eqspike.cli.app import app


@pytest.fixture(autouse=True)
def in_the_checkout(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent.parent)
    monkeypatch.setenv("COLUMNS", "160")


def reproduce(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["reproduce", *arguments])


def test_a_claim_is_run_compared_and_listed(folder: Path) -> None:
    ran = reproduce("digits_learnt")
    assert ran.exit_code == 0, ran.output
    base, short = (line.split() for line in ran.stdout.splitlines() if line.startswith((" base", " short")))
    assert base[-1] == "met" and "50.00" in base and "(2" in base
    assert short[-3:] == ["of", "2", "seeds"] or short[-1] == "met"
    assert "experiments/digits_learnt/measured.json" in ran.stdout
    assert "base, seed 2 (2 of 3)" in ran.stderr
    listed = reproduce()
    assert listed.exit_code == 0 and "Digits are learnt" in listed.stdout and "met" in listed.stdout


def test_json_is_one_document_of_what_the_file_holds(folder: Path) -> None:
    ran = reproduce("digits_learnt", "--case", "short", "--json")
    document = json.loads(ran.stdout)
    assert document.pop("measured_file") == "experiments/digits_learnt/measured.json"
    assert document == json.loads((folder / "measured.json").read_text())
    listed = json.loads(reproduce("--json").stdout)
    assert listed["claims"][0]["cases"] == {"base": "not measured", "short": "not compared"}


def test_a_quick_run_says_that_it_compares_nothing() -> None:
    ran = reproduce("digits_learnt", "--quick")
    assert ran.exit_code == 0 and "nothing is compared with a target" in ran.stdout
    assert "met" not in ran.stdout.split() and "missed" not in ran.stdout.split()


def test_a_missed_target_is_a_result(folder: Path, claim_text: str) -> None:
    (folder / "claim.toml").write_text(claim_text.replace("at_least = 0.0", "at_least = 1.0"))
    ran = reproduce("digits_learnt", "--case", "base")
    assert ran.exit_code == 0 and "missed" in ran.stdout


def test_a_failed_run_is_told_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("eqspike.claims.measuring.api.train", failing)
    ran = reproduce("digits_learnt", "--case", "short")
    assert ran.exit_code == 1 and "short, seed 1: ValueError: a bug" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["digit_learnt"], "Did you mean 'digits_learnt'"),
        (["digits_learnt", "--case", "sort"], "Did you mean 'short'"),
        (["digits_learnt", "--seed", "7"], "7 is no seed of case 'base'"),
        (["--table"], "the claims table has no place here"),
    ],
)
def test_mistakes_end_with_one_message(arguments: list[str], said: str) -> None:
    ran = reproduce(*arguments)
    assert ran.exit_code == 2 and ran.stdout == ""
    assert said in ran.stderr and "Traceback" not in ran.stderr


def test_outside_a_checkout_the_remedy_is_told(tmp_path_factory: pytest.TempPathFactory, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    ran = reproduce("digits_learnt")
    assert ran.exit_code == 2 and "Run this in a checkout" in ran.stderr


def test_the_table_is_written_and_printed(folder: Path) -> None:
    readme = folder.parent / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n")
    ran = reproduce("--table")
    assert ran.exit_code == 0 and readme.read_text() == f"{BEGIN}\n{ran.stdout}{END}\n"


@pytest.mark.parametrize(("figure", "panels"), [("errors", 1), ("energies", 2)])
def test_the_figure_is_what_the_claim_says(
    folder: Path, claim_text: str, figure: str, panels: int, monkeypatch
) -> None:
    (folder / "claim.toml").write_text(f'figure = "{figure}"\n{claim_text}')
    drawn = []
    monkeypatch.setattr(
        f"eqspike.plots.{'claims' if figure == 'errors' else figure}.save_figure", lambda *of, **_: drawn.append(of)
    )
    ran = reproduce("digits_learnt", "--case", "short", "--figure", "figure.png")
    assert ran.exit_code == 0, ran.output
    ((made, path),) = drawn
    assert (len(made.axes), str(path)) == (panels, "figure.png")
