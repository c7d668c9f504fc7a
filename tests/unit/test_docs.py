"""The documentation: tutorials print what their pages say, and the pages build without a warning."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import eqspike
import hw_models

DOCS = Path(__file__).parents[2] / "docs"


def _load(path: Path):
    spec = importlib.util.spec_from_file_location(f"docs_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cells = _load(DOCS / "cells.py")
INTERPRETED = ("rule",)  # a rule of one's own is compiled in every process: here it runs as plain Python


@pytest.mark.parametrize("name", sorted(set(cells.names()) - set(INTERPRETED)))
def test_a_tutorial_prints_what_its_page_says(name: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with cells.workshop(name, tmp_path):
        said = cells.run(name)
        cells.run_commands(name)
    assert cells.differences(cells.printed(name), said) == []


@pytest.mark.parametrize("name", INTERPRETED)
def test_a_tutorial_prints_what_its_page_says_interpreted(name: str) -> None:
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(DOCS.parent)}
    command = [sys.executable, "-W", "error", str(DOCS / "cells.py"), "--check", name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", cells.names())
def test_a_page_shows_every_cell_of_its_tutorial_in_order(name: str) -> None:
    page = (cells.TUTORIALS / f"{name}.rst").read_text("utf-8")
    shown = [line.split()[-1] for line in page.splitlines() if line.startswith(f".. cell:: {name} ")]
    assert shown == list(cells.code(name))
    assert set(cells.printed(name)) <= set(shown)
    assert f"tutorials/{name}\n" in (DOCS / "index.rst").read_text("utf-8")


def test_other_words_and_far_numbers_are_told_apart() -> None:
    page = {"a": "12.0 Hz, 1,000 events"}
    assert cells.differences(page, {"a": "12.5  Hz, 1,001 events"}) == []
    for other in ("15.0 Hz, 1,000 events", "12.0 kHz, 1,000 events", "12.0 Hz", ""):
        assert cells.differences(page, {"a": other}) != []
    assert cells.differences({}, {"b": "unexpected"}) != []


def test_the_pages_build_without_a_warning_and_have_every_public_name(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="the extra docs is not installed")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names = _inventory(tmp_path / "objects.inv")
    for package in (eqspike, hw_models):
        assert {f"{package.__name__}.{name}" for name in package.__all__ if name != "__version__"} <= names
    assert "eqspike.core.errors.ConfigError" in names
    for page in tmp_path.rglob("*.html"):
        assert not _fetched(page.read_text("utf-8")), page.name


def _inventory(path: Path) -> set[str]:
    """Return the names in an inventory: four lines of text, then compressed lines that begin with a name."""
    return {line.split()[0] for line in zlib.decompress(path.read_bytes().split(b"\n", 4)[4]).decode().splitlines()}


def _fetched(page: str) -> list[str]:
    """Return what a browser would fetch from elsewhere to show ``page``."""
    return [part[:80] for part in page.split("<") if part.startswith(("script", "link", "img")) and "//" in part]
