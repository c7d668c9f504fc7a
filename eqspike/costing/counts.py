"""Counted events as a file: a ledger and its network's shape in JSON, TOML or CSV, to write and to read back."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from eqspike.core.config import Config
from eqspike.core.errors import ConfigError
from eqspike.core.ledger import LEDGER_VERSION
from eqspike.costing.counts_table import from_table, to_table
from eqspike.costing.workload import LEARNING_PHASES
from eqspike.recording.files import write_atomically
from hw_models.errors import HardwareError, WorkloadError
from hw_models.toml import to_toml
from hw_models.workload import LayerShape, PhaseCounts, ProjectionShape, Workload

SUFFIXES = (".json", ".toml", ".csv")
Count = Annotated[int, Field(ge=0)]


class _Layer(Config):
    neurons: Count
    stateful: bool | None = None


class _Projection(Config):
    pre: str
    post: str
    synapses: Count
    weight_bits: Annotated[int, Field(ge=1)]
    bidirectional: bool = False
    plastic: bool = False
    accumulator_bits: Count = 0


class _Phase(Config):
    presentations: Count
    ticks: Count
    learning: bool | None = None
    counts: dict[str, dict[str, int | float]] = Field(default_factory=dict)  # PhaseCounts says which is no count


class _Counts(Config):
    version: int = Field(alias="schema")
    name: str = ""
    tick_s: float = Field(gt=0)
    layers: dict[str, _Layer]
    projections: dict[str, _Projection] = Field(default_factory=dict)
    phases: dict[str, _Phase] = Field(min_length=1)


def write_counts(workload: Workload, path: str | PathLike, *, overwrite: bool = False) -> None:
    """Write ``workload`` as JSON, TOML or CSV, by suffix; :func:`read_counts` gives an equal one back.

    Raises
    ------
    ConfigError
        If the suffix is none of these.
    OutputError
        If the file exists and ``overwrite`` is false, or cannot be written.
    """
    document = counts_document(workload)
    written = {".json": _json, ".toml": to_toml, ".csv": to_table}[counts_suffix(path)](document)
    write_atomically(path, written.encode(), overwrite=overwrite)


def read_counts(path: str | PathLike) -> Workload:
    """Return the workload that a file of counts holds.

    Raises
    ------
    WorkloadError
        If the file cannot be read, holds counts of another schema, or breaks the rules of a workload.
    """
    suffix, where = counts_suffix(path), str(path)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        document = {".json": json.loads, ".toml": tomllib.loads, ".csv": from_table}[suffix](text)
    except (OSError, ValueError, csv.Error) as error:  # ValueError: no UTF-8, no JSON, no TOML, a bad cell
        raise WorkloadError(
            f"the counts cannot be read ({error}).", field=where, remedy="Give a file as --save-counts writes it."
        ) from error
    return workload_from(document, where, Path(path).stem)


def workload_from(document: Mapping[str, Any], where: str, name: str = "") -> Workload:
    """Return the workload of which :func:`counts_document` made ``document``, found in ``where``.

    Raises
    ------
    WorkloadError
        If it is of another schema, or breaks the rules of a workload.
    """
    _check_version(document, where)
    try:
        return _workload(_Counts.parse(document, origin=where), name)
    except ConfigError as error:
        remedy = error.remedy.replace("to the recipe", "to the file")
        raise WorkloadError(error.problem, field=error.field, remedy=remedy) from error
    except HardwareError as error:
        raise WorkloadError(error.problem, field=f"{where}: {error.field}", remedy=error.remedy) from error


def counts_suffix(path: str | PathLike) -> str:
    """Return the suffix of ``path``, one of :data:`SUFFIXES`.

    Raises
    ------
    ConfigError
        If it is none of them.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(
            f"counts are not kept as {suffix!r}.", field=str(path), remedy=f"End the name in {', '.join(SUFFIXES)}."
        )
    return suffix


def counts_document(workload: Workload) -> dict[str, Any]:
    """Return ``workload`` as plain JSON types."""
    return {
        "schema": LEDGER_VERSION,
        "name": workload.name,
        "tick_s": workload.tick_s,
        "layers": {one.name: {"neurons": one.neurons, "stateful": one.stateful} for one in workload.layers},
        "projections": {one.name: _projection_document(one) for one in workload.projections},
        "phases": {phase.name: _phase_document(phase) for phase in workload.phases},
    }


def _projection_document(one: ProjectionShape) -> dict[str, Any]:
    keys = ("pre", "post", "synapses", "weight_bits", "bidirectional", "plastic", "accumulator_bits")
    return {key: getattr(one, key) for key in keys}


def _phase_document(phase: PhaseCounts) -> dict[str, Any]:
    counts: dict[str, dict[str, int]] = {}
    for (entity, counter), count in phase.counts.items():
        counts.setdefault(entity, {})[counter] = int(count)
    sizes = {"presentations": int(phase.presentations), "ticks": int(phase.ticks), "learning": phase.learning}
    return sizes | {"counts": counts}


def _check_version(document: Any, where: str) -> None:
    if not isinstance(document, Mapping) or "schema" not in document:
        raise WorkloadError(
            "the counts do not say of which schema they are.", field=f"{where}: schema", remedy=_known_schema()
        )
    if document["schema"] != LEDGER_VERSION:
        raise WorkloadError(
            f"these counts are of ledger schema {document['schema']!r}, another than the {LEDGER_VERSION} known here.",
            field=f"{where}: schema",
            remedy="Write them again with this version of eqspike, or read them with the one that wrote them.",
        )


def _known_schema() -> str:
    return f"Add schema = {LEDGER_VERSION}, if the counters are those of this version of eqspike."


def _workload(counts: _Counts, stem: str) -> Workload:
    updated = {
        entity
        for phase in counts.phases.values()
        for entity, counters in phase.counts.items()
        if counters.get("neuron_updates")
    }
    layers = (
        LayerShape(name, one.neurons, name in updated if one.stateful is None else one.stateful)
        for name, one in counts.layers.items()
    )
    projections = (ProjectionShape(name, **one.model_dump()) for name, one in counts.projections.items())
    phases = (
        PhaseCounts(
            name,
            one.presentations,
            one.ticks,
            {(entity, counter): n for entity, table in one.counts.items() for counter, n in table.items()},
            learning=name in LEARNING_PHASES if one.learning is None else one.learning,
        )
        for name, one in counts.phases.items()
    )
    return Workload(counts.name or stem, tuple(layers), tuple(projections), tuple(phases), counts.tick_s)


def _json(document: Mapping) -> str:
    return json.dumps(document, indent=1) + "\n"
