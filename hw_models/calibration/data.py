"""Measurements: what a chip counted, for how long it ran and how many joules it took, one row of a CSV file each."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from hw_models.errors import WorkloadError
from hw_models.workload import (
    COUNTERS,
    LAYER_COUNTERS,
    PROJECTION_COUNTERS,
    ROUTING_COUNTERS,
    LayerShape,
    PhaseCounts,
    ProjectionShape,
    Workload,
    base_counter,
)

COUNTED = tuple(dict.fromkeys((*map(base_counter, COUNTERS), *COUNTERS, *ROUTING_COUNTERS)))
SIZES = ("neurons", "synapses", "weight_bits", "cores")
COLUMNS = ("seconds", "joules", "clock_hz", *SIZES, *COUNTED)


@dataclass(frozen=True)
class Measurement:
    """One measured run of a chip.

    Parameters
    ----------
    seconds, joules : how long it ran and what it took, both above zero.
    counts : events of the whole run by counter; ``synaptic_events`` and ``macs`` may leave the direction out.
    clock_hz : clock, where it is not the chip's own.
    neurons, synapses, weight_bits, cores : what was in use, for static power per kB, neuron or core.
    """

    seconds: float
    joules: float
    counts: Mapping[str, int] = field(default_factory=dict)
    clock_hz: float | None = None
    neurons: int = 0
    synapses: int = 0
    weight_bits: int | None = None
    cores: int | None = None

    def workload(self, weight_bits: int) -> Workload:
        """Return the run as a workload of one phase; ``weight_bits`` where the measurement states none."""
        counts = {}
        for counter, count in self.counts.items():
            if counter in LAYER_COUNTERS:
                counts["neurons", counter] = count
            elif counter not in ROUTING_COUNTERS:
                counts["synapses", counter if counter in PROJECTION_COUNTERS else f"{counter}_forward"] = count
        bits = self.weight_bits or weight_bits
        layers = (LayerShape("neurons", self.neurons),)
        synapses = ProjectionShape("synapses", "neurons", "neurons", self.synapses, bits, False, False)
        return Workload("measured", layers, (synapses,), (PhaseCounts("measured", 1, 1, counts),), self.seconds)

    def routed(self) -> Routed:
        """Return the packets and hops that were measured, in the place of a placement's."""
        return Routed({("neurons", name): n for name, n in self.counts.items() if name in ROUTING_COUNTERS}, self.cores)


@dataclass(frozen=True)
class Routed:
    """Packets, hops and cores in use as they were measured."""

    routing: Mapping[tuple[str, str], int]
    cores: int | None

    def counts(self, phase: str, workload: Workload) -> dict[tuple[str, str], int]:
        """Return the measured counts of routing."""
        return dict(self.routing)

    def summary(self) -> dict[str, int]:
        """Return the cores in use, where they were measured."""
        return {"cores": self.cores} if self.cores else {}


def read_measurements(path: str | Path) -> list[Measurement]:
    """Return the measurements of a CSV file with the columns ``seconds``, ``joules`` and counters of the ledger.

    Raises
    ------
    WorkloadError
        If the file cannot be read, a column is unknown or missing, or a cell is not what its column holds.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            head = [cell.strip() for cell in next(reader, [])]
            _check_head(head, str(path))
            rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise WorkloadError(
            f"the file cannot be read ({error}).", field=str(path), remedy="Give a CSV file."
        ) from error
    if not rows:
        raise WorkloadError("no measurements.", field=str(path), remedy="Add a row for each measured run.")
    return [_measurement(head, row, f"{path}, line {line}") for line, row in rows]


def _check_head(head: list[str], where: str) -> None:
    for name in head:
        if name not in COLUMNS:
            raise WorkloadError(f"no column is called {name!r}.", field=where, remedy=f"Columns: {', '.join(COLUMNS)}.")
        if head.count(name) > 1:
            raise WorkloadError(f"the column {name!r} is there twice.", field=where, remedy="Remove one.")
    for name in ("seconds", "joules"):
        if name not in head:
            raise WorkloadError(f"the column {name!r} is missing.", field=where, remedy="Name it in the first line.")


def _measurement(head: list[str], row: list[str], where: str) -> Measurement:
    if len(row) != len(head):
        raise WorkloadError(
            f"{len(row)} cells under {len(head)} columns.", field=where, remedy="Give one cell per column."
        )
    known = dict(_cells(head, row, where))
    counts = {name: known.pop(name) for name in head if name in COUNTED and name in known}
    return Measurement(counts=counts, **known)


def _cells(head: list[str], row: list[str], where: str) -> Iterator[tuple[str, float | int]]:
    """Yield the cells that are not empty, each checked by what its column holds."""
    for name, cell in zip(head, row, strict=True):
        if not cell.strip() and name not in ("seconds", "joules"):
            continue
        try:
            number = float(cell)
        except ValueError:
            number = float("nan")
        measured = name in ("seconds", "joules", "clock_hz")
        if not isfinite(number) or number < 0 or (measured and number == 0) or not (measured or number.is_integer()):
            wanted = "a number above zero" if measured else "a whole number, zero or more"
            raise WorkloadError(f"{cell.strip()!r} is not {wanted}.", field=f"{where}: {name}", remedy="Mend the cell.")
        yield name, number if measured else int(number)
