"""Recorded spikes as a file: what ``eqspike simulate --out`` writes, or a CSV table of any other simulator or chip."""

from __future__ import annotations

import csv
import json
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from eqspike.core.errors import DataError

HEAD = ("layer", "neuron", "time_s")


@dataclass(frozen=True, eq=False)
class SpikeFile:
    """Spikes by layer: times (n,) in seconds and neurons (n,).

    ``settings`` and ``time_s`` are the network and the length of the simulation, where the file holds them.
    """

    spikes: Mapping[str, tuple[np.ndarray, np.ndarray]]
    settings: Mapping[str, Any] | None = None
    time_s: float | None = None


def read_spikes(path: str | PathLike) -> SpikeFile:
    """Return the spikes of an .npz file (arrays ``spikes/LAYER/t`` and ``spikes/LAYER/i``), or of a CSV table.

    Raises
    ------
    DataError
        If the file cannot be read or does not hold spikes.
    """
    readers = {".npz": _from_npz, ".csv": _from_csv}
    suffix, where = Path(path).suffix.lower(), str(path)
    if suffix not in readers:
        raise DataError(f"spikes are not read from {suffix!r}.", field=where, remedy="Give .npz or .csv.")
    try:
        found = readers[suffix](Path(path))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, csv.Error) as error:
        raise DataError(
            f"no spikes can be read from it ({error}).",
            field=where,
            remedy=f"Give what eqspike simulate --out writes, or a table with the columns {', '.join(HEAD)}.",
        ) from error
    for layer, (times, neurons) in found.spikes.items():
        if times.ndim != 1 or times.shape != neurons.shape:
            problem = f"{times.shape} times and {neurons.shape} neurons."
            raise DataError(problem, field=f"{where}: {layer}", remedy="Give one neuron to each time.")
        if not (np.isfinite(times).all() and times.min(initial=0) >= 0):
            raise DataError("a time is no number, or negative.", field=f"{where}: {layer}", remedy="Start at 0 s.")
    return found


def _from_npz(path: Path) -> SpikeFile:
    with np.load(path, allow_pickle=False) as file:
        layers = [name.split("/")[1] for name in file.files if name.startswith("spikes/") and name.endswith("/t")]
        if not layers:
            raise ValueError("there is no array spikes/LAYER/t")
        spikes = {}
        for layer in layers:
            times, neurons = file[f"spikes/{layer}/t"], file[f"spikes/{layer}/i"]
            if neurons.dtype.kind not in "iu" or times.dtype.kind not in "fiu":
                raise ValueError(f"layer {layer} has times of {times.dtype} and neurons of {neurons.dtype}")
            spikes[layer] = (times.astype(np.float64), neurons.astype(np.int64))
        settings = json.loads(str(file["spec"])) if "spec" in file.files else None
        results = json.loads(str(file["results"])) if "results" in file.files else {}
    return SpikeFile(spikes, settings, results.get("time_s"))


def _from_csv(path: Path) -> SpikeFile:
    times, neurons = defaultdict(list), defaultdict(list)
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        head = [cell.strip() for cell in next(reader, [])]
        if sorted(head) != sorted(HEAD):
            raise ValueError(f"the first line is not {','.join(HEAD)}")
        layer_at, neuron_at, time_at = (head.index(name) for name in HEAD)
        for row in reader:
            try:
                layer = row[layer_at].strip()
                neurons[layer].append(int(row[neuron_at]))
                times[layer].append(float(row[time_at]))
            except (ValueError, IndexError):
                if row:
                    raise ValueError(f"line {reader.line_num}: {','.join(row)} is no spike") from None
    return SpikeFile({name: (np.array(times[name], np.float64), np.array(neurons[name], np.int64)) for name in times})
