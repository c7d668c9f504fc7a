"""The claims of this repository: each is whole, and what is written about them is up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from eqspike.claims.catalogue import claim_folders
from eqspike.claims.runner import jobs
from eqspike.claims.schema import read_claim
from eqspike.claims.store import measured_file, read_records
from eqspike.claims.table import README, claims_table
from eqspike.sweeps.fingerprint import configuration_hash

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
FOLDERS = claim_folders(EXPERIMENTS)


def test_the_claims_of_the_project_are_here() -> None:
    assert {"eqspike_mnist", "eqspike_ablations"} <= set(FOLDERS)


def test_the_claims_table_is_up_to_date() -> None:
    text = (EXPERIMENTS / README).read_text("utf-8")
    assert claims_table(EXPERIMENTS) in text, "eqspike reproduce --table writes it anew"


@pytest.mark.parametrize("name", FOLDERS)
def test_every_case_resolves_also_with_quick_settings(name: str) -> None:
    claim = read_claim(FOLDERS[name])
    assert len(jobs(FOLDERS[name], claim)) == sum(len(case.seeds) for case in claim.cases)
    assert len(jobs(FOLDERS[name], claim, quick=True)) == len(claim.cases)
    assert claim.quick.settings


@pytest.mark.parametrize("name", FOLDERS)
def test_what_was_measured_belongs_to_the_settings_of_today(name: str) -> None:
    folder = FOLDERS[name]
    records = read_records(measured_file(folder, quick=False))
    for job in jobs(folder, read_claim(folder)):
        record = records.get(job.case, {}).get(str(job.seed))
        if record is not None:
            assert record["configuration"] == configuration_hash(job.spec), f"{job.case}: settings changed since"


@pytest.mark.parametrize("name", FOLDERS)
def test_every_claim_explains_its_cases(name: str) -> None:
    text = (FOLDERS[name] / README).read_text("utf-8")
    assert f"eqspike reproduce {name}" in text
    assert [case.name for case in read_claim(FOLDERS[name]).cases if case.name.split("-")[0] not in text] == []
