"""Reading a folder of records, one at a time: what was asked for, what came out, what was counted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from eqspike.costing.counts import workload_from
from eqspike.costing.run import workload_of
from eqspike.sweeps.store import Store
from eqspike.training.run import open_run
from hw_models.workload import Workload


def read_design(folder: Path) -> dict[str, Any]:
    """Return the design of the sweep in ``folder``; empty where its first share has not written it yet.

    Raises
    ------
    ConfigError
        if there is neither a design nor a record, or the design is damaged.
    """
    store = Store(folder)
    return {} if store.record_file("any").parent.is_dir() and not store.design_file.exists() else store.design()


def record_names(folder: Path, design: Mapping[str, Any]) -> list[str]:
    """Return the ids of the runs of ``design`` that have a record, in its order; of all where there is no design."""
    found = {path.stem: None for path in sorted(Store(folder).record_file("any").parent.glob("*.json"))}
    return [run["id"] for run in design["runs"] if run["id"] in found] if design else list(found)


def settings_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a record's run was asked for: recipe, dotted settings, seed."""
    return {"recipe": record.get("recipe"), **record.get("settings", {}), "seed": record.get("seed")}


def counted(record: Mapping[str, Any], store: Store) -> Workload:
    """Return what the run of ``record`` counted, from the record, else from its run file.

    Raises
    ------
    RunFileError, WorkloadError
        if there is neither, or what there is is damaged.
    """
    name = record["id"]
    if "counts" in record:
        return workload_from(record["counts"], str(store.record_file(name)), name)
    return workload_of(open_run(store.run_file(name)))


def flattened(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, value); a list becomes its JSON text, which one cell can hold."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", json.dumps(value) if isinstance(value, list) else value
