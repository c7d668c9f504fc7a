"""Reading ``.npz`` files that anybody may have made: nothing is unpickled, no header is taken at its word."""

from __future__ import annotations

import hashlib
import math
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from eqspike.core.errors import DataError
from eqspike.data.checks import OPTIONAL, REQUIRED, check_names

MAX_VALUES = 2**30  # per array: 4 GiB as float32, twenty times the training images of MNIST
_SUFFIX = ".npy"
_REMEDY = "Save it again with numpy.savez(file, x_train=..., y_train=..., x_test=..., y_test=...)."
# What zipfile, zlib and numpy's header parser raise on damaged bytes.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    tokenize.TokenError,
    EOFError,
    MemoryError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


def read_npz(path: Path) -> tuple[dict[str, np.ndarray], str]:
    """Return the arrays of a data set in ``path`` and the file's checksum; other arrays in the file are not read.

    Raises
    ------
    DataError : no such file, not an ``.npz``, damaged, an array is missing, holds objects, or is too large.
    """
    try:
        with path.open("rb") as handle:
            checksum = hashlib.file_digest(handle, _md5).hexdigest()
            handle.seek(0)
            with zipfile.ZipFile(handle) as archive:
                return _read_arrays(archive), f"md5:{checksum}"
    except FileNotFoundError as error:
        raise DataError("there is no such file.", field=str(path), remedy="Check the path.") from error
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror or error}.", field=str(path), remedy="Give a readable .npz file."
        ) from error
    except _DAMAGE as error:
        raise DataError(
            f"this is not an .npz file, or it is truncated or damaged ({_reason(error)}).",
            field=str(path),
            remedy=_REMEDY,
        ) from error


def _md5():
    return hashlib.md5(usedforsecurity=False)


def _reason(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")


def _read_arrays(archive: zipfile.ZipFile) -> dict[str, np.ndarray]:
    members = {
        info.filename.removesuffix(_SUFFIX): info for info in archive.infolist() if info.filename.endswith(_SUFFIX)
    }
    check_names(members)
    return {name: _read_member(archive, name, members[name]) for name in (*REQUIRED, *OPTIONAL) if name in members}


def _read_member(archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> np.ndarray:
    try:
        with archive.open(info) as member:
            shape, dtype = _read_header(member)
            _check_header(name, shape, dtype, info.file_size - member.tell())
        with archive.open(info) as member:
            return np.lib.format.read_array(member, allow_pickle=False)
    except _DAMAGE as error:
        raise DataError(f"the array is damaged ({_reason(error)}).", field=name, remedy=_REMEDY) from error


def _check_header(name: str, shape: tuple[int, ...], dtype: np.dtype, held_bytes: int) -> None:
    if dtype.hasobject or dtype.kind not in "buif":
        kind = "Python objects, which are never unpickled" if dtype.hasobject else str(dtype)
        raise DataError(f"the array holds {kind}.", field=name, remedy="Save integers or floats: array.astype(float).")
    if any(isinstance(extent, bool) or extent < 0 for extent in shape):
        raise DataError(f"the array's header declares shape {shape}.", field=name, remedy=_REMEDY)
    values = math.prod(shape)
    if values > MAX_VALUES:
        raise DataError(
            f"the array declares shape {shape}, {values:,} values; at most {MAX_VALUES:,} are read.",
            field=name,
            remedy="Save fewer or smaller images.",
        )
    if values * dtype.itemsize != held_bytes:
        raise DataError(
            f"the header declares {values * dtype.itemsize:,} bytes of data, the archive holds {held_bytes:,}.",
            field=name,
            remedy=_REMEDY,
        )


def _read_header(member) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(member)
    if version != (1, 0):  # later versions exist for the long headers of structured arrays only
        raise ValueError(f"its format version is {version[0]}.{version[1]}, that of plain arrays is 1.0")
    shape, _, dtype = np.lib.format.read_array_header_1_0(member)
    return shape, dtype
