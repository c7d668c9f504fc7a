"""The circle of nudges and its weights."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError
from eqspike.learning.holomorphic import HolomorphicEP


@pytest.mark.parametrize("points", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("periods", [0, 2])
def test_weights_integrate_over_the_circle(points: int, periods: int) -> None:
    """Re sum c_k b_k^m is the coefficient of order m, 1 for m = 1 and 0 for the others below N + 1."""
    found = HolomorphicEP(beta=0.4, points=points, periods=periods).contrast()
    betas, weights = np.array(found.betas, complex), np.array(found.coefficients, complex)
    for order in range(points + 1):
        integral = (weights * betas**order).sum().real
        assert integral == pytest.approx(float(order == 1), abs=1e-12), order
    np.testing.assert_allclose(np.abs(betas), 0.4)
    assert found.free_coefficient == 0 and found.periods == periods
    assert found.is_complex == (points > 2)
    assert len(betas) == (points if periods else points // 2 + 1)
    assert found.settlings == len(betas) * max(1, periods)


def test_one_point_is_the_positive_form() -> None:
    found = HolomorphicEP(beta=0.5, points=1).contrast()
    assert (found.betas, found.coefficients, found.free_coefficient) == ((0.5,), (2.0,), -2.0)


def test_real_nudges_stay_real_numbers() -> None:
    assert [type(beta) for beta in HolomorphicEP(points=4).contrast().betas] == [float, complex, float]


@pytest.mark.parametrize(("settings", "field"), [({"points": 0}, "points"), ({"beta": -1}, "beta"), ({"periods": -1}, "periods")])  # fmt: skip # noqa: E501
def test_what_is_no_circle_is_refused(settings: dict, field: str) -> None:
    with pytest.raises(ConfigError) as error:
        HolomorphicEP.parse(settings)
    assert error.value.field == field
