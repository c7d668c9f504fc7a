"""Hands that do the runs of a sweep in this very process."""

from __future__ import annotations

import pytest
from sweeps_helpers import Inline

from eqspike.sweeps import runner


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> Inline:
    made = Inline()
    monkeypatch.setattr(runner, "_hands", lambda *_: made)
    return made
