"""The file's name always holds the old run or the new one, whole, whatever happens while writing."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys

import pytest

from eqspike.core.errors import OutputError
from eqspike.recording import check_output, read_run, write_run
from eqspike.recording import files as module


def refused(action, path, *words):
    with pytest.raises(OutputError) as caught:
        action()
    assert caught.value.field == str(path)
    assert caught.value.remedy
    for word in words:
        assert word in str(caught.value)


def failing(code):
    def fail(*_args, **_kwargs):
        raise OSError(code, os.strerror(code))

    return fail


def test_an_existing_file_is_not_replaced_unasked(run, content):
    before = run.read_bytes()
    content.status = "running"
    refused(lambda: write_run(run, content), run, "exists", "--force", "--out")
    refused(lambda: check_output(run), run, "exists", "--force", "--out")
    assert run.read_bytes() == before


def test_an_existing_file_is_replaced_when_asked(run, content):
    check_output(run, overwrite=True)
    content.status = "running"
    write_run(run, content, overwrite=True)
    assert read_run(run).status == "running"
    assert list(run.parent.iterdir()) == [run]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_survives(tmp_path, content, monkeypatch, links):
    path = tmp_path / "run.h5"
    sync = os.fsync

    def meddle(descriptor):
        path.write_text("another's")
        sync(descriptor)

    monkeypatch.setattr(module.os, "fsync", meddle)
    if not links:
        monkeypatch.setattr(module.os, "link", failing(errno.EPERM))
    refused(lambda: write_run(path, content), path, "exists")
    assert path.read_text() == "another's"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_without_hard_links_will_do(tmp_path, content, monkeypatch):
    monkeypatch.setattr(module.os, "link", failing(errno.EOPNOTSUPP))
    write_run(tmp_path / "run.h5", content)
    assert read_run(tmp_path / "run.h5").config == content.config
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.h5"]


def test_missing_folders_are_created(tmp_path, content):
    path = tmp_path / "new" / "folder" / "run.h5"
    write_run(path, content)
    assert read_run(path).status == "complete"
    check_output(tmp_path / "other" / "run.h5")
    assert list((tmp_path / "other").iterdir()) == []


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(errno.ENOSPC, "space"), (errno.EDQUOT, "quota"), (errno.EACCES, "--out"), (errno.EROFS, "--out")],
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_the_old_file_survives_a_failure(run, content, monkeypatch, code, remedy, step):
    before = run.read_bytes()
    owner = {"fsync": module.os, "replace": module.Path}[step]
    monkeypatch.setattr(owner, step, failing(code))
    refused(lambda: write_run(run, content, overwrite=True), run, os.strerror(code), remedy)
    assert run.read_bytes() == before
    assert list(run.parent.iterdir()) == [run]


def test_an_interruption_leaves_nothing_behind(run, content, monkeypatch):
    before = run.read_bytes()

    def interrupt(_descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_run(run, content, overwrite=True)
    assert run.read_bytes() == before
    assert list(run.parent.iterdir()) == [run]


CHILD = """
import sys
import numpy as np
from eqspike.core.errors import OutputError
from eqspike.recording import RunContent, write_run
content = RunContent("running", {}, weights={"a": np.random.default_rng(2).random((300, 300))})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of the kernel")
def test_the_old_file_survives_a_real_limit_on_size(run):
    code = f"""{CHILD}
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    write_run(sys.argv[1], content, overwrite=True)
except OutputError as error:
    print(error)
"""
    before = run.read_bytes()
    done = subprocess.run([sys.executable, "-c", code, str(run)], check=True, capture_output=True, text=True)
    assert os.strerror(errno.EFBIG) in done.stdout
    assert "--out" in done.stdout
    assert done.stderr == ""
    assert run.read_bytes() == before
    assert list(run.parent.iterdir()) == [run]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_the_file_is_whole_after_a_kill_in_the_middle(run):
    code = f"""{CHILD}
write_run(sys.argv[1], content, overwrite=True)
print("ready", flush=True)
while True:
    write_run(sys.argv[1], content, overwrite=True)
"""
    with subprocess.Popen([sys.executable, "-c", code, str(run)], stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"ready\n"
        for _ in range(20):
            assert read_run(run).status == "running"
        child.send_signal(signal.SIGKILL)
    assert read_run(run).weights["a"].shape == (300, 300)


def test_a_folder_is_refused(tmp_path, content):
    refused(lambda: write_run(tmp_path, content, overwrite=True), tmp_path, "folder", "--out")
    refused(lambda: check_output(tmp_path, overwrite=True), tmp_path, "folder")
    assert tmp_path.is_dir()


def test_a_parent_that_is_a_file_is_refused(tmp_path, content):
    (tmp_path / "file").write_text("mine")
    for action in (check_output, lambda path: write_run(path, content)):
        with pytest.raises(OutputError, match="cannot be written") as caught:
            action(tmp_path / "file" / "run.h5")
        assert str(tmp_path / "file") in caught.value.field
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_what_is_no_regular_file_is_refused(tmp_path, content):
    """A pipe stands for all devices: a failing check must not cost the machine its /dev/null."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    refused(lambda: write_run(path, content, overwrite=True), path, "not a regular file")
    assert path.is_fifo()


def test_a_name_that_cannot_be_is_refused(tmp_path, content):
    for path in (tmp_path / ("x" * 300), f"{tmp_path}/a\0b"):
        refused(lambda path=path: write_run(path, content), path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused(tmp_path, content):
    tmp_path.chmod(0o500)
    try:
        refused(
            lambda: write_run(tmp_path / "run.h5", content), tmp_path / "run.h5", os.strerror(errno.EACCES), "--out"
        )
        refused(lambda: check_output(tmp_path / "run.h5"), tmp_path / "run.h5", "--out")
    finally:
        tmp_path.chmod(0o700)


def test_a_symbolic_link_is_followed(run, content, tmp_path):
    link = tmp_path / "link.h5"
    link.symlink_to(run)
    content.status = "interrupted"
    write_run(link, content, overwrite=True)
    assert link.is_symlink()
    assert read_run(run).status == "interrupted"


def test_the_usual_permissions_apply(tmp_path, content):
    (tmp_path / "plain").touch()
    write_run(tmp_path / "run.h5", content)
    assert (tmp_path / "run.h5").stat().st_mode == (tmp_path / "plain").stat().st_mode
