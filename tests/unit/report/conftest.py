from __future__ import annotations

from pathlib import Path

import pytest

import eqspike

TINY = {
    "name": "tiny",
    "data": {"name": "digits", "train_limit": 60, "test_limit": 40},
    "network": {"hidden": [8], "projections": [{"learning_rate": 0.05}, {"learning_rate": 0.01}]},
    "rule": {"tau_ticks": 5, "delay_ticks": 5},
    "phases": {"free_ticks": 20, "nudged_ticks": 20, "readout_ticks": 10},
    "training": {"epochs": 2},
}


@pytest.fixture(scope="session")
def run_file(tmp_path_factory) -> Path:
    """A complete run of a tiny spiking network, not to be written to."""
    path = tmp_path_factory.mktemp("report") / "run.h5"
    eqspike.train(TINY, out=path)
    return path


@pytest.fixture(scope="session")
def html(run_file) -> str:
    from eqspike.report import report_html

    return report_html(run_file)


@pytest.fixture
def tiny() -> dict:
    """The settings of that run."""
    return dict(TINY)
