"""The page on STDP says what was measured, and its data are read as the command reads them."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from eqspike.analysis.stdp import read_measurements

FOLDER = Path(__file__).parents[2] / "experiments" / "stdp_window"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("stdp_window_run", FOLDER / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_the_page_are_those_of_the_measurements(script: ModuleType) -> None:
    found = json.loads((FOLDER / "measured.json").read_text("utf-8"))
    page = (FOLDER / "README.md").read_text("utf-8")
    assert f"{script.BEGIN}{script.tables(found)}{script.END}" in page
    shown = re.findall(r"\]\(([\w-]+\.png)\)", page)
    assert sorted(shown) == sorted(path.name for path in FOLDER.glob("*.png"))


def test_the_published_rule_still_explains_the_data_as_well(script: ModuleType) -> None:
    known = json.loads((FOLDER / "measured.json").read_text("utf-8"))["data"]
    for title, (protocol, measured) in script.measurements().items():
        for name in ("triplet rule, all to all", "pair rule fitted, nearest"):
            rule, settings = script.rules(protocol, measured)[name]
            found = script.PROTOCOLS[protocol](rule, measured=measured, **settings).measured
            assert found.chi_squared == pytest.approx(known[title][name]["chi_squared"], rel=1e-6, abs=1e-9)


def test_the_data_are_tables_that_the_command_reads() -> None:
    assert len(read_measurements(FOLDER / "sjostrom2001.csv", "frequency").change) == 10
    assert len(read_measurements(FOLDER / "wang2005_triplets.csv", "triplet").change) == 8
    assert len(read_measurements(FOLDER / "wang2005_pairs.csv", "pair").change) == 2
