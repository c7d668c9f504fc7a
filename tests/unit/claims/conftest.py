"""A small claim on the embedded digits, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

CLAIM = """
title = "Digits are learnt"
statement = "A small network learns a little."

[source]
reference = "nobody, nowhere, 2000"

[quick.settings]
data.train_limit = 20

[[cases]]
name = "base"
recipe = "eqspike-digits"
seeds = [1, 2]
[cases.settings]
network.hidden = [8]
training.epochs = 1
data = { train_limit = 60, test_limit = 40 }

[[cases.expect]]
published = 0.5
published_grade = "recalled"
at_least = 0.0

[[cases]]
name = "short"
recipe = "eqspike-digits"
seeds = [1]
[cases.settings]
network.hidden = [8]
training.epochs = 1
phases.free_ticks = 30
data = { train_limit = 60, test_limit = 40 }

[[cases.expect]]
quantity = "spikes_per_inference"
compare = "base"
by = "ratio"
below = 1.0
"""


@pytest.fixture
def claim_text() -> str:
    return CLAIM


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The claim's folder in a checkout of its own."""
    found = tmp_path / "experiments" / "digits_learnt"
    found.mkdir(parents=True)
    (found / "claim.toml").write_text(CLAIM)
    return found
