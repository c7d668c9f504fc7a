"""What a sweep has to do: the id of every run of a design, worked out before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eqspike.sweeps.design import Design
from eqspike.sweeps.fingerprint import code_hash, run_id
from eqspike.sweeps.work import Task


@dataclass
class Plan:
    """The runs of a design by id, each once, in the design's order; of each its place is kept and nothing else.

    Parameters
    ----------
    kernels, data : a run's id for each kind of compiled code, and for each data set.
    """

    design: Design
    folder: Path
    code: str
    threads: int = 1
    places: dict[str, int] = field(default_factory=dict)
    kernels: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)

    def task(self, name: str, attempt: int = 1) -> Task:
        """Return the run ``name`` as what a worker is handed."""
        design = self.design
        settings = design.settings(self.places[name])
        folder = str(self.folder)
        return Task(name, design.recipe, design.base, settings, folder, self.code, self.threads, attempt)

    def document(self) -> dict[str, Any]:
        """Return the design as its folder holds it."""
        design = self.design
        runs = (
            {"id": name, "settings": (settings := design.settings(place)), "seed": self._seed(settings)}
            for name, place in self.places.items()
        )
        return {
            "recipe": design.recipe,
            "fields": list(design.fields),
            "runs": list(runs),
            "prices": [dict(price) for price in design.prices],
            "code": self.code,
        }

    def _seed(self, settings: dict[str, Any]) -> int:
        return settings.get("seed", self.design.base.get("seed", 1))


def make_plan(design: Design, folder: Path, *, threads: int = 1) -> Plan:
    """Return the plan of ``design``, every run of which is resolved once.

    Raises
    ------
    ConfigError
        if a field is unknown or a value does not fit, with its line in the sweep file.
    """
    plan = Plan(design, folder.resolve(), code_hash(), threads)
    for name, place, kernels, data in _resolved(design, plan.code):
        if name not in plan.places:
            plan.places[name] = place
            plan.kernels.setdefault(kernels, name)
            plan.data.setdefault(data, name)
    return plan


def _resolved(design: Design, code: str) -> Iterator[tuple[str, int, str, str]]:
    for place in range(len(design)):
        spec = design.spec(place)
        yield run_id(spec, code), place, spec.kernels(), spec.data.name
