"""What only processes show: signals, deaths, and one cache for many."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sweeps_helpers import Inline, same, samples, small
from typer.testing import CliRunner

import eqspike
from eqspike.cli.app import app
from eqspike.core import jit
from eqspike.core.errors import ConfigError, DataError
from eqspike.recording import read_summary
from eqspike.sweeps import runner, warming, work
from eqspike.sweeps.local import LocalHands
from eqspike.sweeps.plan import make_plan
from eqspike.sweeps.reading import read_design
from eqspike.sweeps.state import State
from eqspike.sweeps.warming import Cache
from eqspike.sweeps.work import Outcome

COMMAND = [sys.executable, "-m", "eqspike", "sweep", "sweep.toml", "--out", "out", "--json"]
SLOW = {"data__train_limit": [180], "phases__free_ticks": [4000], "training__epochs": [2]}
SLOW_FILE = """recipe = "eqspike-digits"
[grid]
"network.hidden" = [[8]]
"data.name" = ["samples.npz"]
"data.validation" = [20]
"training.epochs" = [4]
"phases.free_ticks" = [4000]
"training.checkpoint_s" = [0.2]
seed = [1, 2]
"""


def wait_until(true: object, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.02)


def workers_of(process: subprocess.Popen) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(number) for number in children.read_text().split()]


def is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{number}/stat").read_text().split()[2]


def in_mid_run(folder: Path) -> bool:
    def begun(path: Path) -> bool:
        at = read_summary(path).progress
        return at["sample"] > 0 or at["epoch"] > 0

    return any(begun(path) for path in folder.glob("runs/*.h5"))


def statuses(folder: Path) -> set[str]:
    return {read_summary(path).status for path in folder.glob("runs/*.h5")}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds worker processes in /proc")
def test_whatever_is_killed_the_same_command_ends_with_the_same_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sweep.toml").write_text(SLOW_FILE)
    samples(tmp_path)
    options = {"cwd": tmp_path, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}

    killed = subprocess.Popen(COMMAND, **options)
    with killed:
        wait_until(lambda: in_mid_run(tmp_path / "out"))
        workers = workers_of(killed)
        killed.kill()
    wait_until(lambda: not any(map(is_alive, workers)))  # workers end without their driver, with a checkpoint
    assert statuses(tmp_path / "out") in ({"interrupted"}, {"interrupted", "complete"})

    started = time.time_ns()
    preempted = subprocess.Popen([*COMMAND, "--workers", "2"], **options)
    with preempted:
        wait_until(lambda: any(path.stat().st_mtime_ns > started for path in tmp_path.glob("out/runs/*.h5")))
        for number in workers_of(preempted):
            os.kill(number, signal.SIGTERM)  # a batch system signals every process of a job, not only the first
        preempted.send_signal(signal.SIGTERM)
        out, err = preempted.communicate(timeout=60)
    assert (preempted.returncode, out) == (130, "")
    assert "stopped by SIGTERM" in err and "The same command goes on" in err and "Traceback" not in err
    assert "running" not in statuses(tmp_path / "out")

    monkeypatch.setattr(runner, "_hands", lambda *_: Inline())
    result = runner.sweep(tmp_path / "sweep.toml", out=tmp_path / "out")
    alone = runner.sweep(tmp_path / "sweep.toml", out=tmp_path / "alone")
    assert result.failed == 0 and same(result) == same(alone)


def test_a_worker_that_dies_is_replaced_and_its_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hands = LocalHands(1, 1)
    monkeypatch.setattr(runner, "_hands", lambda *_: hands)
    killed: list[int] = []

    def kill_once(state: State) -> None:
        if any(doing.stage == "train" for doing in state.in_hand.values()) and not killed:
            (worker,) = hands._crew.busy
            killed.append(worker.pid)
            os.kill(worker.pid, signal.SIGKILL)

    result = eqspike.sweep(
        small(seed=[1, 2], data__name=samples(tmp_path), **SLOW), out=tmp_path, on_progress=kill_once
    )
    assert killed and (result.done, result.failed) == (2, 0)
    assert sorted(record["attempts"] for record in result.records()) == [1, 2]
    assert not is_alive(killed[0])


def test_a_missing_data_set_is_told_but_one_runs_own_mistake_waits_for_its_turn(tmp_path: Path) -> None:
    def task(**grid: list) -> work.Task:
        plan = make_plan(read_design(small(**grid)), tmp_path)
        return plan.task(next(iter(plan.places)))

    with pytest.raises(DataError, match=r"none\.npz"):
        work.check(task(data__name=[str(tmp_path / "none.npz")]))
    work.check(task(data__validation=[100_000]))


def test_another_version_of_the_code_is_refused(tmp_path: Path) -> None:
    plan = make_plan(read_design(small(seed=[1])), tmp_path)
    task = plan.task(next(iter(plan.places)))
    work.check_code(task)
    with pytest.raises(ConfigError, match="another version of eqspike"):
        work.check_code(replace(task, code="sha256:other"))


@pytest.fixture
def cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    jit.cache_folder.cache_clear()
    yield tmp_path / "cache"
    jit.cache_folder.cache_clear()


def test_one_fills_the_cache_while_the_others_wait(cache_home: Path) -> None:
    inside, most, compiled = [], [], []

    def come() -> None:
        cache = Cache()
        if cache.lacks("spiking"):
            with cache.filling("spiking") as mark:
                inside.append(1)
                most.append(len(inside))
                if mark:
                    time.sleep(0.05)
                    compiled.append(1)
                    mark()
                inside.pop()

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(compiled) == 1 and max(most) == 1
    assert Cache().lacks("binary") and not Cache().lacks("spiking")


def test_a_file_system_without_locks_means_a_cache_of_ones_own(
    cache_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no locks available")

    monkeypatch.setattr(warming.fcntl, "flock", refuse)
    with Cache() as cache:
        private = Path(cache.environment["NUMBA_CACHE_DIR"])
        assert private.is_dir() and not private.is_relative_to(cache_home)
        with cache.filling("spiking") as mark:
            mark()
        assert not cache.lacks("spiking")
    assert not private.exists()


def test_no_cache_at_all_is_nothing_to_fill(cache_home: Path) -> None:
    cache_home.write_text("a file where the folder should be")
    with Cache() as cache:
        assert cache.environment == {} and not cache.lacks("spiking")


def test_a_stop_ends_the_wait_for_the_cache(cache_home: Path) -> None:
    with Cache().filling("spiking"), Cache().filling("spiking", lambda: True) as mark:
        assert mark is None


def test_the_batch_script_does_its_share(tmp_path: Path, inline: Inline, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Path(__file__).parents[3] / "docs" / "sweep.sbatch"
    assert subprocess.run(["bash", "-n", script]).returncode == 0
    (tmp_path / "sweep.toml").write_text('recipe = "eqspike-digits"\n[grid]\nseed = [1, 2, 3]\n')
    command = tmp_path / "bin" / "eqspike"
    command.parent.mkdir()
    command.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > arguments\nexit 7\n')
    command.chmod(0o755)
    task = {"SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_CPUS_PER_TASK": "3"}
    environment = os.environ | task | {"PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", script, "sweep.toml", "out"], cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == 7, done.stderr  # what eqspike ends with, the batch system sees
    inline.do = lambda task: Outcome(task.id, "done")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, (tmp_path / "arguments").read_text().split())
    assert result.exit_code == 0, result.output
    plan = make_plan(read_design(tmp_path / "sweep.toml"), tmp_path)
    assert [task.id for task in inline.handed] == [sorted(plan.places)[1]]
    assert not (tmp_path / "out" / "sweep.json").exists() and inline.handed[0].folder == str(tmp_path / "out")
