from __future__ import annotations

from eqspike.bench import sweeps


def test_a_tiny_sweep_says_what_a_run_costs_and_what_the_driver_keeps():
    overhead, memory = sweeps.tiny_runs(runs=8, settled=3)
    assert overhead.unit == "ms" and overhead.ours < 1000 and "ms a run, of which training" in overhead.note
    assert memory.unit == "MiB" and abs(memory.ours) < 50 and "after 8" in memory.note
    assert sweeps.resident_mib() > 10


def test_a_longer_loop_takes_longer():
    assert sweeps.spin(2_000_000) > sweeps.spin(1_000) > 0
