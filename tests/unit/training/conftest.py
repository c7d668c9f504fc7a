"""A run small enough for a second: few digits, few neurons, few ticks."""

from __future__ import annotations

import pytest


@pytest.fixture
def tiny() -> dict:
    """Settings of a tiny run."""
    return {
        "name": "tiny",
        "data": {"name": "digits", "train_limit": 60, "test_limit": 20},
        "network": {"hidden": [8], "projections": [{"learning_rate": 0.05}, {"learning_rate": 0.01}]},
        "rule": {"tau_ticks": 4, "delay_ticks": 4},
        "phases": {"free_ticks": 12, "nudged_ticks": 8, "readout_ticks": 6},
        "training": {"epochs": 2},
    }
