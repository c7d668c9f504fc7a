"""What a user meets first: the README's code, the public names, the weight of the import."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import eqspike

README = Path(__file__).parents[2] / "README.md"


def _blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


def test_the_readmes_first_example_runs(capsys: pytest.CaptureFixture) -> None:
    scope: dict = {}
    exec(_blocks()[0], scope)
    said = capsys.readouterr().out
    assert scope["run"].test_accuracy >= 0.95
    assert "test accuracy 9" in said and "generic-45nm" in said


def test_the_readmes_rule_runs_in_the_engine() -> None:
    scope: dict = {}
    exec(next(block for block in _blocks() if "def on_pre" in block), scope)
    network = eqspike.Network(
        (eqspike.Layer("input", 4, "source"), eqspike.Layer("output", 2, "lif", eqspike.Neuron())),
        (eqspike.Projection("input", "output", eqspike.Synapse(learning_rate=0.1)),),
    )
    phases = eqspike.Phases(free_ticks=30, nudged_ticks=0, readout_ticks=10)
    import numpy as np

    substrate = eqspike.SpikingSubstrate(network, scope["rule"], phases, eqspike.Encoding(kind="poisson"))
    before = substrate.get_weights()[0]["input->output"]
    substrate.train(np.ones((1, 4), np.float32), np.zeros(1, np.int64), np.arange(1), 0, 1, scale=1.0, offset=0)
    assert not np.array_equal(before, substrate.get_weights()[0]["input->output"])


def test_the_readmes_network_fires_at_a_moderate_rate(capsys: pytest.CaptureFixture) -> None:
    scope: dict = {}
    exec(next(block for block in _blocks() if "simulate" in block), scope)
    rate = float(re.search(r"([\d.]+) Hz", capsys.readouterr().out)[1])
    assert 5 < rate < 100 and scope["simulation"].outcome.kind == "completed"


def test_every_public_name_exists_and_explains_itself() -> None:
    for name in eqspike.__all__:
        found = getattr(eqspike, name)
        if name != "__version__":
            assert (inspect.getdoc(found) or "").strip(), name


def test_docstrings_name_arguments_that_exist() -> None:
    for name in eqspike.__all__:
        found = getattr(eqspike, name)
        if not inspect.isfunction(found):
            continue
        arguments = set(inspect.signature(found).parameters)
        section = re.search(r"Parameters\n-+\n(.*?)(\n\n\w[\w ]*\n-+|\Z)", inspect.getdoc(found) or "", re.DOTALL)
        if section:
            for line in re.findall(r"^([\w, ]+) : ", section[1], re.MULTILINE):
                assert set(line.split(", ")) <= arguments, f"{name}: {line}"


def test_importing_eqspike_loads_nothing_heavy() -> None:
    heavy = ("numba", "h5py", "matplotlib", "sklearn", "scipy", "pooch", "pydantic", "typer")
    code = f"import sys, eqspike; print([m for m in {heavy!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_gallery_is_there_and_its_commands_are_known() -> None:
    import shlex

    from typer.testing import CliRunner

    from eqspike.cli.app import app

    rows = re.findall(
        r"^\| !\[(.+)\]\((docs/gallery/\S+)\) \| `(eqspike .+)` \|$", README.read_text("utf-8"), re.MULTILINE
    )
    assert len(rows) == 3
    for said, picture, command in rows:
        path = README.parent / picture
        assert path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size < 150_000 and len(said) > 20
        words = shlex.split(command)
        assert words[-2:] == ["--figure", path.name]
        helped = CliRunner().invoke(app, [words[1], "--help"], env={"COLUMNS": "200"}).stdout
        assert all(word in helped for word in words if word.startswith("--")), command
