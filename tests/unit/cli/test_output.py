from __future__ import annotations

from eqspike.cli.output import band, count, percent


def test_a_band_shares_the_prefix_of_its_value():
    assert band({"value": 4.053e-07, "low": 7.33e-08, "high": 9.74e-07}) == "405 nJ (73-970)"
    assert band({"value": 1.59e-13, "low": 2.6e-15, "high": 7.3e-13}) == "159 fJ (2.6-730)"
    assert band({"value": 5e-9, "low": 0.0, "high": 1.2e-3}) == "5 nJ (0-1200000)"
    assert band(None) == "-"


def test_counts_and_shares():
    assert [count(value) for value in (None, 0.0, 3.0, 56.234, 16426.7)] == ["-", "0", "3", "56.2", "16,427"]
    assert [percent(share) for share in (None, 0.96657, 1.0)] == ["-", "96.66 %", "100.00 %"]
