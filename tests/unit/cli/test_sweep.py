"""``eqspike sweep``: its document, its exit codes, what it shows while it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sweeps_helpers import Inline

from eqspike.cli.sweep_progress import SweepMonitor, shown
from eqspike.sweeps import runner
from eqspike.sweeps.state import Doing, State
from eqspike.sweeps.work import Outcome

FILE = """recipe = "tiny.toml"
[grid]
"network.hidden" = [[4], [6]]
seed = [1, 2]
"""


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> Inline:
    made = Inline()
    monkeypatch.setattr(runner, "_hands", lambda *_: made)
    return made


@pytest.fixture
def sweep_file(invoke, tmp_path: Path) -> Path:
    (tmp_path / "grid.toml").write_text(FILE)
    return tmp_path / "grid.toml"


def test_the_document_has_a_row_for_every_run(invoke, inline: Inline, sweep_file: Path) -> None:
    first = json.loads(invoke("sweep", "grid.toml", "--json").stdout)
    again = json.loads(invoke("sweep", "grid.toml", "--workers", 2, "--json").stdout)
    assert {key: first[key] for key in ("runs", "done", "failed", "skipped")} == {
        "runs": 4, "done": 4, "failed": 0, "skipped": 0,
    }  # fmt: skip
    assert (again["done"], again["skipped"]) == (0, 4) and again["table"] == first["table"]
    assert [(row["network.hidden"], row["seed"]) for row in first["table"]] == [([4], 1), ([4], 2), ([6], 1), ([6], 2)]
    assert all(0 <= row["test_accuracy"] <= 1 and row["status"] == "done" for row in first["table"])
    assert first["seconds"] > again["seconds"] > 0
    assert (sweep_file.parent / "sweeps" / "grid" / "sweep.json").is_file()


def test_people_see_counts_and_the_fields_that_differ(invoke, inline: Inline, sweep_file: Path) -> None:
    done = invoke("sweep", "grid.toml", "--out", "here")
    assert done.exit_code == 0 and "4: 4 done, 0 failed, 0 done before" in done.stdout
    assert "network.hidden" in done.stdout and "[6]" in done.stdout and "%" in done.stdout


def test_failures_end_with_their_reasons_and_one(invoke, inline: Inline, sweep_file: Path) -> None:
    inline.do = lambda task: Outcome(task.id, "failed", error="OSError: disk")
    done = invoke("sweep", "grid.toml", "--retries", 0, "--json")
    document = json.loads(done.stdout)
    assert done.exit_code == 1 and document["failed"] == 4 and document["table"][0]["error"] == "OSError: disk"
    assert "error: 4 runs failed:" in done.stderr and done.stderr.count("OSError: disk") == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.toml"], "none.toml: there is no such file"),
        (["grid.toml", "--shard", "3/2"], "--shard: '3/2' is no share"),
        (["grid.toml", "--scheduler", "tcp://x", "--workers", "2"], "--workers: a Dask cluster has workers of its own"),
        (["bad.toml"], "bad.toml, line 3: network.hiden: there is no such setting. Did you mean 'hidden'?"),
        (["many.toml"], "many.toml: these are 10,201 runs (101 x 101). If that is meant, add --yes"),
        (["grid.toml", "--out", "tiny.toml/x"], "tiny.toml"),
    ],
)
def test_a_mistake_is_one_message_and_leaves_nothing(
    invoke, inline: Inline, sweep_file: Path, arguments: list[str], said: str
) -> None:
    folder = sweep_file.parent
    (folder / "bad.toml").write_text(FILE.replace("hidden", "hiden"))
    numbers = list(range(1, 102))
    (folder / "many.toml").write_text(f'recipe = "tiny.toml"\n[grid]\nseed = {numbers}\n"rule.tau_ticks" = {numbers}\n')
    before = sorted(folder.rglob("*"))
    done = invoke("sweep", *arguments)
    assert (done.exit_code, done.stdout) == (2, "") and said in done.stderr
    assert inline.handed == [] and sorted(folder.rglob("*")) == before


def test_a_log_gets_a_line_when_something_changes(capsys: pytest.CaptureFixture) -> None:
    state = State(runs=10, skipped=2)
    with SweepMonitor() as monitor:
        monitor(state)
        monitor(state)
        state.stage, state.done, state.busy_s = "running", 2, 20.0
        state.in_hand = {"ab": Doing("1", "train", 0.5), "cd": Doing("2", "test", 1.0), "ef": Doing()}
        monitor(state)
        monitor(state)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "preparing: 2 of 10 runs done, 2 of them before, 0 running, 0 failed"
    # Two ended in 10 s each; of the other six one and a half are done, so 4.5 times 10 s for two workers.
    assert lines[1].startswith("running: 4 of 10 runs done, 2 of them before, 2 running, 0 failed, 0:22 left")
    assert lines[1].endswith("(workers 1: train 50%; 2: test 100%)") and len(lines) == 2


def test_a_terminal_shows_each_worker_and_the_dashboard() -> None:
    from rich.console import Console

    state = State(runs=30, stage="running", dashboard="http://here:8787/status")
    state.in_hand = {f"run{number:02}": Doing(f"w{number:02}", "train", 0.25) for number in range(20)}
    console = Console(width=100, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(shown(state))
    text = captured.get()
    assert sum(line.startswith("  worker w") for line in text.splitlines()) == 16
    assert "w00" in text and "run15" in text and "run16" not in text and "and 4 more" in text
    assert "http://here:8787/status" in text and "25%" in text


def test_warming_runs_nothing(invoke, inline: Inline, sweep_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LocalHands", lambda *_: inline)
    done = invoke("sweep", "grid.toml", "--warm")
    assert done.exit_code == 0 and inline.prepared == 1 and inline.handed == []
    assert not (sweep_file.parent / "sweeps").exists()
