"""Counts as a tidy CSV table: one row for each count, and for each size of the network."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

HEAD = ("phase", "entity", "counter", "count")
RUN = "run"
_RUN_ROWS = {"schema": int, "name": str, "tick_s": float}
_PHASE_ROWS = {"presentations": int, "ticks": int, "learning": bool}
_SIZES = {
    "neurons": int, "stateful": bool, "pre": str, "post": str, "synapses": int, "weight_bits": int,
    "bidirectional": bool, "plastic": bool, "accumulator_bits": int,
}  # fmt: skip


def to_table(document: Mapping[str, Any]) -> str:
    """Return a document of counts as a table; rows without a phase hold sizes, those of ``run`` what holds for all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(_rows(document))
    return text.getvalue()


def _rows(document: Mapping) -> Iterator[tuple[str, str, str, Any]]:
    yield from (("", RUN, key, document[key]) for key in _RUN_ROWS)
    for group in ("layers", "projections"):
        for name, sizes in document[group].items():
            yield from (("", name, key, _plain(value)) for key, value in sizes.items())
    for phase, one in document["phases"].items():
        yield from ((phase, RUN, key, _plain(one[key])) for key in _PHASE_ROWS)
        for entity, counters in one["counts"].items():
            yield from ((phase, entity, counter, count) for counter, count in counters.items())


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def from_table(text: str) -> dict[str, Any]:
    """Return the document of counts that a table holds.

    Raises
    ------
    ValueError
        If a line is not what the table wants there: the line is named.
    """
    reader = csv.reader(io.StringIO(text))
    if tuple(cell.strip() for cell in next(reader, [])) != HEAD:
        raise ValueError(f"the first line is not {','.join(HEAD)}")
    document: dict[str, Any] = {"layers": {}, "projections": {}, "phases": {}}
    sizes: dict[str, dict[str, Any]] = {}
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(HEAD):
            raise ValueError(f"line {reader.line_num}: {len(row)} cells, not {len(HEAD)}")
        phase, entity, key, cell = (cell.strip() for cell in row)
        place, kind = _place(document, sizes, phase, entity, key, reader.line_num)
        if key in place:
            raise ValueError(f"line {reader.line_num}: {entity}, {key} is there twice")
        place[key] = _cell(cell, kind, f"line {reader.line_num}: {key}")
    for entity, found in sizes.items():
        if "neurons" in found:
            document["layers"][entity] = found
        else:
            pre, arrow, post = entity.partition("->")
            document["projections"][entity] = ({"pre": pre, "post": post} if arrow else {}) | found
    return document


def _place(
    document: dict[str, Any], sizes: dict[str, dict[str, Any]], phase: str, entity: str, key: str, line: int
) -> tuple[dict[str, Any], type]:
    """Return the table that a row belongs to, and the type of its value."""
    if not phase:
        if entity == RUN and key in _RUN_ROWS:
            return document, _RUN_ROWS[key]
        if key not in _SIZES:
            raise ValueError(f"line {line}: {key!r} is no size; known: {', '.join(_SIZES)}")
        return sizes.setdefault(entity, {}), _SIZES[key]
    found = document["phases"].setdefault(phase, {"counts": {}})
    if entity == RUN and key in _PHASE_ROWS:
        return found, _PHASE_ROWS[key]
    return found["counts"].setdefault(entity, {}), int


def _cell(cell: str, kind: type, where: str) -> Any:
    try:
        if kind is bool:
            return {"0": False, "1": True, "false": False, "true": True}[cell.lower()]
        if kind is int and not cell.lstrip("-").isdecimal():
            return int(number) if (number := float(cell)).is_integer() else number
        return kind(cell)
    except (ValueError, KeyError, OverflowError):
        raise ValueError(f"{where}: {cell!r} is not a {kind.__name__}") from None
