"""Every mistake ends in one message that names the field and the remedy, exit code 2, and nothing written."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from eqspike.recording import SCHEMA_VERSION


def refused(result, *words, code=2):
    """Check that a command was refused with ``words`` in its one message."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


@pytest.mark.parametrize("json", [(), ("--json",)])
@pytest.mark.parametrize(
    "arguments, words",
    [
        (("eqspike-digit",), ("recipe:", "Did you mean 'eqspike-digits'?")),
        (("nowhere.toml",), ("nowhere.toml:", "Check the path")),
        (("tiny.toml", "--chip", "generic-45"), ("chip:", "Did you mean 'generic-45nm'?")),
        (("tiny.toml", "--dataset", "minst"), ("dataset:", "Did you mean 'mnist'?")),
        (("tiny.toml", "--set", "training.epoch=2"), ("training.epoch:", "Did you mean 'epochs'?")),
        (("tiny.toml", "--set", "training.epochs=many"), ("training.epochs:", "integer")),
        (("tiny.toml", "--set", "rule.beta=nan"), ("rule.beta:", "finite")),
        (("tiny.toml", "--set", "training.rate_decay=2"), ("training.rate_decay:", "less than or equal to 1")),
        (("tiny.toml", "--set", "network.projections.7.gain=1"), ("network.projections.7.gain", "Use 0 to 1")),
        (("tiny.toml", "--set", "seed"), ("--set:", "not key=value", "training.epochs=5")),
        (("tiny.toml", "--set", "seed=2", "--seed", "3"), ("seed:", "given twice")),
        (("tiny.toml", "--seed", "-1"), ("seed:", "greater than or equal to 0")),
        (("tiny.toml", "--epochs", "-1"), ("training.epochs:",)),
        (("tiny.toml", "--out", "."), (".:", "folder")),
        (("tiny.toml", "--out", "tiny.toml/run.h5"), ("tiny.toml:", "cannot be written")),
        (("--resume", "nowhere.h5"), ("nowhere.h5:", "no such file")),
        (("--resume", "tiny.toml"), ("tiny.toml:", "not a run file")),
    ],
)
def test_training_refuses(invoke, tmp_path, arguments, words, json):
    refused(invoke("train", *arguments, *json), *words)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["tiny.toml"]


@pytest.mark.parametrize(
    "arguments",
    [("train", "--epochs", "x"), ("train", "--nosuch"), ("nosuch",), ("evaluate",), ("stdp", "--protocol", "x")],
)
def test_what_the_command_line_cannot_read_is_a_mistake_too(invoke, arguments):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr


def arrays(**changed):
    labels = np.arange(20) % 2
    images = np.linspace(0, 1, 20 * 4).reshape(20, 2, 2)
    made = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels} | changed
    return {name: array for name, array in made.items() if array is not None}


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"x_train": np.full((20, 2, 2), np.nan)}, ("x_train:", "NaN")),
        ({"x_test": np.zeros((20, 3, 2))}, ("x_test:", "shape")),
        ({"y_test": None}, ("y_test:", "missing")),
        ({"x_train": np.array([{}] * 20, dtype=object)}, ("x_train:", "never unpickled")),
        ({"y_test": np.full(20, 7)}, ("y_test:", "label 7")),
        ({"y_train": np.zeros(20, int)}, ("y_train:", "only one class")),
        ({"x_train": np.zeros((0, 2, 2)), "y_train": np.zeros(0, int)}, ("x_train:", "no samples")),
    ],
)
def test_your_own_data_are_checked(invoke, tmp_path, changed, words):
    np.savez(tmp_path / "own.npz", **arrays(**changed))
    refused(invoke("train", "tiny.toml", "--dataset", "own.npz"), *words)
    assert not list(tmp_path.rglob("*.h5"))


def test_a_truncated_file_of_your_own(invoke, tmp_path):
    np.savez(tmp_path / "own.npz", **arrays())
    content = (tmp_path / "own.npz").read_bytes()
    (tmp_path / "own.npz").write_bytes(content[: len(content) // 2])
    refused(invoke("train", "tiny.toml", "--dataset", "own.npz"), "own.npz:", "truncated or damaged")


def test_a_corrupted_data_set_is_known_by_its_checksum(invoke, tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"mnist/{name}-ubyte.gz").write_bytes(b"no")
    monkeypatch.setenv("EQSPIKE_DATA", str(tmp_path))
    refused(invoke("train", "tiny.toml", "--dataset", "mnist"), "expected md5", "Replace it by the original")


@pytest.mark.parametrize("command", [("evaluate",), ("energy",), ("stdp",), ("train", "--resume")])
def test_a_run_file_from_the_future(invoke, run_file, command):
    with h5py.File(run_file, "r+") as file:
        file.attrs["schema_version"] = SCHEMA_VERSION + 1
    before = run_file.read_bytes()
    refused(invoke(*command, run_file), "run.h5", "newer", "pgrade")
    assert run_file.read_bytes() == before


@pytest.mark.parametrize("command", ["evaluate", "energy", "stdp"])
@pytest.mark.parametrize(
    "name, problem", [("tiny.toml", "not a run file"), ("nowhere.h5", "no such file"), (".", "folder")]
)
def test_a_file_that_is_no_run(invoke, command, name, problem):
    refused(invoke(command, name), f"error: {name}:", problem)


def test_evaluating_images_of_another_size(invoke, run_file, tmp_path):
    np.savez(tmp_path / "own.npz", **arrays())
    result = invoke("evaluate", run_file, "--dataset", "own.npz")
    refused(result, "--dataset:", "4 pixels in 2 classes", "64 pixels in 10 classes")


@pytest.mark.parametrize("tick", ["0", "-1", "inf", "nan"])
def test_a_tick_that_is_no_time(invoke, run_file, tick):
    refused(invoke("energy", run_file, "--tick-s", tick), "--tick-s:", "Give seconds above zero")


def test_the_training_protocol_needs_a_run(invoke):
    refused(invoke("stdp", "--protocol", "training"), "RUN:", "Name a run file")


def test_a_figure_that_exists(invoke, tmp_path):
    (tmp_path / "mine.png").write_text("precious")
    refused(invoke("stdp", "--out", "mine.png"), "mine.png:", "--force")
    assert (tmp_path / "mine.png").read_text() == "precious"


def test_too_little_memory(invoke, monkeypatch):
    def greedy():
        raise MemoryError("unable to allocate 9 TiB")

    monkeypatch.setattr("eqspike.data.available_datasets", greedy)
    refused(invoke("datasets"), "memory:", "9 TiB", "smaller")


def test_an_interruption_before_anything_began(invoke, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("eqspike.data.available_datasets", interrupted)
    refused(invoke("datasets"), "Ctrl-C", code=130)
