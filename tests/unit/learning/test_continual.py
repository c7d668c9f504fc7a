"""Continual Equilibrium Propagation as a phase."""

from __future__ import annotations

import pytest

from eqspike.core.errors import ConfigError
from eqspike.learning.continual import ContinualEP


def test_its_phase_is_the_positive_ones() -> None:
    found = ContinualEP(beta=0.25, random_sign=True).contrast()
    assert (found.betas, found.coefficients, found.free_coefficient) == ((0.25,), (4.0,), -4.0)
    assert found.random_sign and not found.clamped


def test_beta_must_be_positive() -> None:
    with pytest.raises(ConfigError) as error:
        ContinualEP.parse({"beta": 0.0})
    assert error.value.field == "beta"
