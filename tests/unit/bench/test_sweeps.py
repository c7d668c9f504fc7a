from __future__ import annotations

from sweeps_helpers import Inline

from eqspike.bench import sweeps
from eqspike.sweeps import runner


def test_a_tiny_sweep_says_what_a_run_costs_and_what_the_driver_keeps(monkeypatch):
    monkeypatch.setattr(runner, "_hands", lambda *_: Inline())
    overhead, memory = sweeps.tiny_runs(runs=8, settled=3)
    assert overhead.unit == "ms" and overhead.ours < 1000 and "ms a run, of which training" in overhead.note
    assert memory.unit == "MiB" and abs(memory.ours) < 50 and "after 8" in memory.note
    assert sweeps.resident_mib() > 10


def test_a_longer_loop_takes_longer():
    assert sweeps.spin(2_000_000) > sweeps.spin(1_000) > 0


def test_equal_runs_differ_in_nothing_but_their_ids(monkeypatch):
    hands = Inline()
    monkeypatch.setattr(runner, "_hands", lambda *_: hands)
    sweeps._swept(sweeps.TINY, 3, 1)
    specs = [task.spec().model_dump() for task in hands.handed]
    for spec in specs:
        spec["training"].pop("checkpoint_s")
    assert len({task.id for task in hands.handed}) == 3 and specs[0] == specs[1] == specs[2]
