"""Opening NIR files that anybody may have made: everything is looked at before anything is read.

A file is read only if it holds plain groups and arrays of numbers and texts: no links out of it or in circles, no data
kept elsewhere, no objects, no filter that HDF5 would load as a plug-in, and no more bytes than fit.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from eqspike.core.errors import ModelError

MOST_BYTES = 1 << 29  # of all arrays together, as declared
_DEEPEST, _MOST_ENTRIES = 16, 100_000
_FILTERS = (1, 2, 3, 32000)  # deflate, shuffle, checksum, lzf: those that h5py brings itself
# What h5py and nir raise on files that are not what they seem.
_DAMAGE = (OSError, KeyError, ValueError, TypeError, AttributeError, AssertionError, IndexError, RuntimeError)


def require_nir() -> Any:
    """Return the package nir.

    Raises
    ------
    ModelError
        if it is not installed.
    """
    try:
        import nir
    except ModuleNotFoundError:
        raise ModelError(
            "there is no package nir.", field="nir", remedy="Install it with: pip install 'eqspike[interop]'."
        ) from None
    return nir


def read_nir(path: str | PathLike) -> Any:
    """Return the graph in the file at ``path``.

    Raises
    ------
    ModelError
        if there is no such file, or it is not one that is safe to read.
    """
    nir, where = require_nir(), str(path)
    if not Path(path).is_file():
        raise ModelError("there is no such file.", field=where, remedy="Check the path.")
    inspect_hdf5(where, "node", "nir.write")
    try:
        return nir.read(where, type_check=False)
    except _DAMAGE as error:
        raise ModelError(
            f"this is no NIR graph ({_reason(error)}).", field=where, remedy="Write it again with nir."
        ) from error


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")


def inspect_hdf5(where: str, needed: str, writer: str) -> None:
    """Refuse an HDF5 file that is not safe to read, or does not hold the group ``needed`` that ``writer`` writes.

    Raises
    ------
    ModelError
        that names the part at fault.
    """
    import h5py

    try:
        with h5py.File(where, "r") as file:
            found = _Inspection(where, writer)
            found.group(file, "", 0)
            if not isinstance(file.get(needed), h5py.Group):
                found.refuse(needed, "it is missing", f"Write the file again with {writer}.")
    except _DAMAGE as error:
        raise ModelError(
            f"this is no HDF5 file, or it is damaged ({_reason(error)}).",
            field=where,
            remedy=f"Give a file that {writer} wrote.",
        ) from error


class _Inspection:
    """A walk through a file that reads names, types and shapes, never data."""

    def __init__(self, where: str, writer: str) -> None:
        self.where, self.bytes, self.entries = where, 0, 0
        self.remedy = f"Give a file that {writer} wrote."
        self.seen: set[tuple[int, int]] = set()

    def refuse(self, name: str, problem: str, remedy: str) -> None:
        raise ModelError(f"{problem}.", field=f"{self.where}: {name or '/'}", remedy=remedy)

    def group(self, group: Any, name: str, depth: int) -> None:
        """Look at a group and all that is in it."""
        import h5py

        info = h5py.h5o.get_info(group.id)
        if (info.fileno, info.addr) in self.seen or depth > _DEEPEST:
            self.refuse(name, "groups hold each other in a circle, or too deep", self.remedy)
        self.seen.add((info.fileno, info.addr))
        for key in group:
            self.entries += 1
            if self.entries > _MOST_ENTRIES:
                self.refuse(name, f"it has more than {_MOST_ENTRIES:,} entries", "Give a smaller model.")
            here = f"{name}/{key}"
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                self.refuse(here, "a link leads elsewhere, and none is followed", "Store the data itself.")
            member = group[key]
            if isinstance(member, h5py.Group):
                self.group(member, here, depth + 1)
            elif isinstance(member, h5py.Dataset):
                self.array(member, here)
            else:
                self.refuse(here, "it is neither a group nor an array", self.remedy)

    def array(self, array: Any, name: str) -> None:
        """Look at what an array declares of itself."""
        import h5py

        text = h5py.check_string_dtype(array.dtype) is not None
        if not text and array.dtype.kind not in "biuf":
            self.refuse(name, f"it holds {array.dtype}, not numbers or texts", "Store numbers.")
        plist = array.id.get_create_plist()
        if plist.get_external_count() or array.is_virtual:
            self.refuse(name, "its data lie in another file", "Store the data themselves.")
        filters = [plist.get_filter(k)[0] for k in range(plist.get_nfilters())]
        if any(code not in _FILTERS for code in filters):
            self.refuse(name, "it needs a filter that would be loaded from outside", "Compress with gzip, or not.")
        self.bytes += (array.size or 0) * max(array.dtype.itemsize, 1)
        if self.bytes > MOST_BYTES:
            self.refuse(
                name,
                f"the arrays up to shape {array.shape} declare {self.bytes:,} bytes, at most {MOST_BYTES:,} are read",
                "Give a smaller model.",
            )
