from __future__ import annotations

import contextlib
import functools
import hashlib
import http.server
import logging
import lzma
import threading
from dataclasses import replace

import pytest

from eqspike.core.errors import DataError
from eqspike.data import files

pytestmark = pytest.mark.usefixtures("cache")
users_cache_folder = files.cache_folder  # before the fixture replaces it


@pytest.fixture
def offline(monkeypatch):
    """Every download fails as it does without a network."""
    import pooch

    def fail(*args, **kwargs):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(pooch, "retrieve", fail)


def test_eqspike_data_comes_first(tiny, cache, tmp_path, monkeypatch, offline):
    tiny.write(cache)
    folder = tiny.write(tmp_path / "data")
    monkeypatch.setenv("EQSPIKE_DATA", str(tmp_path / "data"))
    file = tiny.source.files[0]
    assert files.find(tiny.source, file) == (folder / file.name, "EQSPIKE_DATA")
    assert files.read_file(tiny.source, file) == tiny.contents[file.name]
    assert files.whereabouts(tiny.source) == "EQSPIKE_DATA"


@pytest.mark.parametrize("value", [None, "", "other"])
def test_the_cache_comes_next(tiny, cache, tmp_path, monkeypatch, offline, value):
    tiny.write(cache)
    if value is not None:
        (tmp_path / "other").mkdir()
        monkeypatch.setenv("EQSPIKE_DATA", value and str(tmp_path / value))
    file = tiny.source.files[1]
    assert files.read_file(tiny.source, file) == tiny.contents[file.name]
    assert files.whereabouts(tiny.source) == "cache"


def test_a_data_set_is_as_far_as_its_farthest_file(tiny, cache, tmp_path, monkeypatch):
    assert files.whereabouts(tiny.source) == "download"
    cached = tiny.write(cache)
    folder = tiny.write(tmp_path / "data")
    monkeypatch.setenv("EQSPIKE_DATA", str(tmp_path / "data"))
    (folder / "x_test.gz").unlink()
    assert files.whereabouts(tiny.source) == "cache"
    (cached / "x_test.gz").unlink()
    assert files.whereabouts(tiny.source) == "download"
    assert files.whereabouts(replace(tiny.source, files=())) == "embedded"


def test_a_variable_that_names_no_folder_is_refused(tiny, tmp_path, monkeypatch):
    for wrong in (tmp_path / "nowhere", tmp_path / "file"):
        (tmp_path / "file").touch()
        monkeypatch.setenv("EQSPIKE_DATA", str(wrong))
        with pytest.raises(DataError, match="not a folder") as caught:
            files.read_file(tiny.source, tiny.source.files[0])
        assert caught.value.field == "EQSPIKE_DATA"
        assert str(wrong) in str(caught.value)


def test_a_file_may_be_packed_with_xz(batches, cache, offline):
    folder = batches.write(cache)
    file = batches.source.files[0]
    (folder / file.name).unlink()
    (folder / "first.xz").write_bytes(lzma.compress(batches.contents["first"]))
    assert files.read_file(batches.source, file) == batches.contents["first"]
    assert files.whereabouts(batches.source) == "cache"


@pytest.mark.parametrize(
    "damage, problem",
    [
        (lambda packed: packed[:-5], "xz file is truncated or damaged"),
        (lambda packed: b"PK" + packed[2:], "xz file is truncated or damaged"),
        (lambda packed: packed[:200] + b"!!" + packed[202:], "xz file is truncated or damaged"),
        (lambda packed: b"", "xz file is truncated or damaged"),
        (lambda packed: lzma.compress(lzma.decompress(packed) + b"!"), "expected md5"),
    ],
)
def test_damage_to_a_packed_file_is_found(batches, cache, damage, problem):
    folder = batches.write(cache)
    (folder / "first").unlink()
    (folder / "first.xz").write_bytes(damage(lzma.compress(batches.contents["first"])))
    with pytest.raises(DataError, match=problem) as caught:
        files.read_file(batches.source, batches.source.files[0])
    assert caught.value.field == str(folder / "first.xz")
    assert "http://127.0.0.1:9/tiny.tar" in caught.value.remedy


def test_a_small_packed_file_cannot_fill_the_memory(batches, cache, monkeypatch):
    monkeypatch.setattr(files, "_LARGEST", 1000)
    folder = batches.write(cache)
    (folder / "first").unlink()
    (folder / "first.xz").write_bytes(lzma.compress(bytes(10**6)))
    with pytest.raises(DataError, match=r"expected md5 .* \(1,000 bytes\)"):
        files.read_file(batches.source, batches.source.files[0])


def test_a_file_may_lie_in_the_folder_that_its_archive_unpacks_to(batches, cache, offline):
    batches.write(cache).joinpath("inside").mkdir()
    folder = cache / batches.source.folder
    (folder / "last").rename(folder / "inside" / "last")
    assert files.read_file(batches.source, batches.source.files[2]) == batches.contents["last"]


@pytest.mark.parametrize("way", ["EQSPIKE_DATA", "cache"])
@pytest.mark.parametrize("damage", [lambda content: content[:-5], lambda content: b"\x00" + content[1:], lambda _: b""])
def test_damage_is_found_whichever_way_the_file_came(tiny, cache, tmp_path, monkeypatch, way, damage):
    file = tiny.source.files[0]
    folder = tiny.write(cache if way == "cache" else tmp_path / "data")
    if way == "EQSPIKE_DATA":
        monkeypatch.setenv("EQSPIKE_DATA", str(tmp_path / "data"))
    damaged = damage(tiny.contents[file.name])
    (folder / file.name).write_bytes(damaged)
    with pytest.raises(DataError, match="damaged") as caught:
        files.read_file(tiny.source, file)
    assert caught.value.field == str(folder / file.name)
    assert f"expected md5 {file.md5}, found {hashlib.md5(damaged).hexdigest()}" in str(caught.value)
    assert ("Delete it" if way == "cache" else "Replace it") in caught.value.remedy


def test_a_file_without_permission_is_refused(tiny, cache, monkeypatch):
    folder = tiny.write(cache)

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(folder), "read_bytes", refuse)
    with pytest.raises(DataError, match="Permission denied") as caught:
        files.read_file(tiny.source, tiny.source.files[0])
    assert caught.value.field == str(folder / "x_train.gz")


def test_without_any_way_the_error_names_all_three(tiny, cache, offline):
    with pytest.raises(DataError, match="no route to host") as caught:
        files.read_file(tiny.source, tiny.source.files[0])
    assert caught.value.field == "tiny"
    for way in ("EQSPIKE_DATA", "it is not set", str(cache / "tiny_folder"), "http://127.0.0.1:9/x_train.gz"):
        assert way in caught.value.remedy


def test_the_error_says_what_eqspike_data_lacks(tiny, tmp_path, monkeypatch, offline):
    monkeypatch.setenv("EQSPIKE_DATA", str(tmp_path))
    with pytest.raises(DataError, match="where there is no folder tiny_folder"):
        files.read_file(tiny.source, tiny.source.files[0])
    (tmp_path / "tiny_folder").mkdir()
    with pytest.raises(DataError, match="whose folder tiny_folder lacks this file"):
        files.read_file(tiny.source, tiny.source.files[0])


def test_a_refused_connection_is_the_same_error(tiny):
    """The real downloader, at a port where nobody listens."""
    with pytest.raises(DataError, match="the download failed"):
        files.read_file(tiny.source, tiny.source.files[0])


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextlib.contextmanager
def serving(source, folder):
    """Publish ``folder`` by a server on this machine; yields the source with its address, and the folder."""
    handler = functools.partial(_QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield replace(source, url=f"http://127.0.0.1:{server.server_port}/"), folder
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def served(tiny, tmp_path):
    with serving(tiny.source, tiny.write(tmp_path / "published")) as published:
        yield published


@pytest.fixture
def served_archive(batches, tmp_path):
    """The batches, published in one archive."""
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "tiny.tar").write_bytes(batches.archive)
    with serving(batches.source, folder) as published:
        yield published


def test_a_download_lands_in_the_cache_and_says_nothing_on_stdout(tiny, served, cache, capfd):
    source, published = served
    file = source.files[2]
    assert files.read_file(source, file) == tiny.contents[file.name]
    assert (cache / "tiny_folder" / file.name).read_bytes() == tiny.contents[file.name]
    (published / file.name).unlink()
    assert files.read_file(source, file) == tiny.contents[file.name]
    assert capfd.readouterr().out == ""


def test_a_download_that_is_not_the_original_is_refused_and_not_kept(served, cache):
    source, published = served
    file = source.files[2]
    (published / file.name).write_bytes(b"<html>not here any more</html>")
    with pytest.raises(DataError, match="the download failed"):
        files.read_file(source, file)
    assert not (cache / "tiny_folder" / file.name).exists()


def test_an_archive_is_downloaded_once_and_unpacked_into_the_cache(batches, served_archive, cache, capfd):
    source, published = served_archive
    assert files.read_file(source, source.files[1]) == batches.contents["second"]
    (published / "tiny.tar").unlink()
    for file in source.files:
        assert files.read_file(source, file) == batches.contents[file.name]
    inside = cache / "tiny_batches" / "inside"
    assert sorted(path.name for path in inside.iterdir()) == ["first", "last", "second"]
    (inside / "last").unlink()
    assert files.read_file(source, source.files[2]) == batches.contents["last"]
    assert capfd.readouterr().out == ""


def test_an_archive_that_is_not_the_original_is_refused_and_not_unpacked(batches, served_archive, cache):
    source, published = served_archive
    (published / "tiny.tar").write_bytes(batches.archive + b"!")
    with pytest.raises(DataError, match="the download failed") as caught:
        files.read_file(source, source.files[0])
    for way in ("EQSPIKE_DATA", "tiny_batches/first", str(cache / "tiny_batches"), f"{source.url}tiny.tar"):
        assert way in caught.value.remedy
    assert not list((cache / "tiny_batches").iterdir())


def test_a_file_that_the_server_lacks_is_refused(served, cache):
    source, published = served
    file = source.files[2]
    (published / file.name).unlink()
    with pytest.raises(DataError, match="404"):
        files.read_file(source, file)
    assert not (cache / "tiny_folder" / file.name).exists()


def test_pooch_logs_to_stderr_only():
    import pooch

    streams = [h.stream.name for h in pooch.get_logger().handlers if isinstance(h, logging.StreamHandler)]
    assert "<stdout>" not in streams


def test_the_cache_is_eqspikes_own():
    folder = users_cache_folder()
    assert "eqspike" in folder.parts
