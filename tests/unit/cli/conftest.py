from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eqspike.cli.app import app

TINY = """
name = "tiny"
tick_s = 1e-3

[data]
name = "digits"
train_limit = 60
test_limit = 40

[network]
hidden = [8]

[[network.projections]]
learning_rate = 0.05

[[network.projections]]
learning_rate = 0.01

[rule]
tau_ticks = 5
delay_ticks = 5

[phases]
free_ticks = 20
nudged_ticks = 20
readout_ticks = 10

[training]
epochs = 1
"""


@pytest.fixture
def invoke(tmp_path, monkeypatch) -> Callable:
    """Run a command in an empty folder that holds tiny.toml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(TINY)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory) -> tuple[bytes, dict]:
    folder = tmp_path_factory.mktemp("trained")
    (folder / "tiny.toml").write_text(TINY)
    arguments = ["train", str(folder / "tiny.toml"), "--out", str(folder / "run.h5"), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.stderr
    return (folder / "run.h5").read_bytes(), json.loads(result.stdout)


@pytest.fixture
def run_file(trained_once, tmp_path) -> Path:
    """A complete run of tiny.toml, a copy of its own for each test."""
    path = tmp_path / "run.h5"
    path.write_bytes(trained_once[0])
    return path


@pytest.fixture
def said(trained_once) -> dict:
    """What train --json said of that run."""
    return trained_once[1]
