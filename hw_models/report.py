"""The cost report: priced rows, their totals with a low-high band, and what the numbers do and do not include."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hw_models.errors import UnpricedError, WorkloadError

REPORT_SCHEMA = 1
PARTS = ("static", "dynamic", "periphery")


@dataclass(frozen=True)
class Band:
    """A value with its low and high bound.

    Bands add and multiply bound by bound, low with low and high with high: every uncertainty is taken as fully
    correlated, the cautious reading of constants that share a technology and a source.
    """

    value: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def __add__(self, other: Band) -> Band:
        return Band(self.value + other.value, self.low + other.low, self.high + other.high)

    def __mul__(self, other: Band | float) -> Band:
        if isinstance(other, Band):
            return Band(self.value * other.value, self.low * other.low, self.high * other.high)
        return Band(self.value * other, self.low * other, self.high * other)

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> Band:
        return Band(self.value / divisor, self.low / divisor, self.high / divisor)

    def to_dict(self) -> dict[str, float]:
        """Return {value, low, high}."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class CostRow:
    """One priced action of one entity in one phase; ``kind`` is static, dynamic or periphery."""

    phase: str
    component: str
    action: str
    entity: str
    count: int
    energy_j: float
    low_j: float
    high_j: float
    includes: str
    evidence: str
    source: str
    kind: str

    @property
    def energy(self) -> Band:
        """The energy of the row in joules."""
        return Band(self.energy_j, self.low_j, self.high_j)


@dataclass(frozen=True)
class PhaseSize:
    """What one phase did: presentations, ticks and synaptic events, over all presentations."""

    presentations: int
    ticks: int
    synaptic_events: int


@dataclass(frozen=True)
class CostReport:
    """Priced workload on one chip.

    Parameters
    ----------
    vdd : supply of the chip in volts, None where its constants have no common supply.
    tick_s, tick_source : seconds per tick on the hardware, and who set it: ``given``, ``chip`` or ``workload``.
    phases : size of each priced phase, by name.
    rows : priced actions, joules over all presentations of the phase.
    parts : what the static, the dynamic and the periphery part stand for; a part not named here is missing.
    assumptions, warnings, not_modelled : what a reader must know before quoting a number.
    weakest_evidence : the weakest grade among the constants used.
    constants : every constant used, with its band, unit, node, content, grade and source.
    """

    chip: str
    device: str
    node_nm: float
    vdd: float | None
    tick_s: float
    tick_source: str
    workload: str
    phases: Mapping[str, PhaseSize]
    rows: tuple[CostRow, ...]
    parts: Mapping[str, str]
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    not_modelled: tuple[str, ...] = ()
    weakest_evidence: str | None = None
    constants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def operating_point(self) -> str:
        """Device, node and supply in one line."""
        supply = "supply not stated" if self.vdd is None else f"{self.vdd:g} V"
        return f"{self.device}, {self.node_nm:g} nm, {supply}"

    def energy(self, *phases: str, part: str | None = None) -> Band:
        """Return the joules of ``phases`` (all where none is named), of one part or of all three.

        Raises
        ------
        UnpricedError
            If a part that the sum needs is missing: nothing is totalled over a gap.
        """
        wanted = PARTS if part is None else (part,)
        for kind in wanted:
            if kind not in self.parts:
                raise UnpricedError(
                    f"the {kind} part is missing, so no total is given.",
                    field=self.chip,
                    remedy=f"Declare parts.{kind} in the chip file, as an explicit zero with a reason if need be.",
                )
        names = self._phases(phases)
        return _total(row for row in self.rows if row.phase in names and row.kind in wanted)

    def per_presentation(self, *phases: str, part: str | None = None) -> Band | None:
        """Return joules per presentation; free and nudged phases share their presentations. None if there was none."""
        names = self._phases(phases)
        presentations = max((self.phases[name].presentations for name in names), default=0)
        return self.energy(*names, part=part) / presentations if presentations else None

    def per_synaptic_event(self, *phases: str) -> Band | None:
        """Return all-in joules per synaptic event: every part of the phases over their synaptic events."""
        names = self._phases(phases)
        events = self.synaptic_events(*names)
        return self.energy(*names) / events if events else None

    def marginal_per_synaptic_event(self, *phases: str) -> Band | None:
        """Return the joules that one more synaptic event costs: its own dynamic actions and nothing else."""
        names = self._phases(phases)
        events = self.synaptic_events(*names)
        actions = ("synaptic_events_forward", "synaptic_events_backward")
        own = _total(row for row in self.rows if row.phase in names and row.action in actions and row.kind == "dynamic")
        return own / events if events else None

    def synaptic_events(self, *phases: str) -> int:
        """Return the synaptic events of ``phases``, both directions."""
        return sum(self.phases[name].synaptic_events for name in self._phases(phases))

    def _phases(self, phases: Iterable[str]) -> tuple[str, ...]:
        names = tuple(phases) or tuple(self.phases)
        for name in names:
            if name not in self.phases:
                known = ", ".join(self.phases) or "none, nothing was presented"
                raise WorkloadError(f"no phase {name!r} was priced.", field="phase", remedy=f"Priced phases: {known}.")
        return names

    def to_dict(self) -> dict:
        """Return the report as plain JSON types, a stable form for scripts."""
        return {
            "schema": REPORT_SCHEMA,
            "chip": self.chip,
            "device": self.device,
            "node_nm": self.node_nm,
            "vdd": self.vdd,
            "tick_s": self.tick_s,
            "tick_source": self.tick_source,
            "workload": self.workload,
            "weakest_evidence": self.weakest_evidence,
            "parts": dict(self.parts),
            "assumptions": list(self.assumptions),
            "warnings": list(self.warnings),
            "not_modelled": list(self.not_modelled),
            "phases": {name: self._phase_dict(name) for name in self.phases},
            "rows": [self._row_dict(row) for row in self.rows],
            "constants": {name: dict(constant) for name, constant in self.constants.items()},
        }

    def _phase_dict(self, name: str) -> dict:
        size = self.phases[name]
        sizes = {
            "presentations": size.presentations,
            "ticks": size.ticks,
            "hardware_s": size.ticks * self.tick_s,
            "synaptic_events": size.synaptic_events,
        }
        parts = {part: self.energy(name, part=part).to_dict() for part in PARTS if part in self.parts}
        return sizes | parts | {"total": self.energy(name).to_dict()}

    def _row_dict(self, row: CostRow) -> dict:
        return {
            "chip": self.chip,
            "phase": row.phase,
            "component": row.component,
            "kind": row.kind,
            "action": row.action,
            "entity": row.entity,
            "count": row.count,
            "energy_j": row.energy_j,
            "low": row.low_j,
            "high": row.high_j,
            "includes": row.includes,
            "evidence": row.evidence,
            "source": row.source,
        }

    def __str__(self) -> str:
        """Return a plain table: joules by phase and component, per presentation, then what the reader must know."""
        lines = [
            f"{self.workload} on {self.chip}: {self.operating_point}",
            f"tick {self.tick_s:g} s (set by the {self.tick_source}); weakest evidence: {self.weakest_evidence}",
            "",
            f"{'phase':<11}{'part':<11}{'component':<26}{'J / presentation':>17}{'low':>11}{'high':>11}",
        ]
        for phase, size in self.phases.items():
            for (kind, component), energy in self._by_component(phase).items():
                lines.append(f"{phase:<11}{kind:<11}{component:<26}{_columns(energy, size.presentations)}")
            lines.append(f"{phase:<11}{'total':<37}{_columns(self.energy(phase), size.presentations)}")
        for title, notes in (
            ("assumptions", self.assumptions),
            ("warnings", self.warnings),
            ("not modelled", self.not_modelled),
        ):
            lines += ["", f"{title}:", *(f"  - {note}" for note in notes)] if notes else []
        return "\n".join(lines)

    def _by_component(self, phase: str) -> dict[tuple[str, str], Band]:
        rows = sorted((row for row in self.rows if row.phase == phase), key=lambda row: PARTS.index(row.kind))
        keys = dict.fromkeys((row.kind, row.component) for row in rows)
        return {key: _total(row for row in rows if (row.kind, row.component) == key) for key in keys}


def _total(rows: Iterable[CostRow]) -> Band:
    return sum((row.energy for row in rows), Band())


def _columns(energy: Band, presentations: int) -> str:
    each = energy / presentations
    return f"{each.value:>17.3e}{each.low:>11.2e}{each.high:>11.2e}"
