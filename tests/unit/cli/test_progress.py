from __future__ import annotations

import pytest

from eqspike.cli import progress
from eqspike.cli.progress import Monitor, Pace
from eqspike.training.loop import Progress


def report(stage, epoch, sample, **accuracies):
    return Progress(stage, epoch, 4, sample, 100, **accuracies)


def test_the_pace_leaves_compiling_and_validating_out():
    pace = Pace()
    for now, stage, epoch, sample in (
        (0.0, "compile", 0, 0),
        (20.0, "train", 0, 10),
        (21.0, "train", 0, 60),
        (22.0, "train", 0, 100),
        (22.0, "validate", 0, 100),
        (52.0, "train", 1, 0),
        (53.0, "train", 1, 50),
    ):
        pace.add(report(stage, epoch, sample), now)
    assert pace.rate == pytest.approx((50 + 40 + 50) / 3)
    assert pace.left(report("train", 1, 50)) == pytest.approx(250 / pace.rate)


def test_nothing_is_said_of_a_pace_not_yet_known():
    pace = Pace()
    pace.add(report("train", 0, 10), 1.0)
    assert pace.rate is None and pace.left(report("train", 0, 10)) is None


def test_a_log_gets_occasional_lines(monkeypatch, capsys):
    clock = iter(range(0, 10_000, 2))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock) / 2)
    with Monitor() as monitor:
        monitor(report("compile", 0, 0))
        for epoch in range(4):
            for sample in (50, 100):
                monitor(report("train", epoch, sample, train_accuracy=0.5))
            monitor(report("validate", epoch, 100, train_accuracy=0.5))
            monitor(report("train", epoch + 1, 0, train_accuracy=0.5, validation_accuracy=0.25))
        monitor(report("test", 4, 0))
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert lines[0] == progress.STAGES["compile"]
    assert [line.split(":")[0] for line in lines[1:-1]] == ["epoch 2/4", "epoch 4/4"]
    assert "train 50.0%  validation 25.0%" in lines[1]
    assert lines[-1] == "testing"


def test_a_long_silence_is_broken_within_an_epoch(monkeypatch, capsys):
    clock = iter(range(0, 10_000, 20))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    with Monitor() as monitor:
        for sample in range(10, 60, 10):
            monitor(report("train", 0, sample, train_accuracy=0.5))
    assert 2 <= len(capsys.readouterr().err.splitlines()) <= 4
