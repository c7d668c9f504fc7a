from __future__ import annotations

import h5py
import pytest

from eqspike.recording import describe_schema
from eqspike.recording.schema import SCHEMA, find_spec, misaligned


def test_every_array_is_declared_once():
    """A path with its placeholders filled in fits its own declaration and no other."""
    assert len({spec.path for spec in SCHEMA}) == len(SCHEMA)
    for spec in SCHEMA:
        path = spec.path.replace("{", "").replace("}", "")
        assert [other.path for other in SCHEMA if other.pattern.fullmatch(path)] == [spec.path]


def test_every_declaration_is_whole():
    for spec in SCHEMA:
        assert spec.dtypes and spec.unit and spec.meaning, spec.path
        assert all(spec.dimensions), spec.path


def test_placeholders_reach_the_dimensions():
    spec = find_spec("weights/input-hidden")
    assert spec.path == "weights/{projection}"
    assert spec.dimensions_at("weights/input-hidden") == ("pre[input-hidden]", "post[input-hidden]")


@pytest.mark.parametrize("path", ["weights", "weights/a/b", "weights/", "other", "configs", "metrics/loss"])
def test_other_paths_are_not_declared(path):
    assert find_spec(path) is None


def test_arrays_that_share_a_dimension_are_aligned():
    assert misaligned({"weights/a": (2, 3), "weights/b": (3, 2)}) is None
    assert misaligned({"metrics/epoch": (2,), "metrics/seconds": (3,)})[0] == "metrics/seconds"
    assert misaligned({"biases/a": (2,), "probes/potential/a": (1, 1, 3)})[0] == "probes/potential/a"


def test_the_description_names_every_array_of_a_file(run):
    described = describe_schema()
    declared = [line.split("`")[1].lstrip("/") for line in described.splitlines() if line.startswith("| `/")]
    assert declared == [spec.path for spec in SCHEMA]
    names = []
    with h5py.File(run) as file:
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    assert {find_spec(name).path for name in names} <= set(declared)
    assert "| `/metrics/seconds` | float32 or float64 | epoch | s | wall time of the epoch |" in described
