"""A scheduler and two workers as processes of their own; one is killed, and nothing is lost."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sweeps_helpers import Inline, same, samples, small

import eqspike
from eqspike.core.errors import ConfigError
from eqspike.sweeps import runner
from eqspike.sweeps.state import State

distributed = pytest.importorskip("distributed", reason="Dask is the extra 'cluster'")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning:distributed", "ignore::DeprecationWarning")

START_S = 60.0
MID = {"data__train_limit": [180], "phases__free_ticks": [2000]}


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen]]:
    started: list[subprocess.Popen] = []
    yield started
    for process in reversed(started):
        process.kill()
        process.wait(30)


@pytest.fixture
def cluster(processes: list[subprocess.Popen], tmp_path: Path) -> str:
    """Start a scheduler and two workers as their users do; return the scheduler's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    scheduler = ["scheduler", "--host", address, "--dashboard-address", ":0", "--no-show"]
    worker = ["worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    for number, arguments in enumerate((scheduler, worker, worker)):
        log = (tmp_path / f"{number}.log").open("w")
        with log:
            processes.append(
                subprocess.Popen([sys.executable, "-m", "dask", *arguments], stdout=log, stderr=log, env=environment)
            )
    return address


def wait_for_workers(address: str, count: int) -> None:
    with distributed.Client(address, timeout=START_S, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=START_S)


def test_a_worker_killed_in_mid_run_loses_nothing(
    cluster: str, processes: list[subprocess.Popen], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for_workers(cluster, 2)
    design = small(seed=[1, 2, 3, 4], data__name=samples(tmp_path), **MID)
    heard: set[str] = set()
    dashboards: set[str] = set()
    killed: list[float] = []

    def kill_one(state: State) -> None:
        dashboards.add(state.dashboard)
        heard.update(doing.worker for doing in state.in_hand.values() if doing.worker)
        if len(heard) == 2 and not killed:
            processes[2].send_signal(signal.SIGKILL)
            killed.append(time.monotonic())

    result = eqspike.sweep(design, out=tmp_path / "out", scheduler=cluster, on_progress=kill_one)
    assert killed and (result.done, result.failed) == (4, 0)
    assert any(re.fullmatch(r"http://127\.0\.0\.1:\d+/status", link) for link in dashboards)
    assert all(re.match(r"tcp://127\.0\.0\.1:\d+", worker) for worker in heard)
    monkeypatch.setattr(runner, "_hands", lambda *_: Inline())
    assert same(result) == same(eqspike.sweep(design, out=tmp_path / "alone"))


def test_a_scheduler_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eqspike.sweeps.cluster.CONNECT_S", 0.5)
    with pytest.raises(ConfigError, match=r"--scheduler: no scheduler answers at tcp://127\.0\.0\.1:1 "):
        eqspike.sweep(small(seed=[1]), out=tmp_path, scheduler="tcp://127.0.0.1:1")
