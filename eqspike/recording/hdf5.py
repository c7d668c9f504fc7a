"""HDF5 and nothing else: arrays of the schema to a file's bytes, and back from a file that anybody may have damaged.

The format is that of HDF5 1.10, whose structures carry checksums of their own; the manifest holds a sha256 of every
array. Text of variable length lies in HDF5's global heap, which has no checksum and sends the library into endless
loops when it is damaged: such text describes the file to its reader (attributes), and is never read back here.
Reading follows no soft or external link, no virtual or external storage and no reference, and allocates nothing
before the declared sizes are compared with the schema and with what the file really holds.
"""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from eqspike.core.errors import RunFileError
from eqspike.recording.schema import FOLDERS, MAX_BYTES, SCHEMA_VERSION, TEXTS, find_spec, misaligned

FORMAT = "eqspike-run"
MANIFEST = "manifest"
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_COMPRESSED_FROM = 4096  # bytes; below, a chunk index costs more than it saves
_DEFLATE_LIMIT = 1040  # deflate cannot shrink further, so more declared bytes than this per stored byte are a lie
_KNOWN_FILTERS = {h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_FLETCHER32}
_MAX_DEPTH = 4
_REMEDY = "Restore the file from a copy, or run the training again."
# What h5py raises on damaged bytes, beside OSError.
_DAMAGE = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    MemoryError,
    NotImplementedError,
    SystemError,
)


def encode(arrays: Mapping[str, np.ndarray], attributes: Mapping[str, str | int]) -> bytes:
    """Return the bytes of an HDF5 file with ``arrays`` by path; built in memory, so HDF5 never sees a full disk."""
    digests = {path: _digest(array) for path, array in arrays.items()}
    manifest = {"format": attributes["format"], "status": attributes["status"], "sha256": digests}
    arrays = {MANIFEST: np.array(json.dumps(manifest).encode()), **arrays}
    size = sum(array.nbytes for array in arrays.values())
    with h5py.File(
        "run", "w", driver="core", backing_store=False, block_size=max(2**16, size // 8), libver=("v110", "v110")
    ) as file:
        for name, value in attributes.items():
            file.attrs[name] = value
        for folder in FOLDERS:
            file.create_group(folder, track_order=True)
        for path, array in arrays.items():
            _write_array(file, path, array)
        file.flush()
        return file.id.get_file_image()


def _write_array(file: h5py.File, path: str, array: np.ndarray) -> None:
    spec = find_spec(path)
    folder, _, name = path.rpartition("/")
    group = _folder(file, folder) if folder else file
    if array.dtype.kind == "S":
        array = array.astype(h5py.string_dtype("utf-8", array.dtype.itemsize))
    options = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
    dataset = group.create_dataset(
        name, data=array, track_times=False, **(options if array.nbytes >= _COMPRESSED_FROM and array.ndim else {})
    )
    dataset.attrs["dimensions"] = ", ".join(spec.dimensions_at(path))
    dataset.attrs["unit"] = spec.unit
    dataset.attrs["meaning"] = spec.meaning


def _folder(file: h5py.File, folder: str) -> h5py.Group:
    """Return a group whose members keep the order of writing, which is that of the network."""
    return file[folder] if folder in file else file.create_group(folder, track_order=True)


def _digest(array: np.ndarray) -> str:
    little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    return hashlib.sha256(little.reshape(-1).view(np.uint8)).hexdigest()


@contextmanager
def open_run(path: Path) -> Iterator[tuple[h5py.File, dict]]:
    """Open a run file and its manifest if this version reads its schema; whatever damage raises is RunFileError."""
    with _named(path):
        _check_file(path)
    try:
        # Nothing is locked: a run file never changes in place, and network file systems often cannot lock.
        with h5py.File(path, "r", locking=False) as file:
            manifest = _read_manifest(path, file)
            _check_version(path, file)
            yield file, manifest
    except _DAMAGE as error:
        raise RunFileError(f"the file is damaged ({_reason(error)}).", field=str(path), remedy=_REMEDY) from error


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise RunFileError("there is no such file.", field=str(path), remedy=_nearby(path)) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RunFileError(
            f"the file cannot be read: {reason}.", field=str(path), remedy="Give a readable run file."
        ) from error


def _check_file(path: Path) -> None:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise RunFileError("this is a folder, not a run file.", field=str(path), remedy=_nearby(path / "any"))
    if not stat.S_ISREG(mode):
        raise RunFileError("this is not a regular file.", field=str(path), remedy="Give a run file.")
    with path.open("rb") as handle:
        if handle.read(len(_SIGNATURE)) != _SIGNATURE:
            raise RunFileError(
                "this is not a run file: it is not HDF5, or it is damaged.",
                field=str(path),
                remedy="Give a file that eqspike train wrote.",
            )


def _nearby(path: Path) -> str:
    try:
        names = sorted(entry.name for entry in path.parent.glob("*.h5"))
    except OSError:
        names = []
    if not names:
        return "Check the path; eqspike train writes run files."
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return f"Did you mean one of these in {path.parent}: {shown}?"


def _reason(error: BaseException) -> str:
    return (str(error) or type(error).__name__).strip("'\"").splitlines()[0].rstrip(".")


def _read_manifest(path: Path, file: h5py.File) -> dict:
    if MANIFEST not in file:
        raise RunFileError(
            "this is an HDF5 file, but not a run file of eqspike.",
            field=str(path),
            remedy="Give a file that eqspike train wrote.",
        )
    text = _read_values(path, MANIFEST, _open_array(path, file, MANIFEST))
    try:
        manifest = json.loads(bytes(text[()]))
    except ValueError as error:
        raise _refusal(path, MANIFEST, f"it is not JSON ({_reason(error)}).") from error
    if manifest["format"] != FORMAT:
        raise _refusal(path, MANIFEST, f"the format is {manifest['format']!r}, not {FORMAT!r}.")
    return manifest


def _check_version(path: Path, file: h5py.File) -> None:
    version = None
    if "schema_version" in file.attrs:
        stored = file.attrs.get_id("schema_version")
        version = int(file.attrs["schema_version"]) if stored.shape == () and stored.dtype.kind in "iu" else None
    if version is None or version < 1:
        raise RunFileError(
            "the attribute schema_version is missing or not a version.", field=f"{path}, schema_version", remedy=_REMEDY
        )
    if version > SCHEMA_VERSION:
        raise RunFileError(
            f"the file was written by a newer eqspike (schema {version}; this one reads up to {SCHEMA_VERSION}).",
            field=f"{path}, schema_version",
            remedy="Upgrade eqspike to read it: python -m pip install --upgrade eqspike.",
        )


def read_arrays(path: Path, file: h5py.File, manifest: Mapping) -> dict[str, np.ndarray]:
    """Return every array of the file by path, in the order of writing, each checked against schema and checksum."""
    found = dict(_walk(path, file, "", 1))
    for kind, names in ((h5py.Group, FOLDERS), (h5py.Dataset, (*TEXTS, *manifest["sha256"]))):
        for name in names:
            if not isinstance(found.get(name), kind):
                raise _refusal(path, name, f"it is missing, or is no {kind.__name__.lower()}.")
    datasets = {name: item for name, item in found.items() if isinstance(item, h5py.Dataset) and name != MANIFEST}
    for name, dataset in datasets.items():
        _check_declared(path, name, dataset)
    wrong = misaligned({name: dataset.shape for name, dataset in datasets.items()})
    if wrong:
        raise _refusal(path, wrong[0], f"{wrong[1]}.")
    total = sum(dataset.nbytes for dataset in datasets.values())
    if total > MAX_BYTES:
        raise _refusal(path, "its arrays", f"they declare {total:,} bytes; at most {MAX_BYTES:,} are read.")
    return {name: _read_checked(path, name, dataset, manifest) for name, dataset in datasets.items()}


def read_text(path: Path, file: h5py.File, manifest: Mapping, name: str) -> np.ndarray:
    """Return one of the scalar texts in the root, without touching the arrays."""
    return _read_checked(path, name, _open_array(path, file, name), manifest)


def _open_array(path: Path, file: h5py.File, name: str) -> h5py.Dataset:
    if name not in file:
        raise _refusal(path, name, "it is missing.")
    _check_link(path, name, file.get(name, getlink=True))
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset):
        raise _refusal(path, name, "it is not an array.")
    _check_declared(path, name, dataset)
    return dataset


def _walk(path: Path, group: h5py.Group, prefix: str, depth: int) -> Iterator[tuple[str, h5py.HLObject]]:
    """Yield (path, group or dataset) for all that hangs on ``group`` by hard links."""
    for key in group:
        name = f"{prefix}{key}"
        _check_link(path, name, group.get(key, getlink=True))
        item = group[key]
        if isinstance(item, h5py.Dataset):
            if find_spec(name) is None:
                raise _refusal(path, name, "no such array is declared in the schema.")
            yield name, item
        elif isinstance(item, h5py.Group) and depth < _MAX_DEPTH and name.partition("/")[0] in FOLDERS:
            yield name, item
            yield from _walk(path, item, f"{name}/", depth + 1)
        else:
            raise _refusal(path, name, "nothing of this kind is declared in the schema.")


def _check_link(path: Path, name: str, link: object) -> None:
    if not isinstance(link, h5py.HardLink):
        kind = "an external link" if isinstance(link, h5py.ExternalLink) else "a soft link"
        raise _refusal(path, name, f"it is {kind}, which is never followed.")


def _check_declared(path: Path, name: str, dataset: h5py.Dataset) -> None:
    """Compare type, shape and storage with the schema and with each other, before any value is read."""
    if dataset.dtype.hasobject:
        raise _refusal(path, name, "it holds references or objects of variable length, which are never followed.")
    problem = find_spec(name).problem_with(dataset.shape, dataset.dtype)
    if problem:
        raise _refusal(path, name, f"{problem}.")
    if dataset.maxshape != dataset.shape:  # only then can a chunk be larger than the array
        raise _refusal(path, name, "its shape can grow, which that of an array in a run file cannot.")
    if dataset.is_virtual or dataset.external:
        raise _refusal(path, name, "its values lie in another file, which is never followed.")
    properties = dataset.id.get_create_plist()
    filters = {properties.get_filter(place)[0] for place in range(properties.get_nfilters())}
    if filters - _KNOWN_FILTERS:
        raise _refusal(path, name, "it is stored with a filter that run files do not use.")
    stored = dataset.id.get_storage_size()
    if dataset.nbytes > stored * (_DEFLATE_LIMIT if filters else 1):
        raise _refusal(path, name, f"its shape {dataset.shape} needs more values than the {stored:,} bytes stored.")


def _read_checked(path: Path, name: str, dataset: h5py.Dataset, manifest: Mapping) -> np.ndarray:
    values = _read_values(path, name, dataset)
    if manifest["sha256"].get(name) != _digest(values):
        raise _refusal(path, name, "its values are not those that were written: the checksum differs.")
    return values


def _read_values(path: Path, name: str, dataset: h5py.Dataset) -> np.ndarray:
    try:
        values = np.asarray(dataset[()])
    except _DAMAGE as error:
        raise _refusal(path, name, f"it cannot be read ({_reason(error)}).") from error
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _refusal(path: Path, name: str, problem: str) -> RunFileError:
    return RunFileError(problem, field=f"{path}, /{name}", remedy=_REMEDY)
