from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

from eqspike.core.ledger import LAYER_COUNTERS, PHASES, Ledger
from eqspike.recording import RunContent, read_run, read_summary, write_run

TEXTS = ("status", "config", "environment", "results", "progress", "ledger")
FOLDERS = ("metrics", "weights", "biases", "spikes_per_neuron", "probes")


def same(one: RunContent, other: RunContent) -> None:
    for name in TEXTS:
        assert getattr(one, name) == getattr(other, name), name
    for name in FOLDERS:
        ours, theirs = getattr(one, name), getattr(other, name)
        assert set(ours) == set(theirs), name
        for key in ours:
            assert ours[key].dtype == theirs[key].dtype, key
            np.testing.assert_array_equal(ours[key], theirs[key], err_msg=key)


def test_a_run_reads_back_equal_to_the_last_bit(run, content):
    same(read_run(run), content)


def test_names_keep_the_order_of_the_network(run, content):
    got = read_run(run)
    assert list(got.weights) == ["input-hidden", "hidden-aus"]
    assert list(got.spikes_per_neuron) == list(content.spikes_per_neuron)
    assert list(got.ledger["phases"]) == list(PHASES)


def test_the_ledger_reads_back_as_a_ledger(run, content):
    ledger = Ledger.from_dict(read_run(run).ledger)
    assert ledger.to_dict() == content.ledger
    assert ledger.phases["inference"].layers[2, 3] == 11 + 2**41


def test_the_smallest_run_reads_back(tmp_path):
    smallest = RunContent("running", {})
    write_run(tmp_path / "run.h5", smallest)
    same(read_run(tmp_path / "run.h5"), smallest)


def test_empty_arrays_read_back(tmp_path):
    empty = RunContent(
        "interrupted",
        {"seed": 1},
        metrics={"epoch": np.zeros(0, np.int64)},
        ledger=Ledger(("input",), ()).to_dict(),
        probes={"spikes/tick": np.zeros(0, np.int32)},
    )
    write_run(tmp_path / "run.h5", empty)
    same(read_run(tmp_path / "run.h5"), empty)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_large_constant_arrays_read_back(tmp_path, value):
    """They shrink a hundredfold and more, and must not be taken for a lie about their size."""
    constant = RunContent("complete", {}, weights={"a": np.full((2000, 1500), value)})
    write_run(tmp_path / "run.h5", constant)
    assert (tmp_path / "run.h5").stat().st_size < 2000 * 1500 * 8 / 100
    same(read_run(tmp_path / "run.h5"), constant)


def test_column_order_strides_and_byte_order_do_not_matter(tmp_path):
    weights = np.arange(24.0).reshape(4, 6)
    stored = {
        "columns": np.asfortranarray(weights),
        "strided": np.repeat(weights, 2, axis=1)[:, ::2],
        "swapped": weights.astype(">f8"),
    }
    write_run(tmp_path / "run.h5", RunContent("complete", {}, weights=stored))
    for name, values in read_run(tmp_path / "run.h5").weights.items():
        np.testing.assert_array_equal(values, weights, err_msg=name)
        assert values.dtype == np.float64


def test_the_summary_reads_no_array(run, content):
    with h5py.File(run, "r+") as file:
        file["weights/input-hidden"][0, 0] = 9
    got = read_summary(run)
    assert (got.status, got.config, got.environment) == ("complete", content.config, content.environment)
    assert (got.results, got.progress) == (content.results, content.progress)


def test_plain_h5py_reads_it(run, content):
    with h5py.File(run) as file:
        np.testing.assert_array_equal(file["weights/input-hidden"][:], content.weights["input-hidden"])
        np.testing.assert_array_equal(file["metrics/train_accuracy"][:], content.metrics["train_accuracy"])
        column = list(file["ledger/layer_counters"].asstr()[:]).index("spikes")
        row = list(file["ledger/layer_names"].asstr()[:]).index("hidden")
        assert file["ledger/nudged/layers"][row, column] == content.ledger["phases"]["nudged"]["layers"][1][0]
        assert len(file["ledger/layer_counters"]) == len(LAYER_COUNTERS)
        assert json.loads(file["config"].asstr()[()]) == content.config
        assert file.attrs["format"] == "eqspike-run"
        assert file.attrs["schema_version"] == 1
        assert file.attrs["status"] == "complete"
        assert file.attrs["created"] == "2025-01-01T00:00:00+00:00"
        assert file.attrs["eqspike_version"] == "0.1.0"


def test_every_dataset_says_what_it_is(run):
    seen = {}

    def look(name, item):
        if isinstance(item, h5py.Dataset):
            seen[name] = item
            dimensions = item.attrs["dimensions"]
            assert len(dimensions.split(", ") if dimensions else []) == item.ndim, name
            assert item.attrs["unit"] and item.attrs["meaning"], name

    with h5py.File(run) as file:
        file.visititems(look)
        assert len(seen) == 50
        assert seen["weights/input-hidden"].attrs["dimensions"] == "pre[input-hidden], post[input-hidden]"
        assert seen["metrics/seconds"].attrs["unit"] == "s"


def test_the_manifest_holds_the_checksum_of_every_array(run, content):
    with h5py.File(run) as file:
        sums = json.loads(file["manifest"].asstr()[()])["sha256"]
        assert sums["weights/hidden-aus"] == hashlib.sha256(content.weights["hidden-aus"].tobytes()).hexdigest()
        names = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    assert set(sums) == set(names) - {"manifest"}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("status", "done", "status 'done'"),
        ("weights", {"a": np.zeros(3)}, "weights/a: its shape"),
        ("weights", {"a": np.zeros((3, 3), np.int64)}, "weights/a: its type is int64"),
        ("weights", {"a": np.zeros((3, 3), np.float16)}, "weights/a: its type is float16"),
        ("weights", {"a/b": np.zeros((3, 3))}, "weights/a/b: no such array"),
        ("weights", {"..": np.zeros((3, 3))}, "no such array"),
        ("weights", {"": np.zeros((3, 3))}, "no such array"),
        ("biases", {"a": np.array([{}])}, "biases/a: its type is object"),
        ("metrics", {"loss": np.zeros(3)}, "metrics/loss: no such array"),
        ("metrics", {"epoch": np.arange(2), "seconds": np.zeros(3)}, "epoch has size 3, that of metrics/epoch 2"),
        ("biases", {"hidden": np.zeros(5)}, r"neuron\[hidden\] has size"),
        ("probes", {"spikes/time": np.arange(3)}, "probes/spikes/time: no such array"),
        ("spikes_per_neuron", {"hidden": np.zeros((3, 4), np.int32)}, "its type is int32"),
        ("config", {"path": object()}, "config is not JSON"),
        ("config", {"sizes": (1, 2)}, "config must be a dict of JSON types"),
        ("results", {"accuracy": float("nan")}, "results is not JSON"),
        ("progress", {3: 4}, "progress must be"),
    ],
)
def test_what_the_schema_does_not_declare_is_not_written(tmp_path, content, field, value, message):
    setattr(content, field, value)
    with pytest.raises(ValueError, match=message):
        write_run(tmp_path / "new.h5", content)
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_is_written_fast(tmp_path):
    weights = {"input-hidden": np.random.default_rng(1).random((784, 300), np.float32)}
    content = RunContent("running", {}, weights=weights)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        write_run(tmp_path / "run.h5", content, overwrite=True)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.5  # 0.04 s on an idle machine


def test_importing_the_package_does_not_import_h5py():
    code = (
        "import eqspike.recording as r, sys; assert 'h5py' not in sys.modules; r.read_run; assert 'h5py' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
