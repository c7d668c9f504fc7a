from __future__ import annotations

from eqspike.bench import collecting


def test_records_are_collected_with_and_without_a_price(monkeypatch):
    monkeypatch.setattr(collecting, "RUNS", 3)
    plain, priced = collecting.measure_collect(1)
    assert (plain.unit, priced.unit) == ("s", "s")
    assert 0 < plain.ours < priced.ours
