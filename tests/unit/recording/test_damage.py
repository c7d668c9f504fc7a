"""Whatever lies under the name of a run file: it loads as it was written, or is refused by name."""

from __future__ import annotations

import os

import h5py
import numpy as np
import pytest

from eqspike.core.errors import RunFileError
from eqspike.recording import read_run, read_summary, schema
from eqspike.recording.content import to_arrays


def refused(path, *words, readers=(read_run, read_summary)):
    for reader in readers:
        with pytest.raises(RunFileError) as caught:
            reader(path)
        assert str(path) in caught.value.field
        assert caught.value.remedy
        for word in words:
            assert word in str(caught.value)


def refused_array(path, name, *words):
    refused(path, f"/{name}: ", *words, readers=(read_run,))


def test_a_missing_file_names_its_neighbours(run, tmp_path):
    refused(tmp_path / "rum.h5", "no such file", "Did you mean", "run.h5")
    refused(tmp_path / "nowhere" / "run.h5", "no such file")


def test_a_folder_names_its_run_files(run, tmp_path):
    refused(tmp_path, "folder", "run.h5")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "not a regular file")


def test_an_impossible_name_is_refused():
    refused("a\0b", "cannot be read")


@pytest.mark.parametrize("bytes_", [b"", b"\x89HDF", b"PK\x03\x04 not HDF5", bytes(4096)])
def test_other_files_are_refused(tmp_path, bytes_):
    (tmp_path / "x.h5").write_bytes(bytes_)
    refused(tmp_path / "x.h5", "not a run file")


def test_another_hdf5_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["weights"] = np.zeros(3)
        file.attrs["format"] = "other"
    refused(tmp_path / "x.h5", "not a run file of eqspike")


def test_a_newer_schema_asks_for_an_upgrade(run):
    with h5py.File(run, "r+") as file:
        file.attrs["schema_version"] = schema.SCHEMA_VERSION + 1
    refused(run, "newer eqspike", "Upgrade", "schema 2")


@pytest.mark.parametrize("version", [0, -1, "one", [1, 2], 1.5])
def test_a_version_that_is_none_is_refused(run, version):
    with h5py.File(run, "r+") as file:
        file.attrs["schema_version"] = version
    refused(run, "schema_version")


@pytest.mark.parametrize("name", [*schema.TEXTS, *schema.FOLDERS, "weights/hidden-aus", "ledger/free/ticks"])
def test_what_is_missing_is_named(run, name):
    with h5py.File(run, "r+") as file:
        del file[name]
    refused_array(run, name, "missing")


def test_an_array_that_nobody_declared_is_named(run):
    with h5py.File(run, "r+") as file:
        file["weights/a/b"] = np.zeros(3)
    refused_array(run, "weights/a/b", "declared")


def test_changed_values_are_found(run):
    with h5py.File(run, "r+") as file:
        file["weights/hidden-aus"][1, 1] += 1e-12
    refused_array(run, "weights/hidden-aus", "checksum")


def test_a_changed_configuration_is_found(run):
    with h5py.File(run, "r+") as file:
        file["config"][()] = file["config"][()].replace(b"3", b"4", 1)
    refused(run, "/config", "checksum")


def replaced(make):
    """Return an action that puts what ``make`` builds in the place of weights/hidden-aus, (4, 2)."""

    def act(file):
        del file["weights/hidden-aus"]
        make(file["weights"], "hidden-aus")

    return act


def external_storage(group, name):
    group.create_dataset(name, (4, 2), "f8", external=[("elsewhere.bin", 0, 64)])


def virtual(group, name):
    layout = h5py.VirtualLayout((4, 2), "f8")
    layout[:] = h5py.VirtualSource("/nowhere/other.h5", "data", (4, 2))
    group.create_virtual_dataset(name, layout)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda g, n: g.create_dataset(n, data=np.zeros((4, 2), np.int64)), "type is int64"),
        (lambda g, n: g.create_dataset(n, data=np.zeros(8)), "shape is (8,)"),
        (lambda g, n: g.create_dataset(n, data=h5py.Empty("f8")), "shape is None"),
        (lambda g, n: g.create_dataset(n, data=np.zeros((3, 2))), "checksum"),
        (lambda g, n: g.create_dataset(n, data=np.zeros((4, 2)), maxshape=(None, 2)), "grow"),
        (lambda g, n: g.create_dataset(n, (10**7, 10**7), "f8", chunks=(100, 100)), "0 bytes stored"),
        (
            lambda g, n: g.create_dataset(n, (10**9, 10**9), "f4", chunks=(100, 100), compression="gzip"),
            "0 bytes stored",
        ),
        (lambda g, n: g.create_dataset(n, data=np.zeros((4, 2)), compression="lzf"), "filter"),
        (lambda g, n: g.create_dataset(n, data=[["a"], ["b"]], dtype=h5py.string_dtype()), "references or objects"),
        (lambda g, n: g.create_dataset(n, (4, 2), h5py.vlen_dtype(np.float64)), "references or objects"),
        (lambda g, n: g.create_dataset(n, (4, 2), h5py.ref_dtype), "references or objects"),
        (lambda g, n: g.create_dataset(n, (4, 2), h5py.regionref_dtype), "references or objects"),
        (lambda g, n: g.create_dataset(n, (4, 2), np.dtype([("a", "f8")])), "type is"),
        (lambda g, n: g.create_dataset(n, (4, 2), np.dtype("V8")), "type is"),
        (lambda g, n: g.create_group(n), "no dataset"),
        (lambda g, n: g.__setitem__(n, np.dtype("f8")), "nothing of this kind"),
        (lambda g, n: g.__setitem__(n, h5py.SoftLink("/weights/input-hidden")), "soft link"),
        (lambda g, n: g.__setitem__(n, h5py.SoftLink("/nowhere")), "soft link"),
        (lambda g, n: g.__setitem__(n, h5py.ExternalLink("other.h5", "/a")), "external link"),
        (external_storage, "another file"),
        (virtual, "another file"),
    ],
)
def test_a_strange_array_is_refused_by_name(run, make, word):
    with h5py.File(run, "r+") as file:
        replaced(make)(file)
    refused_array(run, "weights/hidden-aus", word)


def test_a_link_in_place_of_a_text_is_not_followed(run):
    with h5py.File(run, "r+") as file:
        file.move("results", "weights/other")
        file["results"] = h5py.SoftLink("/weights/other")
    refused(run, "/results", "soft link", readers=(read_summary,))


def test_a_folder_within_itself_ends(run):
    with h5py.File(run, "r+") as file:
        file["weights/loop"] = file["weights"]
    refused(run, "/weights/loop", readers=(read_run,))


def test_folders_below_the_schema_are_not_entered(run):
    with h5py.File(run, "r+") as file:
        file.create_group("weights/a/b/c/d/e")
    refused(run, "/weights/a/b/c: ", readers=(read_run,))


def test_arrays_of_different_length_are_refused(run):
    with h5py.File(run, "r+") as file:
        del file["probes/updates/value"]
        file["probes/updates/value"] = np.zeros(9)
    refused_array(run, "probes/updates/value", "update has size 9")


def test_more_than_the_stated_limit_is_not_allocated(run, monkeypatch):
    monkeypatch.setattr("eqspike.recording.hdf5.MAX_BYTES", 2000)
    refused(run, "2,000", readers=(read_run,))


def test_cutting_the_file_anywhere_is_refused(run):
    whole = run.read_bytes()
    for size in np.linspace(1, len(whole) - 1, 60).astype(int):
        run.write_bytes(whole[:size])
        refused(run)


def outcome(reader, path):
    """What a reader makes of a file, or None where it refuses it."""
    try:
        return reader(path)
    except RunFileError as error:
        assert error.remedy and str(path) in error.field
        return None


def values(run) -> dict:
    return {name: (array.shape, array.tobytes()) for name, array in to_arrays(run).items()}


@pytest.mark.parametrize("kind", ["bit", "noise", "zeros"])
def test_damage_anywhere_is_refused_or_harmless(run, kind):
    """Zeros are what a lost page leaves; zeros in HDF5's heap of text once sent the library into an endless loop."""
    whole = run.read_bytes()
    expected, summary = values(read_run(run)), read_summary(run)
    rng = np.random.default_rng({"bit": 1, "noise": 2, "zeros": 3}[kind])
    refusals = 0
    for place in rng.integers(0, len(whole), 100):
        damaged = bytearray(whole)
        if kind == "bit":
            damaged[place] ^= 1 << rng.integers(8)
        else:
            page = damaged[place : place + 256]
            damaged[place : place + 256] = rng.bytes(len(page)) if kind == "noise" else bytes(len(page))
        run.write_bytes(damaged)
        got = outcome(read_run, run)
        refusals += got is None
        assert got is None or values(got) == expected
        assert outcome(read_summary, run) in (None, summary)
    assert refusals > 20
