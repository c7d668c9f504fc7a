"""What a sweep runs, skips, retries and records; runs are real, hands are this process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sweeps_helpers import Inline, same, small

import eqspike
from eqspike.core.errors import ConfigError, Interrupted
from eqspike.sweeps import runner, work
from eqspike.sweeps.hands import LOST, Event
from eqspike.sweeps.store import Store
from eqspike.sweeps.work import Outcome, Task


def test_a_record_says_what_train_says(tmp_path: Path, inline: Inline) -> None:
    result = eqspike.sweep(small(seed=[3]), out=tmp_path)
    (record,) = result.records()
    run = eqspike.train("eqspike-digits", network__hidden=[8], data__train_limit=60, data__test_limit=40,
                        training__epochs=1, seed=3)  # fmt: skip
    expected = {name: value for name, value in run.results.items() if name != "seconds_per_epoch"}
    assert record["results"] == expected and record["seed"] == 3 and record["status"] == "done"
    assert record["ledger"]["inference"]["presentations"] == 40
    written = sum(record["ledger"][phase].get("weight_writes", 0) for phase in ("free", "nudged"))
    assert written / 60 == pytest.approx(expected["weight_writes_per_training_sample"])
    stored = eqspike.open_run(tmp_path / "runs" / f"{record['id']}.h5")
    assert stored.status == "complete" and stored.results["test_accuracy"] == expected["test_accuracy"]
    assert json.loads((tmp_path / "sweep.json").read_text())["runs"][0]["id"] == record["id"]


def test_finished_runs_are_skipped_and_an_extended_sweep_runs_the_rest(tmp_path: Path, inline: Inline) -> None:
    first = eqspike.sweep(small(seed=[1, 2]), out=tmp_path)
    again = eqspike.sweep(small(seed=[1, 2]), out=tmp_path)
    assert (first.done, first.skipped, again.done, again.skipped) == (2, 0, 0, 2)
    assert inline.prepared == 1 and len(inline.handed) == 2
    more = eqspike.sweep(small(seed=[1, 2, 3]), out=tmp_path)
    assert (more.runs, more.done, more.skipped) == (3, 1, 2)


def test_another_code_runs_everything_anew(tmp_path: Path, inline: Inline, monkeypatch: pytest.MonkeyPatch) -> None:
    inline.do = lambda task: Outcome(task.id, "done")
    eqspike.sweep(small(seed=[1]), out=tmp_path)
    before = inline.handed[0].id
    monkeypatch.setattr("eqspike.sweeps.plan.code_hash", lambda: "sha256:other")
    eqspike.sweep(small(seed=[1]), out=tmp_path)
    assert inline.handed[1].id != before


def test_cut_and_missing_files_cost_their_run_only_and_change_nothing(tmp_path: Path, inline: Inline) -> None:
    result = eqspike.sweep(small(seed=[1, 2, 3, 4]), out=tmp_path)
    before = same(result)
    store, (first, second, third, _) = Store(tmp_path), result.ids
    for path in (store.record_file(first), store.record_file(second), store.run_file(second)):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    store.record_file(third).unlink()  # killed between the run file and its record
    again = eqspike.sweep(small(seed=[1, 2, 3, 4]), out=tmp_path)
    assert (again.done, again.skipped) == (3, 1) and same(again) == before


def test_one_bad_run_is_recorded_with_its_reason_and_stops_no_other(tmp_path: Path, inline: Inline) -> None:
    result = eqspike.sweep(small(seed=[1], data__validation=[100_000, 0]), out=tmp_path, retries=5)
    assert (result.done, result.failed) == (1, 1)
    bad, good = result.records()
    assert good["status"] == "done" and bad["status"] == "failed" and "100000" in bad["error"].replace(",", "")
    assert bad["settings"]["data.validation"] == 100_000


def test_retries_are_bounded_and_a_mistake_is_not_tried_again(tmp_path: Path, inline: Inline) -> None:
    inline.do = lambda task: Outcome(task.id, "failed", error="OSError: disk", final=task.settings["seed"] == 2)
    result = eqspike.sweep(small(seed=[1, 2]), out=tmp_path, retries=2)
    tried = [task.settings["seed"] for task in inline.handed]
    assert (tried.count(1), tried.count(2), result.failed) == (3, 1, 2)
    assert {record["seed"]: record["attempts"] for record in result.records()} == {1: 3, 2: 1}
    inline.do = work.execute
    assert eqspike.sweep(small(seed=[1, 2]), out=tmp_path).done == 2  # what failed is tried again when asked again


def test_a_lost_worker_costs_an_attempt(tmp_path: Path, inline: Inline, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(timeout: float) -> list[Event]:
        task = inline.waiting.pop()
        return [Event(LOST, task.id, "1", said="its process was killed by SIGKILL (out of memory?)")]

    monkeypatch.setattr(inline, "events", lose)
    result = eqspike.sweep(small(seed=[1]), out=tmp_path)
    (record,) = result.records()
    assert result.failed == 1 and record["attempts"] == 2 and "killed by SIGKILL" in record["error"]


def test_an_interrupted_worker_costs_no_attempt(tmp_path: Path, inline: Inline) -> None:
    ends = ["interrupted", "interrupted", "interrupted", "done"]
    inline.do = lambda task: Outcome(task.id, ends.pop(0))
    assert eqspike.sweep(small(seed=[1]), out=tmp_path, retries=0).done == 1


def test_a_stop_hands_out_nothing_more(tmp_path: Path, inline: Inline, monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import signal

    def preempted(task: Task) -> Outcome:
        os.kill(os.getpid(), signal.SIGTERM)
        return work.execute(task)

    inline.do = preempted
    monkeypatch.setattr(runner, "GRACE_S", 0.0)
    with pytest.raises(Interrupted, match=r"stopped by SIGTERM; 1 of 4 runs are done\. The same command goes on"):
        eqspike.sweep(small(seed=[1, 2, 3, 4]), out=tmp_path)
    inline.do = work.execute
    inline.waiting.clear()
    again = eqspike.sweep(small(seed=[1, 2, 3, 4]), out=tmp_path)
    assert (again.done, again.skipped) == (3, 1)


def test_shares_do_everything_once_and_only_the_first_writes_the_design(tmp_path: Path, inline: Inline) -> None:
    whole = eqspike.sweep(small(seed=[1, 2, 3]), out=tmp_path / "whole")
    eqspike.sweep(small(seed=[1, 2, 3]), out=tmp_path / "shared", shard="2/2")
    assert not (tmp_path / "shared" / "sweep.json").exists()
    eqspike.sweep(small(seed=[1, 2, 3]), out=tmp_path / "shared", shard="1/2")
    assert len(inline.handed) == 6
    shared = eqspike.sweep(small(seed=[1, 2, 3]), out=tmp_path / "shared")
    assert shared.skipped == 3 and same(shared) == same(whole)


@pytest.mark.parametrize(
    ("grid", "said"),
    [({"training__epoch": [1]}, "training.epoch: there is no such setting"), ({"seed": [1, -1]}, "seed: ")],
)
def test_a_mistake_stops_before_anything_is_run_or_written(
    tmp_path: Path, inline: Inline, grid: dict, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        eqspike.sweep(small(**grid), out=tmp_path / "sweep")
    assert inline.handed == [] and not (tmp_path / "sweep").exists()


def test_what_is_left_is_reckoned_from_what_has_ended(tmp_path: Path, inline: Inline) -> None:
    heard: list[tuple] = []
    inline.do = lambda task: Outcome(task.id, "done", seconds=10.0)
    eqspike.sweep(
        small(seed=[1, 2, 3, 4]), out=tmp_path,
        on_progress=lambda state: heard.append((state.done, state.running, state.left_s)),
    )  # fmt: skip
    assert heard[0] == (0, 0, None)
    assert heard[1] == (1, 1, 30.0)  # one of four done in 10 s, one in hand and not begun: three times 10 s
    assert heard[-1] == (4, 0, None)
