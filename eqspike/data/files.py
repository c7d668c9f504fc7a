"""Where the files of a named data set are found: ``EQSPIKE_DATA``, else the user's cache, else a download.

A folder may hold a file as published, packed with xz, or in the folder that its archive unpacks to. Whichever way a
file came, nothing of it is used before its checksum was compared with the published one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from eqspike.core.errors import DataError
from eqspike.data.sources import Source, SourceFile

ENVIRONMENT_VARIABLE = "EQSPIKE_DATA"
EMBEDDED, CACHE, DOWNLOAD = "embedded", "cache", "download"
_XZ = ".xz"
_LARGEST = 2**26  # bytes unpacked from xz, twice the largest file of any source: no small file can fill the memory


def user_folder() -> Path | None:
    """Return the folder that ``EQSPIKE_DATA`` names, or None when the variable is unset or empty.

    Raises
    ------
    DataError : the variable names something that is not a folder.
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE, "")
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise DataError(
            f"the environment variable names {named!r}, which is not a folder.",
            field=ENVIRONMENT_VARIABLE,
            remedy="Correct it, or unset it to use the cache or a download.",
        )
    return folder


def cache_folder() -> Path:
    """Return the user's cache folder of eqspike, whether or not it exists yet."""
    import pooch

    return Path(pooch.os_cache("eqspike"))


def find(source: Source, file: SourceFile) -> tuple[Path, str] | None:
    """Return the path of ``file`` on this machine and how it was found, or None."""
    places = [file.name, file.name + _XZ]
    if source.archive:
        places.append(f"{source.archive.folder}/{file.name}")
    for root, way in _roots():
        for place in places:
            path = root / source.folder / place
            if path.is_file():
                return path, way
    return None


def _roots() -> Iterator[tuple[Path, str]]:
    named = user_folder()
    if named is not None:
        yield named, ENVIRONMENT_VARIABLE
    yield cache_folder(), CACHE


def whereabouts(source: Source) -> str:
    """Return where ``source`` would be read from: the farthest of the ways that its files are found."""
    if not source.files:
        return EMBEDDED
    ways = [found[1] if found else DOWNLOAD for found in (find(source, file) for file in source.files)]
    return next(way for way in (DOWNLOAD, CACHE, ENVIRONMENT_VARIABLE) if way in ways)


def read_file(source: Source, file: SourceFile) -> bytes:
    """Return the verified content of ``file`` as published, downloading it if this machine does not have it.

    Raises
    ------
    DataError : no way leads to the file, or its checksum is not the published one.
    """
    found = find(source, file)
    path, way = found if found else (_download(source, file), CACHE)
    mend = "Delete it and try again: it will be downloaded anew" if way == CACHE else "Replace it by the original"
    remedy = f"{mend} ({_address(source, file)})."
    content = _content(path, remedy)
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5 != file.md5:
        raise DataError(
            f"the file is damaged or not the original: expected md5 {file.md5}, found {md5} ({len(content):,} bytes).",
            field=str(path),
            remedy=remedy,
        )
    return content


def _content(path: Path, remedy: str) -> bytes:
    try:
        return _unpacked(path) if path.suffix == _XZ else path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error}.", field=str(path), remedy="Check its permissions.") from error
    except EOFError as error:
        raise DataError(f"the xz file is truncated or damaged ({error}).", field=str(path), remedy=remedy) from error


def _unpacked(path: Path) -> bytes:
    import lzma

    try:
        with lzma.open(path) as packed:
            return packed.read(_LARGEST)
    except lzma.LZMAError as error:
        raise EOFError(str(error)) from error


def _address(source: Source, file: SourceFile) -> str:
    return source.url + (source.archive or file).name


def _download(source: Source, file: SourceFile) -> Path:
    import pooch

    folder = cache_folder() / source.folder
    published, unpack, path = file, None, folder / file.name
    if source.archive:
        published, inside = source.archive, source.archive.folder
        unpack = pooch.Untar([f"{inside}/{each.name}" for each in source.files], extract_dir=".")
        path = folder / inside / file.name
    known, address = f"md5:{published.md5}", _address(source, file)
    try:
        pooch.retrieve(address, known_hash=known, fname=published.name, path=folder, processor=unpack)
        return path
    except (OSError, ValueError) as error:  # no network, no permission, no space; a download with a wrong checksum
        reason = " ".join(str(error).split())
        raise DataError(
            f"{file.name} is not on this machine and the download failed: {reason}{'' if reason[-1:] == '.' else '.'}",
            field=source.name,
            remedy=_three_ways(source, file, folder),
        ) from error


def _three_ways(source: Source, file: SourceFile, cache: Path) -> str:
    named = user_folder()
    if named is None:
        state = "it is not set"
    elif not (named / source.folder).is_dir():
        state = f"it is {str(named)!r}, where there is no folder {source.folder}"
    else:
        state = f"it is {str(named)!r}, whose folder {source.folder} lacks this file"
    return (
        f"Three ways to provide it: (1) set {ENVIRONMENT_VARIABLE} to a folder that holds {source.folder}/{file.name} "
        f"({state}); (2) put the file into the cache, {cache}; (3) go online and try again, it is downloaded from "
        f"{_address(source, file)}."
    )
