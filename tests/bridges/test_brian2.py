"""Brian2: exported scripts do what the engine does, spike for spike and weight for weight; the rest is refused."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from eqspike.bridges import brian2 as bridge
from eqspike.bridges.brian2 import write_brian2
from eqspike.bridges.brian2_crosscheck import Train, compare_trains, crosscheck
from eqspike.cli.app import app
from eqspike.core.errors import DataError, ModelError, OutputError
from eqspike.training.api import load_data, resolve
from eqspike.training.run import Run, new_run

SHORT = {"phases.free_ticks": 24, "phases.nudged_ticks": 16, "phases.readout_ticks": 12, "network.hidden": [12]}
EVERYTHING = SHORT | {
    "name": "everything at once",
    "encoding": {"kind": "poisson", "max_rate": 0.7},
    "network.hidden": [12, 9],
    "network.neuron": {"leak": 0.04, "reset": "hard", "reset_value": -0.1, "refractory_ticks": 1, "v_max": 1.5},
    "network.projections": [
        {"learning_rate": 0.2, "w_min": -0.2, "gain": 3.0},
        {"learning_rate": 0.2, "tau_synapse_ticks": 3, "commit": "end_of_phase", "w_max": 0.4, "gain": 3.0},
        {"learning_rate": 0.2, "gain": 3.0},
    ],
    "rule.derivative": "slow_trace",
    "rule.random_sign": False,
}


def prepared(changes: dict, n: int = 3) -> tuple[Run, np.ndarray, np.ndarray]:
    spec = resolve("eqspike-digits", changes)
    dataset = load_data(spec)
    return new_run(spec, dataset), dataset.x_test[:n], dataset.y_test[:n]


def invoke(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def with_settings(changes: dict) -> list[str]:
    return [word for key, value in changes.items() for word in ("--set", f"{key}={value}")]


# ---- the engine and Brian2 -------------------------------------------------------------------------------------------


def check_agreement(found: dict) -> None:
    assert found["samples"] == 3 and found["learning"]["samples"] == 2
    for part in (found, found["learning"]):
        assert part["spikes_ours"] == part["spikes_brian2"] > 50
        assert part["identical_trains"] is True and part["identical_answers"] is True
        assert part["worst_difference_s"] == part["differing_trains"] == part["unpaired_spikes"] == 0
        assert all(layer["rate_ours_hz"] == layer["rate_brian2_hz"] for layer in part["layers"].values())
        assert part["layers"]["output"]["spikes_ours"] > 0
    for arrays in (found["learning"]["weights"], found["learning"]["biases"]):
        for array in arrays.values():
            assert array["largest_change"] > 1e-4
            assert array["worst_difference"] <= 8 * np.finfo(float).eps * max(1.0, array["largest"])


def test_a_static_input_agrees_spike_for_spike_and_learns_the_same() -> None:
    pytest.importorskip("brian2")
    changes = with_settings(SHORT)
    done = invoke("crosscheck", "eqspike-digits", "--samples", 3, "--learning", 2, "--json", *changes)
    assert done.exit_code == 0, done.stderr
    check_agreement(json.loads(done.stdout))


def test_spiking_input_and_every_setting_agree_and_the_run_stays_as_it_was() -> None:
    pytest.importorskip("brian2")
    run, images, labels = prepared(EVERYTHING)
    before = [array.copy() for arrays in run.substrate.get_weights() for array in arrays.values()]
    check_agreement(crosscheck(run, images, labels, learning=2))
    after = [array for arrays in run.substrate.get_weights() for array in arrays.values()]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert run.substrate.dtype == np.float32 and run.ledger.total("inference", "spikes") == 0


def test_a_difference_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("brian2")
    run, images, labels = prepared(SHORT)
    write = bridge.script_text
    monkeypatch.setattr(bridge, "script_text", lambda *of: write(*of).replace("v >= 1.0", "v >= 1.01", 1))
    found = crosscheck(run, images, labels, learning=0)
    assert "learning" not in found
    assert found["identical_trains"] is False and found["differing_trains"] > 0
    assert found["worst_difference_s"] > 0


def test_a_script_that_fails_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("brian2")
    monkeypatch.setattr(bridge, "script_text", lambda *of: "raise ValueError('no such thing')")
    with pytest.raises(ModelError, match="ValueError: no such thing"):
        crosscheck(*prepared(SHORT), learning=0)


@given(data=st.data())
def test_trains_are_compared_as_a_slow_search_does(data: st.DataObject) -> None:
    samples, size = 2, 3
    spike = st.tuples(st.integers(0, samples - 1), st.integers(0, 9), st.integers(0, size - 1))
    sides = [sorted(data.draw(st.sets(spike, max_size=14))) for _ in range(2)]
    differing = unpaired = worst = 0
    for sample in range(samples):
        for neuron in range(size):
            a, b = ([t for s, t, i in side if (s, i) == (sample, neuron)] for side in sides)
            differing += a != b
            unpaired += abs(len(a) - len(b))
            worst = max([worst, *(abs(x - y) for x, y in zip(a, b, strict=False))])
    trains = [Train(*np.array(side, np.int64).reshape(-1, 3).T) for side in sides]
    assert compare_trains(*trains, size, samples) == (differing, unpaired, worst)


# ---- the files -------------------------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-6, 1e6))
def test_what_lies_beside_the_script_gives_the_network_back(seed: int, scale: float, tmp_path_factory) -> None:
    run, images, labels = prepared(SHORT | {"network.precision": 64}, 2)
    rng = np.random.default_rng(seed)
    weights, biases = (
        {name: scale * rng.normal(size=values.shape) for name, values in arrays.items()}
        for arrays in run.substrate.get_weights()
    )
    run.substrate.set_weights(weights, biases)
    script, beside = write_brian2(run, images, labels, tmp_path_factory.mktemp("script") / "a.py")
    with np.load(beside, allow_pickle=False) as stored:
        for folder, arrays in (("weights", weights), ("biases", biases)):
            assert all(np.array_equal(stored[f"{folder}/{name}"], values) for name, values in arrays.items())
        assert np.array_equal(stored["images"], images) and np.array_equal(stored["labels"], labels)
        assert set(stored["signs"].tolist()) <= {-1.0, 1.0}
    assert script.suffix == ".py"


@pytest.mark.parametrize("changes", [SHORT, EVERYTHING], ids=["static", "everything"])
def test_the_script_is_readable_and_needs_brian2_alone(changes: dict, tmp_path: Path) -> None:
    run, images, labels = prepared(changes)
    text = write_brian2(run, images, labels, tmp_path / "net.py")[0].read_text("utf-8")
    tree = ast.parse(text)
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert modules == {"argparse", "pathlib", "numpy", "brian2"}
    assert "dv/dt" in text and "SpikeMonitor" in text and "* second" in text
    assert max(map(len, text.splitlines())) <= 120


def test_a_hostile_name_stays_text(tmp_path: Path) -> None:
    run, images, labels = prepared(SHORT | {"name": '"""\nimport os; os.abort()\n"""\\'})
    tree = ast.parse(write_brian2(run, images, labels, tmp_path / "net.py")[0].read_text("utf-8"))
    assert "os.abort" in ast.get_docstring(tree).replace("_", ".") or "abort" in ast.get_docstring(tree)
    assert not any(isinstance(node, ast.Import) and node.names[0].name == "os" for node in ast.walk(tree))


@pytest.mark.parametrize(
    ("name", "said"),
    [('a"""b.py', "letters"), ("a\nb.py", "letters"), ("a\\.py", "letters"), ("a.txt", "Python file")],
)
def test_names_that_would_break_the_script_are_refused(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=said):
        write_brian2(*prepared(SHORT), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda x, y: (x[:, :-1], y),
        lambda x, y: (x[:0], y[:0]),
        lambda x, y: (x, y + 100),
        lambda x, y: (x * np.nan, y),
        lambda x, y: (x[:2], y),
    ],
)
def test_samples_that_do_not_fit_are_refused(damage, tmp_path: Path) -> None:
    run, images, labels = prepared(SHORT)
    with pytest.raises(DataError, match="samples"):
        write_brian2(run, *damage(images, labels), tmp_path / "a.py")
    assert not (tmp_path / "a.py").exists()


def test_networks_without_words_in_brian2_are_refused(tmp_path: Path) -> None:
    fixed = {"weight_bits": 4, "weight_exponents": [-5, -4]}
    changes = {"network.fixed_point": fixed, "rule.tau_ticks": 16, "rule.delay_ticks": 16}
    run, images, labels = prepared(SHORT | changes)
    with pytest.raises(ModelError, match="integers of a chip"):
        write_brian2(run, images, labels, tmp_path / "a.py")
    run.spec = resolve("perceptron-8bit")
    with pytest.raises(ModelError, match="do not spike"):
        write_brian2(run, images, labels, tmp_path / "a.py")


def test_without_brian2_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bridge, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"pip install 'eqspike\[brian2\]'"):
        crosscheck(*prepared(SHORT))
    assert write_brian2(*prepared(SHORT), tmp_path / "a.py")[0].exists()  # to write is not to run


# ---- the commands ----------------------------------------------------------------------------------------------------


def test_crosscheck_explains_mistakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run, _, _ = prepared(SHORT)
    run.path = tmp_path / "run.h5"
    run.save()
    for words, said in (
        (("eqspike-digits", "--samples", 100_000), "test samples"),
        (("nowhere",), "no recipe"),
        ((run.path, "--set", "seed=2"), "--set"),
        (("hopfield-1", "--set", "data.name=digits"), "do not spike"),
    ):
        done = invoke("crosscheck", *words)
        assert done.exit_code == 2 and said in done.stderr, done.stderr
    monkeypatch.setattr(bridge, "find_spec", lambda name: None)
    done = invoke("crosscheck", "eqspike-digits")
    assert done.exit_code == 2 and "eqspike[brian2]" in done.stderr


def test_export_writes_a_script_of_a_run_and_of_a_recipe(tmp_path: Path) -> None:
    run, _, _ = prepared(SHORT)
    run.path = tmp_path / "run.h5"
    run.save()
    for source, settings_ in ((run.path, []), ("eqspike-digits", with_settings(SHORT))):
        out = tmp_path / f"{len(settings_)}.py"
        done = invoke("export", source, "--to", "brian2", "--out", out, "--samples", 2, "--json", *settings_)
        assert done.exit_code == 0, done.stderr
        assert json.loads(done.stdout)["files"] == [str(out), str(out.with_suffix(".npz"))]
        with np.load(out.with_suffix(".npz"), allow_pickle=False) as stored:
            assert np.array_equal(stored["weights/input->hidden"], run.weights["input->hidden"])
    for words, said in (
        (("eqspike-digits", "--out", tmp_path / "0.py"), "exists already"),
        (("eqspike-digits", "--out", tmp_path / "b.py", "--duration", 1), "--duration"),
        ((run.path, "--out", tmp_path / "b.py", "--set", "seed=2"), "--set"),
        (("brunel-1k", "--out", tmp_path / "b.py"), "no recipe"),
    ):
        done = invoke("export", *words, "--to", "brian2")
        assert done.exit_code == 2 and said in done.stderr
