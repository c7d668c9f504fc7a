from __future__ import annotations

import pytest

from eqspike.training.api import train
from eqspike.training.run import Run


@pytest.fixture(scope="session")
def probed() -> Run:
    """A small trained run with every probe on."""
    settings = {
        "data__train_limit": 60, "data__test_limit": 20, "network__hidden": [12], "training__epochs": 2,
        "phases__free_ticks": 24, "phases__nudged_ticks": 16, "phases__readout_ticks": 12, "tick_s": 1e-3,
        "probes__presentations": 2, "probes__spikes": True, "probes__potentials": True, "probes__rates": True,
        "probes__tick_totals": True, "probes__updates": 100_000, "probes__weight_trajectory": 5,
    }  # fmt: skip
    return train("eqspike-digits", **settings)
