"""Counts as files: what is written comes back equal, and what is wrong is named."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.cost_cases import TABLE

from eqspike.core.errors import ConfigError, OutputError
from eqspike.costing.counts import counts_document, read_counts, write_counts
from hw_models import LayerShape, PhaseCounts, ProjectionShape, Workload
from hw_models.errors import WorkloadError
from hw_models.workload import LAYER_COUNTERS, PROJECTION_COUNTERS

LAYERS = (LayerShape("input", 64, False), LayerShape("hid,den", 2**40))
PROJECTIONS = (
    ProjectionShape("input->hid,den", "input", "hid,den", 640, 8, False, True, 32),
    ProjectionShape("bias->hid,den", "hid,den", "hid,den", 10, 1, True, False),
)
COUNTS = st.dictionaries(
    st.sampled_from(
        [(one.name, counter) for one in LAYERS for counter in LAYER_COUNTERS]
        + [(one.name, counter) for one in PROJECTIONS for counter in PROJECTION_COUNTERS]
    ),
    st.integers(0, 2**62),
)
SUFFIXES = ("json", "toml", "csv")


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(free=COUNTS, test=COUNTS, tick_s=st.floats(1e-12, 1e3), name=st.sampled_from(["tiny", 'a "name", é', "1"]))
def test_what_is_written_comes_back_equal(tmp_path_factory, suffix, free, test, tick_s, name) -> None:
    phases = (PhaseCounts("free", 3, 2**53 + 1, free, learning=False), PhaseCounts("test", 0, 0, test, learning=True))
    workload = Workload(name, LAYERS, PROJECTIONS, phases, tick_s)
    path = tmp_path_factory.mktemp("counts") / f"counts.{suffix}"
    write_counts(workload, path)
    assert read_counts(path) == workload


def test_a_table_needs_no_more_than_the_counts_and_their_sizes(tmp_path) -> None:
    (tmp_path / "mine.csv").write_text(TABLE)
    read = read_counts(tmp_path / "mine.csv")
    assert read.name == "mine" and read.tick_s == 1e-6
    assert read.layers == (LayerShape("a", 4, False), LayerShape("b", 2, True)), "b's state was evaluated"
    assert read.projections == (ProjectionShape("a->b", "a", "b", 8, 8, False, False),)
    assert read.phases[0].presentations == 10 and read.total("go", "synaptic_events") == 60


def test_free_and_nudged_phases_learn_unless_they_say_otherwise(tmp_path) -> None:
    for name, rows, learning in (("a", "", True), ("b", "free,run,learning,0\n", False)):
        (tmp_path / f"{name}.csv").write_text(TABLE.replace("go,", "free,") + rows)
        assert read_counts(tmp_path / f"{name}.csv").phases[0].learning is learning


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("schema,1", "schema,2", ("schema", "ledger schema 2", "1 known here")),
        (",run,schema,1\n", "", ("schema", "do not say")),
        ("phase,entity", "entity,phase", ("first line", "phase,entity,counter,count")),
        ("a,spikes,30", "a,spikes,-30", ("phase go: a: spikes", "-30")),
        ("a,spikes,30", "a,spikes,3.5", ("phase go: a: spikes", "3.5")),
        ("a,spikes,30", "a,spikes,many", ("line 10", "'many'")),
        ("a,spikes,30", "a,spike,30", ("'spike'", "spikes")),
        ("a,spikes,30", "c,spikes,30", ("'c'", "Known: a, a->b, b")),
        ("a,spikes,30", "a,spikes,30\ngo,a,spikes,31", ("line 11", "twice")),
        ("a,spikes,30", "a,spikes", ("line 10", "3 cells")),
        ("a->b,weight_bits,8\n", "a->b,weight,8\n", ("line 7", "'weight'", "weight_bits")),
        (",a->b,weight_bits,8\n", "", ("projections.a->b.weight_bits", "missing", "to the file")),
        ("weight_bits,8", "weight_bits,0", ("weight_bits", "greater than or equal to 1")),
        ("tick_s,1e-6", "tick_s,0", ("tick_s", "greater than 0")),
        ("tick_s,1e-6", "tick_s,nan", ("tick_s",)),
        (",run,tick_s,1e-6\n", "", ("tick_s", "missing")),
        ("go,run,ticks,100\n", "", ("phases.go.ticks", "missing")),
    ],
)
def test_a_bad_table_is_refused_by_name(tmp_path, old, new, words) -> None:
    assert old in TABLE
    (tmp_path / "bad.csv").write_text(TABLE.replace(old, new))
    with pytest.raises(WorkloadError) as caught:
        read_counts(tmp_path / "bad.csv")
    assert all(word in str(caught.value) for word in ("bad.csv", *words)), str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": 7}, ("schema", "7")),
        ({"extra": 1}, ("extra", "no such setting")),
        ({"phases": {}}, ("phases",)),
        ({"layers": {"a": {"neurons": "four"}}}, ("layers.a.neurons", "integer")),
        ({"layers": {}}, ("projection", "does not exist")),
    ],
)
def test_a_bad_document_is_refused_by_name(tmp_path, change, words) -> None:
    (tmp_path / "mine.csv").write_text(TABLE)
    document = counts_document(read_counts(tmp_path / "mine.csv")) | change
    (tmp_path / "bad.json").write_text(json.dumps(document))
    with pytest.raises(WorkloadError) as caught:
        read_counts(tmp_path / "bad.json")
    assert all(word in str(caught.value) for word in ("bad.json", *words)), str(caught.value)


@pytest.mark.parametrize(("name", "text"), [("no.json", "{"), ("no.toml", "a = "), ("no.json", "[]"), ("no.csv", "")])
def test_what_is_no_counts_file_is_refused(tmp_path, name, text) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(WorkloadError, match=name):
        read_counts(tmp_path / name)


def test_a_missing_file_an_unknown_form_and_an_existing_file(tmp_path) -> None:
    with pytest.raises(WorkloadError, match=r"nowhere\.json"):
        read_counts(tmp_path / "nowhere.json")
    with pytest.raises(ConfigError, match=r"\.json, \.toml, \.csv"):
        read_counts(tmp_path / "counts.xls")
    (tmp_path / "mine.csv").write_text(TABLE)
    with pytest.raises(OutputError, match="exists"):
        write_counts(read_counts(tmp_path / "mine.csv"), tmp_path / "mine.csv")
    assert (tmp_path / "mine.csv").read_text() == TABLE
