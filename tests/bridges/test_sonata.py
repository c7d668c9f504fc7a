"""SONATA: spikes there and back, as libsonata reads them, and reports that lie."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from eqspike.bridges.sonata import read_sonata, write_sonata
from eqspike.bridges.tables import Recording, Segment, recording_of
from eqspike.cli.app import app
from eqspike.core.errors import ModelError, OutputError, ProbeError
from eqspike.training.run import Run


def recording(**layers: tuple[list[float], list[int]]) -> Recording:
    spikes = {name: (np.array(t, float), np.array(i, np.int64)) for name, (t, i) in layers.items()}
    return Recording("r", {name: 10 for name in layers}, (Segment(1.0, spikes),))


@settings(max_examples=10)
@given(data=st.data())
def test_spikes_come_back_as_they_went(data: st.DataObject, tmp_path_factory) -> None:
    spike = st.tuples(st.integers(0, 10**9), st.integers(0, 9))
    drawn = {name: sorted(data.draw(st.sets(spike, max_size=12))) for name in ("first", "second layer", "ü")}
    layers = {name: ([t * 1e-6 for t, _ in pairs], [i for _, i in pairs]) for name, pairs in drawn.items()}
    path = tmp_path_factory.mktemp("sonata") / "s.h5"
    write_sonata(path, recording(**layers))
    back = read_sonata(path)
    for name, pairs in drawn.items():
        t, i = back.segments[0].spikes[name]
        assert list(zip(np.rint(t * 1e6).astype(int).tolist(), i.tolist(), strict=True)) == pairs
        assert back.sizes[name] == max((i for _, i in pairs), default=-1) + 1


def test_libsonata_reads_what_we_write(probed: Run, tmp_path: Path) -> None:
    libsonata = pytest.importorskip("libsonata")
    write_sonata(tmp_path / "s.h5", probed, segment=1)
    reader = libsonata.SpikeReader(str(tmp_path / "s.h5"))
    assert sorted(reader.get_population_names()) == ["hidden", "output"]
    for name in ("hidden", "output"):
        t, i = recording_of(probed).segments[1].spikes[name]
        found = reader[name].get()
        assert str(reader[name].sorting).endswith("by_time") and len(found) == len(t) > 0
        expected = sorted(zip(np.rint(t * 1e3).tolist(), i.tolist(), strict=True))
        assert [(round(time), node) for node, time in found] == expected


def test_the_file_follows_the_format(tmp_path: Path) -> None:
    write_sonata(tmp_path / "s.h5", recording(a=([0.5, 0.25], [3, 4])))
    with h5py.File(tmp_path / "s.h5") as file:
        assert file.attrs["magic"] == 0x0A7A and file.attrs["version"].tolist() == [0, 1]
        group = file["spikes/a"]
        assert group["timestamps"][()].tolist() == [250.0, 500.0] and group["node_ids"][()].tolist() == [4, 3]
        assert group["timestamps"].attrs["units"] == "milliseconds"
        kinds = h5py.check_enum_dtype(group.attrs.get_id("sorting").dtype)
        assert kinds["by_time"] == group.attrs["sorting"]


def test_the_command_writes_a_run_and_a_network(probed: Run, tmp_path: Path) -> None:
    probed.path = tmp_path / "run.h5"
    probed.save()
    probed.path = None
    for words in ((tmp_path / "run.h5", "--presentation", 1), ("brunel-1k", "--duration", 0.01)):
        done = CliRunner().invoke(
            app, ["export", *map(str, words), "--to", "sonata", "--out", str(tmp_path / "s.h5"), "--force"]
        )
        assert done.exit_code == 0, done.stderr
        assert read_sonata(tmp_path / "s.h5").segments[0].spikes
    done = CliRunner().invoke(
        app,
        ["export", str(tmp_path / "run.h5"), "--presentation", "9", "--to", "sonata", "--out", str(tmp_path / "t.h5")],
    )
    assert done.exit_code == 2 and "no segment 9" in done.stderr and not (tmp_path / "t.h5").exists()


def test_what_cannot_be_written_is_refused(probed: Run, tmp_path: Path) -> None:
    for name in ("a/b", "..", ""):
        with pytest.raises(ModelError, match="no name of a population"):
            write_sonata(tmp_path / "s.h5", recording(**{name: ([0.1], [1])}))
    assert not (tmp_path / "s.h5").exists()
    (tmp_path / "s.h5").write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        write_sonata(tmp_path / "s.h5", recording())
    silent = Run(probed.spec, probed.network, probed.substrate, probed.data)
    with pytest.raises(ProbeError, match="recorded no spikes"):
        write_sonata(tmp_path / "t.h5", silent)


# ---- reports that lie ------------------------------------------------------------------------------------------------


def _not_hdf5(path: Path) -> None:
    path.write_bytes(b"\x80\x04\x95 a pickle, say")


def _no_spikes(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["nodes"] = [1]


def _external_link(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("spikes")["a"] = h5py.ExternalLink("/etc/hostname", "/")


def _external_data(path: Path) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("spikes/a")
        group.create_dataset("timestamps", (4,), "f8", external=[("/etc/hostname", 0, 32)])
        group["node_ids"] = np.zeros(4, np.int64)


def _circle(path: Path) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("spikes/a")
        group["again"] = file["spikes"]


def _objects(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("spikes/a/timestamps", (2,), h5py.vlen_dtype(np.uint8))


def _huge(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name in ("timestamps", "node_ids"):
            file.create_dataset(f"spikes/a/{name}", (10**12,), "f8", chunks=(1000,))


def _lengths(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["spikes/a/timestamps"], file["spikes/a/node_ids"] = [1.0, 2.0], [1]


def _flat(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["spikes/a"] = [1.0]


def _negative(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["spikes/a/timestamps"], file["spikes/a/node_ids"] = [-1.0], [1]


def _nan(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["spikes/a/timestamps"], file["spikes/a/node_ids"] = [np.nan], [1]


def _large_id(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["spikes/a/timestamps"], file["spikes/a/node_ids"] = [1.0], np.array([2**63 + 5], np.uint64)


def _texts(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["spikes/a/timestamps"], file["spikes/a/node_ids"] = ["soon"], [1]


def _fortnights(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["spikes/a/timestamps"], file["spikes/a/node_ids"] = [1.0], [1]
        file["spikes/a/timestamps"].attrs["units"] = "fortnights"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_not_hdf5, "no HDF5 file"), (_no_spikes, "missing"), (_external_link, "link leads elsewhere"),
        (_external_data, "another file"), (_circle, "circle"), (_objects, "not numbers"), (_huge, "bytes"),
        (_lengths, "one a spike"), (_flat, "one a spike"), (_negative, "before 0"), (_nan, "no time"),
        (_large_id, "out of range"), (_texts, "no numbers"), (_fortnights, "fortnights"),
    ],
)  # fmt: skip
def test_reports_that_lie_are_refused(make, said: str, tmp_path: Path) -> None:
    make(tmp_path / "s.h5")
    with pytest.raises(ModelError, match=said):
        read_sonata(tmp_path / "s.h5")


def test_a_report_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        read_sonata(tmp_path / "s.h5")


def test_seconds_of_others_are_understood(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["spikes/a/timestamps"], file["spikes/a/node_ids"] = [2.0, 1.0], [1, 0]
        file["spikes/a/timestamps"].attrs["units"] = np.bytes_("seconds")
    t, i = read_sonata(tmp_path / "s.h5").segments[0].spikes["a"]
    assert t.tolist() == [1.0, 2.0] and i.tolist() == [0, 1]
