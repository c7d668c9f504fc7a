"""Rows to a file, a batch at a time: CSV by the standard library, Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

from eqspike.core.errors import ConfigError, OutputError
from eqspike.recording.files import atomic_file

SUFFIXES = (".csv", ".parquet")
_BATCH = 500  # rows
_NONE = type(None)


def table_suffix(path: str | PathLike) -> str:
    """Return the suffix of ``path``, if a table can be written so here.

    Raises
    ------
    OutputError
        if it is none of :data:`SUFFIXES`.
    ConfigError
        if it is Parquet and pyarrow is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise OutputError(
            f"tables are not written as '{suffix}'.", field=str(path), remedy=f"Use {' or '.join(SUFFIXES)}."
        )
    if suffix == ".parquet":
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            remedy = "Install it with: python -m pip install 'eqspike[tables]', or write a .csv."
            raise ConfigError("Parquet needs pyarrow.", field=str(path), remedy=remedy) from None
    return suffix


def write_table(
    rows: Iterable[Mapping[str, Any]],
    kinds: Mapping[str, Set[type]],
    path: str | PathLike,
    *,
    overwrite: bool = False,
) -> int:
    """Write ``rows`` under the columns ``kinds`` (each with the types of its cells), and return how many they were.

    Raises
    ------
    OutputError, ConfigError
        as of :func:`table_suffix`; the file exists and ``overwrite`` is false, no space, no permission.
    """
    write = {".csv": _write_csv, ".parquet": _write_parquet}[table_suffix(path)]
    with atomic_file(path, overwrite=overwrite) as handle:
        return write(rows, kinds, handle)


def _write_csv(rows: Iterable[Mapping[str, Any]], kinds: Mapping[str, Set[type]], handle: BinaryIO) -> int:
    text = io.TextIOWrapper(handle, "utf-8", newline="", write_through=True)
    writer = csv.DictWriter(text, list(kinds), lineterminator="\n")
    writer.writeheader()
    written = 0
    for row in rows:
        writer.writerow({key: str(cell).lower() if isinstance(cell, bool) else cell for key, cell in row.items()})
        written += 1
    text.detach()
    return written


def _write_parquet(rows: Iterable[Mapping[str, Any]], kinds: Mapping[str, Set[type]], handle: BinaryIO) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    arrow = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
    columns = {name: _common(types) for name, types in kinds.items()}
    schema = pa.schema([(name, arrow[kind]) for name, kind in columns.items()])
    written = 0
    with parquet.ParquetWriter(handle, schema) as writer:
        for batch in _batches(rows):
            cells = {name: [_as(kind, row[name]) for row in batch] for name, kind in columns.items()}
            writer.write_table(pa.table(cells, schema=schema))
            written += len(batch)
    return written


def _batches(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    left = iter(rows)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _common(types: Set[type]) -> type:
    """Return the narrowest type of a column that holds cells of all ``types``."""
    given = set(types) - {_NONE}
    for kind in (bool, int, float):
        if given and given <= ({int, float} if kind is float else {kind}):
            return kind
    return str


def _as(kind: type, cell: Any) -> Any:
    return None if cell is None else kind(cell)
