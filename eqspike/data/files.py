"""Where the files of a named data set are found: ``EQSPIKE_DATA``, else the user's cache, else a download.

Whichever way a file came, nothing of it is used before its checksum was compared with the published one.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from eqspike.core.errors import DataError
from eqspike.data.sources import Source, SourceFile

ENVIRONMENT_VARIABLE = "EQSPIKE_DATA"
EMBEDDED, CACHE, DOWNLOAD = "embedded", "cache", "download"


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
    folder = user_folder()
    if folder is not None and (folder / source.folder / file.name).is_file():
        return folder / source.folder / file.name, ENVIRONMENT_VARIABLE
    cached = cache_folder() / source.folder / file.name
    return (cached, CACHE) if cached.is_file() else None


def whereabouts(source: Source) -> str:
    """Return where ``source`` would be read from: the farthest of the ways that its files are found."""
    if not source.files:
        return EMBEDDED
    ways = [found[1] if found else DOWNLOAD for found in (find(source, file) for file in source.files)]
    return next(way for way in (DOWNLOAD, CACHE, ENVIRONMENT_VARIABLE) if way in ways)


def read_file(source: Source, file: SourceFile) -> bytes:
    """Return the verified content of ``file``, downloading it into the cache if this machine does not have it.

    Raises
    ------
    DataError : no way leads to the file, or its checksum is not the published one.
    """
    found = find(source, file)
    path, way = found if found else (_download(source, file), CACHE)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error}.", field=str(path), remedy="Check its permissions.") from error
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5 != file.md5:
        mend = "Delete it and try again: it will be downloaded anew" if way == CACHE else "Replace it by the original"
        raise DataError(
            f"the file is damaged or not the original: expected md5 {file.md5}, found {md5} ({len(content):,} bytes).",
            field=str(path),
            remedy=f"{mend} ({source.url}{file.name}).",
        )
    return content


def _download(source: Source, file: SourceFile) -> Path:
    import pooch

    folder = cache_folder() / source.folder
    try:
        return Path(pooch.retrieve(source.url + file.name, known_hash=f"md5:{file.md5}", fname=file.name, path=folder))
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
        f"{source.url}{file.name}."
    )
