"""What only a process of its own shows: exit codes, the two streams, signals, a closed pipe."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from eqspike.cli import main
from eqspike.core.errors import RunFileError
from eqspike.recording import read_summary

COMMAND = [sys.executable, "-m", "eqspike"]
HEAVY = ("numba", "numpy", "matplotlib", "h5py", "sklearn", "pydantic")


def eqspike(*arguments, **options):
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)


def test_stdout_holds_one_document_and_stderr_the_rest(invoke, tmp_path):
    done = eqspike("train", "tiny.toml", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["run_file"] == "runs/tiny-seed1.h5"
    assert "epoch 1/1" in done.stderr and "{" not in done.stderr


def test_a_mistake_leaves_stdout_empty(tmp_path):
    done = eqspike("train", "nosuch", "--json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: recipe: ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_mid_epoch_keeps_the_checkpoint_and_says_how_to_go_on(invoke, tmp_path, number):
    changes = ("data.train_limit=1000", "phases.free_ticks=20000", "training.checkpoint_s=0.3", "training.epochs=1000")
    options = [part for change in changes for part in ("--set", change)]
    with subprocess.Popen(
        [*COMMAND, "train", "tiny.toml", "--out", "run.h5", "--json", *options],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            wait_for(tmp_path / "run.h5", lambda progress: progress["sample"] > 0)
            time.sleep(0.1)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1].endswith("To go on: eqspike train --resume run.h5")
    assert number.name in err and "Traceback" not in err
    stored = read_summary(tmp_path / "run.h5")
    assert stored.status == "interrupted" and stored.progress["sample"] > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.h5", "tiny.toml"]


def wait_for(path: Path, reached, seconds=60.0) -> None:
    """Wait until the checkpoint in ``path`` is as ``reached`` asks."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if reached(read_summary(path).progress):
                return
        except RunFileError:  # not yet there
            pass
        time.sleep(0.005)
    raise AssertionError(f"{path} did not come that far in {seconds} s")


def test_a_closed_pipe_is_no_news():
    with subprocess.Popen(
        [*COMMAND, "recipes", "eqspike-digits"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == ""


def test_help_waits_for_nothing_heavy():
    code = f"import sys, eqspike.cli.app; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_bug_shows_its_traceback_and_asks_for_a_report(monkeypatch, capsys):
    def broken():
        raise RuntimeError("the unthinkable")

    monkeypatch.setattr("eqspike.data.available_datasets", broken)
    monkeypatch.setattr("sys.argv", ["eqspike", "datasets", "--json"])
    with pytest.raises(SystemExit) as caught:
        main()
    captured = capsys.readouterr()
    assert (caught.value.code, captured.out) == (1, "")
    assert "RuntimeError: the unthinkable" in captured.err
    assert "Please report it" in captured.err
