"""Part of the suite ``sweeps``: how long many records take to become one table, priced anew."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from eqspike.bench.result import Measurement
from eqspike.costing.counts import counts_document
from eqspike.costing.run import workload_of
from eqspike.sweeps.collect import collect
from eqspike.sweeps.store import DONE, Store
from eqspike.sweeps.work import totals
from eqspike.training import api

RUNS = 1000
LIMIT_S = 10.0
CHIP = "generic-28nm"
_TINY = {"data__train_limit": 10, "data__test_limit": 10, "training__epochs": 1, "network__hidden": [10]}


def measure_collect(repeats: int) -> Iterator[Measurement]:
    """Yield the seconds that 1,000 tiny runs take to a CSV file: as they are, and priced on a chip."""
    with TemporaryDirectory() as folder:
        _fill(Path(folder))
        for said, chips in (("not priced", []), (f"priced on {CHIP}", [CHIP])):
            seconds = median(_collected(Path(folder), chips) for _ in range(repeats))
            note = f"at most {LIMIT_S:g} s are allowed"
            yield Measurement(f"{RUNS:,} tiny runs collected to CSV, {said}", seconds, "s", note=note)


def _fill(folder: Path) -> None:
    """Write the records of a sweep over seeds; all counted what one tiny run did."""
    run = api.train("eqspike-digits", **_TINY)
    counts, ledger, store = counts_document(workload_of(run)), totals(run.ledger), Store(folder)
    runs = [{"id": f"{seed:016x}", "settings": {"seed": seed}, "seed": seed} for seed in range(1, RUNS + 1)]
    found = {"status": DONE, "recipe": run.spec.name, "results": run.results, "ledger": ledger, "counts": counts}
    for one in runs:
        store.write_record(one | found)
    store.write_design({"recipe": run.spec.name, "fields": ["seed"], "runs": runs, "prices": [], "code": ""})


def _collected(folder: Path, chips: list[str]) -> float:
    started = time.perf_counter()
    table = collect(folder, chips)
    table.write(folder / "table.csv", overwrite=True)
    seconds = time.perf_counter() - started
    if table.done != RUNS:
        raise RuntimeError(f"{table.done} of {RUNS} runs were collected")
    return seconds
