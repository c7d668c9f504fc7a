"""Measured weight changes as tables: how they are read, and put beside a window."""

from __future__ import annotations

import csv
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np

from eqspike.analysis.stdp_measured import Measurements, compare_measured
from eqspike.analysis.stdp_pairings import triplet_kind
from eqspike.analysis.window import StdpWindow
from eqspike.core.errors import DataError

COORDINATES = {
    "pair": ("difference_s",),
    "ramp": ("difference_s",),
    "frequency": ("rate_hz", "difference_s"),
    "triplet": ("first_s", "second_s"),
}
CHANGE, ERROR = "change", "error"
_MILLI = {name: f"{name[:-2]}_ms" for name in ("difference_s", "first_s", "second_s")}
_MOST_BYTES, _MOST_ROWS = 4_000_000, 10_000


def with_measurements(window: StdpWindow, measured: Measurements, *, free_scale: bool) -> StdpWindow:
    """Return a window with measurements beside it; between its bins it is taken as straight, beyond them unknown."""

    def mean(difference_s: float) -> float:
        return float(np.interp(difference_s, window.difference_s, window.mean, left=np.nan, right=np.nan))

    return replace(window, measured=compare_measured(measured, mean, free_scale=free_scale))


def read_measurements(path: str | PathLike, protocol: str) -> Measurements:
    """Return the measurements in a CSV table with a head line.

    ======== ==========================================
    protocol columns
    ======== ==========================================
    pair     ``difference_s``
    ramp     ``difference_s``
    frequency ``rate_hz``, ``difference_s``
    triplet  ``first_s``, ``second_s``
    ======== ==========================================

    and in all of them ``change``, relative to the weight before (0.5: half as much again), and, if known, ``error``,
    its standard error. ``difference_s`` is t_post - t_pre; ``first_s`` and ``second_s`` are those of the first two and
    of the last two spikes. A time may be given in milliseconds instead, ``difference_ms``. Other columns are ignored.

    Raises
    ------
    DataError : the file cannot be read, a column is missing, a cell is no number or out of range; named by line.
    """
    where = str(path)
    head, rows = _table(Path(path), where)
    columns = {}
    for name in COORDINATES[protocol]:
        columns[name] = _column(head, rows, name, protocol, where)
    change = _column(head, rows, CHANGE, protocol, where)
    error = _column(head, rows, ERROR, protocol, where) if ERROR in head else None
    _check(columns, error, where)
    return Measurements(where, columns, change, error)


def _table(path: Path, where: str) -> tuple[list[str], list[list[str]]]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError("the table is larger than 4 MB.", field=where, remedy="Give one row per condition.")
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [line for line in csv.reader(file) if any(cell.strip() for cell in line)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"the table cannot be read ({error}).", field=where, remedy="Give a CSV file.") from None
    if not 2 <= len(lines) <= _MOST_ROWS + 1:
        problem = f"the table has {max(0, len(lines) - 1):,} rows below its head."
        raise DataError(problem, field=where, remedy=f"Give a head line and 1 to {_MOST_ROWS:,} rows.")
    return [cell.strip() for cell in lines[0]], lines[1:]


def _column(head: list[str], rows: list[list[str]], name: str, protocol: str, where: str) -> np.ndarray:
    milli = _MILLI.get(name)
    given = [own for own in (name, milli) if own in head]
    if len(given) != 1 or head.count(given[0]) != 1:
        wanted = ", ".join((*COORDINATES[protocol], CHANGE))
        problem = "the column is there twice." if given else f"there is no such column; found: {', '.join(head)}."
        raise DataError(problem, field=f"{where}: {name}", remedy=f"The protocol {protocol} needs {wanted} once each.")
    place, values = head.index(given[0]), []
    for line, row in enumerate(rows, start=1):
        try:
            value = float(row[place])
        except (IndexError, ValueError):
            value = np.nan
        if not np.isfinite(value):
            cell = row[place].strip()[:40] if place < len(row) else ""
            raise DataError(
                f"'{cell}' is no number.", field=f"{where}: {given[0]}, row {line}", remedy="Mend the cell."
            )
        values.append(value)
    return np.array(values) * (1e-3 if given[0] == milli else 1.0)


def _check(columns: dict[str, np.ndarray], error: np.ndarray | None, where: str) -> None:
    problems = []
    if error is not None and (wrong := np.flatnonzero(error <= 0)).size:
        problems.append((ERROR, wrong[0], "a standard error must be above zero.", "Leave the column out if unknown."))
    if "rate_hz" in columns and (wrong := np.flatnonzero(columns["rate_hz"] <= 0)).size:
        problems.append(("rate_hz", wrong[0], "a rate must be above zero.", "Give pairs per second."))
    for name in _MILLI:
        if name in columns and (wrong := np.flatnonzero(np.abs(columns[name]) > 10)).size:
            problems.append((name, wrong[0], "more than 10 s apart.", "Is it milliseconds? Then name the column so."))
    if "first_s" in columns:
        kinds = [triplet_kind(*pair) for pair in zip(columns["first_s"], columns["second_s"], strict=True)]
        if None in kinds:
            remedy = "Give first > 0 > second (pre-post-pre) or first < 0 < second (post-pre-post)."
            problems.append(("first_s", kinds.index(None), "the two differences make no triplet.", remedy))
    for name, row, problem, remedy in problems:
        raise DataError(problem, field=f"{where}: {name}, row {row + 1}", remedy=remedy)
