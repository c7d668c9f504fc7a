"""measured.json: merged, atomic, distrusted when read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eqspike.claims import store
from eqspike.claims.schema import read_claim
from eqspike.claims.store import add_record, measured_file, read_records
from eqspike.core.errors import ConfigError, OutputError


def record(accuracy: float, configuration: str = "sha256:a") -> dict:
    return {"status": "complete", "configuration": configuration, "results": {"test_accuracy": accuracy}}


def test_records_are_merged_with_what_the_file_holds(folder: Path) -> None:
    claim, path = read_claim(folder), measured_file(folder, quick=False)
    add_record(path, claim, "base", 2, record(0.5), quick=False)
    document = add_record(path, claim, "base", 1, record(0.75), quick=False)
    assert list(document["cases"]["base"]["runs"]) == ["1", "2"]
    assert document["cases"]["base"]["summary"]["test_accuracy"]["mean"] == 0.625
    assert document["cases"]["base"]["verdict"] == "met"
    assert document == json.loads(path.read_text())
    assert read_records(path)["base"]["1"]["results"] == {"test_accuracy": 0.75}


def test_records_of_another_configuration_are_dropped(folder: Path) -> None:
    claim, path = read_claim(folder), measured_file(folder, quick=False)
    add_record(path, claim, "short", 1, record(0.1), quick=False)
    add_record(path, claim, "base", 1, record(0.2), quick=False)
    add_record(path, claim, "base", 2, record(0.9, "sha256:b"), quick=False)
    assert {case: list(found) for case, found in read_records(path).items()} == {"short": ["1"], "base": ["2"]}


def test_cases_that_the_claim_has_no_more_are_dropped(folder: Path, claim_text: str) -> None:
    path = measured_file(folder, quick=False)
    add_record(path, read_claim(folder), "short", 1, record(0.1), quick=False)
    (folder / "claim.toml").write_text(claim_text.replace('name = "short"', 'name = "brief"'))
    document = add_record(path, read_claim(folder), "base", 1, record(0.2), quick=False)
    assert list(document["cases"]) == ["base"]


def test_a_quick_run_is_kept_apart_and_not_compared(folder: Path) -> None:
    path = measured_file(folder, quick=True)
    for seed in (1, 2):
        document = add_record(path, read_claim(folder), "base", seed, record(0.9), quick=True)
    assert path.name == "measured-quick.json" and not measured_file(folder, quick=False).exists()
    assert document["cases"]["base"]["verdict"] == "not compared"


def test_a_write_that_fails_leaves_the_old_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim, path = read_claim(folder), measured_file(folder, quick=False)
    add_record(path, claim, "base", 1, record(0.5), quick=False)
    before = path.read_bytes()

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        add_record(path, claim, "base", 2, record(0.6), quick=False)
    assert path.read_bytes() == before
    assert [file.name for file in folder.iterdir() if file.suffix == ".tmp"] == []


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"schema": 99, "cases": {}}', '{"schema": 1}', '{"schema": 1, "cases": {"base": {}}}', "\x00"],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "measured.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"measured.json: this is not what eqspike reproduce writes.*delete it"):
        read_records(path)


def test_no_file_holds_no_records(tmp_path: Path) -> None:
    assert read_records(tmp_path / "measured.json") == {}


def test_the_document_says_that_it_is_no_expectation(folder: Path) -> None:
    document = add_record(measured_file(folder, False), read_claim(folder), "base", 1, record(0.5), quick=False)
    assert "never read as an expectation" in document["note"] and document["note"] == store.NOTE
