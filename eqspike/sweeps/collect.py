"""A folder of records as one tidy table, one row a run and chip, priced afterwards.

The records are read twice, one at a time: once for the columns, once for the rows. Nothing is kept but names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eqspike.core.errors import EqspikeError
from eqspike.sweeps import tables
from eqspike.sweeps.records import counted, flattened, read_design, record_names, settings_of
from eqspike.sweeps.store import DONE, Store
from hw_models import Chip, CostReport, load_chip, price
from hw_models.errors import HardwareError
from hw_models.workload import Workload

if TYPE_CHECKING:
    from pandas import DataFrame

ENERGIES = {"energy_per_inference": ("inference",), "energy_per_training_sample": ("free", "nudged")}
NOT_PRICED = "not_priced"
_ENDS = {"value": "", "low": "_low", "high": "_high"}
_OUTCOMES = ("attempts", "seconds", "error", "code", "host")
_VARIES = object()


@dataclass(frozen=True)
class Price:
    """A chip to price on, and what its columns say of it: ``chip`` and the knobs that were turned."""

    said: Mapping[str, Any]
    chip: Chip

    def energies(self, workload: Workload) -> dict[str, Any]:
        """Return the joules of an inference and of a training sample, each with its band; None where nothing counts.

        A chip that cannot learn still infers: what has no price as a whole is priced in its parts, and ``not_priced``
        says what is missing.
        """
        cells: dict[str, Any] = dict.fromkeys(_ENERGY_COLUMNS)
        whole = self._report(workload)
        for name, phases in ENERGIES.items():
            report = whole if isinstance(whole, CostReport) else self._report(_part(workload, phases))
            if not isinstance(report, CostReport):
                cells[NOT_PRICED] = "; ".join(filter(None, (cells[NOT_PRICED], f"{name}: {report}")))
            elif counted_phases := [phase for phase in phases if phase in report.phases]:
                energy = report.per_presentation(*counted_phases)
                cells |= {f"{name}{end}_j": getattr(energy, key) for key, end in _ENDS.items()}
        return cells

    def _report(self, workload: Workload) -> CostReport | HardwareError:
        try:
            return price(workload, self.chip)
        except HardwareError as error:
            return error


def _part(workload: Workload, phases: Sequence[str]) -> Workload:
    return replace(workload, phases=tuple(phase for phase in workload.phases if phase.name in phases))


_ENERGY_COLUMNS = (*(f"{name}{end}_j" for name in ENERGIES for end in _ENDS.values()), NOT_PRICED)


@dataclass(frozen=True)
class Table:
    """A collected sweep: iterate over it for its rows, a dict each; they are read and priced as they are asked for.

    ``kinds`` has the columns in order, each with the types of its cells; ``varied`` are the fields that differ between
    runs. ``missing`` runs have no record yet, ``damaged`` records cannot be read.
    """

    folder: Path
    names: tuple[str, ...]
    prices: tuple[Price, ...]
    varied: tuple[str, ...]
    kinds: Mapping[str, frozenset[type]]
    done: int
    failed: int
    missing: int
    damaged: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns in order: id, fields that vary, chip, metrics, ledger totals, energies, then all that is the same."""
        return tuple(self.kinds)

    @property
    def runs(self) -> int:
        """Runs that the sweep asks for."""
        return len(self.names) + self.missing

    def __iter__(self) -> Iterator[dict[str, Any]]:
        store = Store(self.folder)
        for name in self.names:
            record = store.record(name)
            if record is not None:
                plain = _plain_cells(record)
                for cells in _priced(record, store, self.prices):
                    row = plain | cells
                    yield {column: row.get(column) for column in self.kinds}

    def write(self, path: str | PathLike, *, overwrite: bool = False) -> None:
        """Write the rows as CSV or Parquet, by suffix, one batch at a time.

        Raises
        ------
        OutputError
            if the suffix is neither, the file exists and ``overwrite`` is false, or it cannot be written.
        ConfigError
            if Parquet is asked for and pyarrow is not installed.
        """
        tables.write_table(self, self.kinds, path, overwrite=overwrite)

    def to_pandas(self) -> DataFrame:
        """Return the rows as a data frame, all in memory."""
        import pandas as pd

        return pd.DataFrame.from_records(list(self), columns=list(self.columns))


def collect(folder: str | PathLike, chips: Sequence[str | Chip] | None = None) -> Table:
    """Collect the records in ``folder`` into one tidy table: a row for every run and chip.

    Parameters
    ----------
    folder : of a sweep; it may still be running.
    chips : names, TOML files or chips to price the counted events on, without running anything again; by default those
        that the sweep asks for.

    Raises
    ------
    ConfigError
        if this is no folder of a sweep.
    hw_models.errors.HardwareError
        if a chip is unknown.
    """
    folder = Path(folder)
    store, design = Store(folder), read_design(folder)
    names = record_names(folder, design)
    prices = _prices_of(design) if chips is None else tuple(_price_on(chip) for chip in chips)
    survey = _Survey()
    for name in names:
        survey.see(store.record(name))
    return Table(
        folder,
        tuple(names),
        prices,
        survey.varied(),
        survey.kinds(prices),
        survey.statuses["done"],
        survey.statuses["failed"],
        max(0, len(design.get("runs", names)) - len(names)),
        survey.statuses["damaged"],
    )


def _price_on(chip: str | Chip) -> Price:
    found = chip if isinstance(chip, Chip) else load_chip(chip)
    return Price({"chip": found.name}, found)


def _prices_of(design: Mapping[str, Any]) -> tuple[Price, ...]:
    """Return the chips that a sweep asks for, a column for each knob that any of them turns."""
    asked = design.get("prices", ())
    turned = dict.fromkeys(key for one in asked for key in one.get("knobs") or {})
    return tuple(
        Price(
            {"chip": one["chip"]} | {f"chip.{key}": (one.get("knobs") or {}).get(key) for key in turned},
            load_chip(one["chip"]).at(**one.get("knobs") or {}),
        )
        for one in asked
    )


def _plain_cells(record: Mapping[str, Any]) -> dict[str, Any]:
    cells = {"id": record.get("id"), "status": record["status"]}
    for group in (settings_of(record), record.get("results") or {}):
        cells |= dict(flattened(group))
    cells |= dict(flattened(record.get("ledger") or {}))
    return cells | {key: record.get(key) for key in _OUTCOMES}


def _priced(record: Mapping[str, Any], store: Store, prices: Sequence[Price]) -> Iterator[dict[str, Any]]:
    """Yield what each price adds to the row of a record: one empty addition where nothing is priced."""
    if not prices or record["status"] != DONE:
        yield {}
        return
    try:
        workload = counted(record, store)
    except (EqspikeError, HardwareError) as error:
        yield from (dict(one.said) | {NOT_PRICED: str(error)} for one in prices)
        return
    yield from (dict(one.said) | one.energies(workload) for one in prices)


@dataclass
class _Survey:
    """What the first reading finds: statuses, columns with the types of their cells, and which fields vary."""

    statuses: dict[str, int] = field(default_factory=lambda: {"done": 0, "failed": 0, "damaged": 0})
    fields: dict[str, Any] = field(default_factory=dict)
    types: dict[str, set[type]] = field(default_factory=dict)

    def see(self, record: Mapping[str, Any] | None) -> None:
        """Take in a record."""
        if record is None:
            self.statuses["damaged"] += 1
            return
        self.statuses[record["status"]] += 1
        settings = dict(flattened(settings_of(record)))
        first = not self.types
        for key in {**self.fields, **settings}:
            value = settings.get(key)
            known = self.fields.setdefault(key, value if first else _VARIES)
            if known is not _VARIES and (type(known), known) != (type(value), value):
                self.fields[key] = _VARIES
        for key, value in _plain_cells(record).items():
            self.types.setdefault(key, set()).add(type(value))

    def varied(self) -> tuple[str, ...]:
        """Return the fields that differ between runs, the seed last."""
        names = [key for key, value in self.fields.items() if value is _VARIES]
        return tuple(sorted(names, key=lambda name: name == "seed"))

    def kinds(self, prices: Sequence[Price]) -> dict[str, frozenset[type]]:
        """Return the columns in the order of the table, each with the types of its cells."""
        varied = self.varied()
        alike = [key for key in self.fields if key not in varied]
        results = [key for key in self.types if key not in ("id", "status", *self.fields, *_OUTCOMES)]
        said = {key: {type(one.said[key]) for one in prices} for one in prices for key in one.said}
        energies = {key: {str if key == NOT_PRICED else float} for key in _ENERGY_COLUMNS} if prices else {}
        types = {**self.types, **said, **energies}
        order = ("id", *varied, *said, "status", *results, *energies, *_OUTCOMES, *alike)
        return {key: frozenset(types.get(key, ())) for key in order if key in types}
