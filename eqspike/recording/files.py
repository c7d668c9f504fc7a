"""Writing a file so that its name always holds either the old content or the new one, whole."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from eqspike.core.errors import OutputError

_REMEDIES = {
    errno.ENOSPC: "Free some space, or choose another place with --out.",
    errno.EDQUOT: "Free some of your quota, or choose another place with --out.",
    errno.EFBIG: "The file system or a limit forbids a file of this size: choose another place with --out.",
    errno.ENAMETOOLONG: "Choose a shorter name with --out.",
}
_DEFAULT_REMEDY = "Choose a place that you may write to with --out."
# What file systems without hard links answer.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL)


def check_output(path: str | os.PathLike, *, overwrite: bool = False) -> None:
    """Refuse a place that a run file cannot be written to, before any work is done; missing folders are created.

    Raises
    ------
    OutputError : the file exists and ``overwrite`` is false, the path is a folder, no space, no permission.
    """
    target = resolve_target(path, overwrite=overwrite)
    _make_folder(target.parent)
    trial = _temporary(target)
    try:
        with trial.open("xb"):
            pass
        trial.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


def resolve_target(path: str | os.PathLike, *, overwrite: bool) -> Path:
    """Return the file that ``path`` names, links followed, if it may be written."""
    try:
        target = Path(os.path.realpath(path))
        exists, is_folder, is_file = target.exists(), target.is_dir(), target.is_file()
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        raise _unwritable(path, error) from error
    if is_folder:
        raise OutputError("this is a folder.", field=str(path), remedy="Name a file in it with --out.")
    if exists and not is_file:
        raise OutputError("this is not a regular file.", field=str(path), remedy="Name a file with --out.")
    if exists and not overwrite:
        raise _exists(path)
    return target


def write_atomically(path: str | os.PathLike, content: bytes, *, overwrite: bool) -> None:
    """Write ``content`` to a hidden file beside ``path``, bring it to the disk, and give it the name in one step.

    Raises
    ------
    OutputError : as for :func:`check_output`, also when another process created the file meanwhile.
    """
    with atomic_file(path, overwrite=overwrite) as handle:
        handle.write(content)


@contextmanager
def atomic_file(path: str | os.PathLike, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Yield a hidden file beside ``path`` to write to piece by piece; whole and on the disk, it is given the name.

    What raises inside leaves no trace: neither the name nor the hidden file.

    Raises
    ------
    OutputError : as for :func:`write_atomically`.
    """
    target = resolve_target(path, overwrite=overwrite)
    _make_folder(target.parent)
    temporary = _temporary(target)
    try:
        try:
            with temporary.open("xb") as handle:
                yield handle
                handle.flush()
                os.fsync(handle.fileno())
            _publish(temporary, target, overwrite)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(target.parent)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        raise _unwritable(path, error) from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _temporary(target: Path) -> Path:
    return target.with_name(f".eqspike-{os.getpid()}-{secrets.token_hex(4)}.tmp")


def _publish(temporary: Path, target: Path, overwrite: bool) -> None:
    """Give the file its name; a link, unlike a rename, fails if the name was taken meanwhile."""
    if not overwrite:
        try:
            os.link(temporary, target)
            return
        except FileExistsError:
            raise
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    temporary.replace(target)


def _sync_folder(folder: Path) -> None:
    """Bring the new name to the disk too, where folders can be synchronised; the file is whole in any case."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _exists(path: str | os.PathLike) -> OutputError:
    return OutputError(
        "the file exists already.", field=str(path), remedy="Replace it with --force, or name another with --out."
    )


def _unwritable(path: str | os.PathLike, error: OSError | ValueError) -> OutputError:
    reason = getattr(error, "strerror", None) or str(error)
    remedy = _REMEDIES.get(getattr(error, "errno", None), _DEFAULT_REMEDY)
    return OutputError(f"the file cannot be written: {reason}.", field=str(path), remedy=remedy)
