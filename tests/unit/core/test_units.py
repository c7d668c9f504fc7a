"""Quantities in words."""

from __future__ import annotations

import pytest

from eqspike.core.units import engineering


@pytest.mark.parametrize(
    "value, said",
    [
        (4.053e-07, "405 nJ"),
        (1.18e-6, "1.18 µJ"),
        (1e-6, "1 µJ"),
        (9.999e-7, "1 µJ"),
        (9.994e-7, "999 nJ"),
        (2.5e-21, "0.0025 aJ"),
        (0.0, "0 J"),
        (-3e-2, "-30 mJ"),
        (12345.0, "12.3 kJ"),
    ],
)
def test_prefixes(value: float, said: str) -> None:
    assert engineering(value, "J") == said
