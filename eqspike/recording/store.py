"""Run files: written atomically, read with distrust."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from eqspike.core.errors import RunFileError
from eqspike.recording import hdf5
from eqspike.recording.content import STATUSES, RunContent, RunSummary, from_arrays, from_text, to_arrays
from eqspike.recording.environment import current_environment
from eqspike.recording.files import resolve_target, write_atomically
from eqspike.recording.schema import SCHEMA_VERSION, TEXTS


def write_run(path: str | os.PathLike, content: RunContent, *, overwrite: bool = False) -> None:
    """Write a run to one HDF5 file; until the new file is whole and on the disk, the old one keeps its name.

    Parameters
    ----------
    path : the file; missing folders are created, a symbolic link is followed.
    content : the run.
    overwrite : replace an existing file.

    Raises
    ------
    OutputError : the file exists and ``overwrite`` is false, no space, no permission, the path is a folder.
    ValueError : ``content`` does not follow the schema.
    """
    resolve_target(path, overwrite=overwrite)
    arrays = to_arrays(content)
    described = current_environment() | content.environment
    attributes = {
        "format": hdf5.FORMAT,
        "schema_version": SCHEMA_VERSION,
        "eqspike_version": described["eqspike"],
        "created": described["created"],
        "status": content.status,
    }
    write_atomically(path, hdf5.encode(arrays, attributes), overwrite=overwrite)


def read_run(path: str | os.PathLike) -> RunContent:
    """Read a whole run file.

    Raises
    ------
    RunFileError : missing, not a run file, damaged, from a newer schema, or not as the schema declares.
    """
    path = Path(path)
    with hdf5.open_run(path) as (file, manifest):
        return from_arrays(_status(path, manifest), hdf5.read_arrays(path, file, manifest))


def read_summary(path: str | os.PathLike) -> RunSummary:
    """Read status, configuration, environment, results and progress of a run, without its arrays.

    Raises
    ------
    RunFileError : as for :func:`read_run`; damage of the arrays goes unseen.
    """
    path = Path(path)
    with hdf5.open_run(path) as (file, manifest):
        texts = {name: from_text(name, hdf5.read_text(path, file, manifest, name)) for name in TEXTS}
        return RunSummary(_status(path, manifest), **texts)


def _status(path: Path, manifest: Mapping) -> str:
    status = manifest["status"]
    if status not in STATUSES:
        raise RunFileError(
            f"the status is {status!r}, none of {', '.join(STATUSES)}.",
            field=f"{path}, status",
            remedy="Restore the file from a copy, or run the training again.",
        )
    return status
