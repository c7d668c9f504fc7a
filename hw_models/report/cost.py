"""A priced workload on one chip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hw_models.errors import UnpricedError, WorkloadError
from hw_models.report import html, text, whatif
from hw_models.report.band import Band
from hw_models.report.rows import PARTS, CostRow, Endurance, PhaseSize, PhaseTime, Reproduced

REPORT_SCHEMA = 1
_EVENTS = ("synaptic_events_forward", "synaptic_events_backward")


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
    constants, bands : every constant used with all its fields, and its value and band in SI units.
    latency : seconds of each phase on the hardware, and what sets them.
    area_mm2 : silicon area, None where the chip file gives none.
    endurance : wear of the synapses, None where nothing was written.
    operating_points : published operating points beside what the chip's constants give for them.
    variants : total energy with the constants of each variant of the chip.
    footprint : kB for inference and for training, ``inference_kb`` and ``training_kb``.
    placement : summary of the placement that counted packets and hops, None without one.
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
    bands: Mapping[str, Band] = field(default_factory=dict)
    latency: Mapping[str, PhaseTime] = field(default_factory=dict)
    area_mm2: Band | None = None
    endurance: Endurance | None = None
    operating_points: tuple[Reproduced, ...] = ()
    variants: Mapping[str, Band] = field(default_factory=dict)
    footprint: Mapping[str, float] = field(default_factory=dict)
    placement: Mapping[str, Any] | None = None

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
        self._require_parts(wanted)
        names = self.phase_names(*phases)
        return _total(row for row in self.rows if row.phase in names and row.kind in wanted)

    def per_presentation(self, *phases: str, part: str | None = None) -> Band | None:
        """Return joules per presentation; free and nudged phases share their presentations. None if there was none."""
        names = self.phase_names(*phases)
        presentations = self.presentations(*names)
        return self.energy(*names, part=part) / presentations if presentations else None

    def per_synaptic_event(self, *phases: str) -> Band | None:
        """Return all-in joules per synaptic event: every part of the phases over their synaptic events."""
        names = self.phase_names(*phases)
        events = self.synaptic_events(*names)
        return self.energy(*names) / events if events else None

    def marginal_per_synaptic_event(self, *phases: str) -> Band | None:
        """Return the joules that one more synaptic event costs: its own dynamic actions and nothing else."""
        names = self.phase_names(*phases)
        events = self.synaptic_events(*names)
        own = _total(row for row in self.rows if row.phase in names and row.action in _EVENTS and row.kind == "dynamic")
        return own / events if events else None

    def energy_delay_js(self, *phases: str) -> Band | None:
        """Return the energy-delay product of one presentation: its joules times its seconds on the hardware."""
        names = self.phase_names(*phases)
        presentations = self.presentations(*names)
        if not presentations:
            return None
        seconds = sum(self.latency[name].hardware_s for name in names)
        return self.energy(*names) / presentations * (seconds / presentations)

    def evaluate(self, values: Mapping[str, str | float], *phases: str) -> float:
        """Return the joules of ``phases`` with some constants at another value than their own.

        Parameters
        ----------
        values : by constant: ``low``, ``high``, or a number in the constant's own unit.
        """
        self._require_parts(PARTS)
        for name in values:
            if name not in self.bands:
                known = ", ".join(self.bands)
                raise WorkloadError(f"no constant {name!r} is used.", field="evaluate", remedy=f"Used: {known}.")
        chosen = {name: self._si(name, values.get(name, "value")) for name in self.bands}
        return self._formula(phases)(chosen)

    def tornado(self, *phases: str) -> list[tuple[str, float, float]]:
        """Return (constant, joules at its low, joules at its high), the others at their value, widest first."""
        self._require_parts(PARTS)
        return whatif.tornado(self._formula(phases), self.bands)

    def presentations(self, *phases: str) -> int:
        """Return the presentations of ``phases``, which share them."""
        return max((self.phases[name].presentations for name in self.phase_names(*phases)), default=0)

    def synaptic_events(self, *phases: str) -> int:
        """Return the synaptic events of ``phases``, both directions."""
        return sum(self.phases[name].synaptic_events for name in self.phase_names(*phases))

    def phase_names(self, *phases: str) -> tuple[str, ...]:
        """Return ``phases``, or all that were priced where none is named.

        Raises
        ------
        WorkloadError
            If one of them was not priced.
        """
        names = phases or tuple(self.phases)
        for name in names:
            if name not in self.phases:
                known = ", ".join(self.phases) or "none, nothing was presented"
                raise WorkloadError(f"no phase {name!r} was priced.", field="phase", remedy=f"Priced phases: {known}.")
        return names

    def _require_parts(self, wanted: Iterable[str]) -> None:
        for kind in wanted:
            if kind not in self.parts:
                raise UnpricedError(
                    f"the {kind} part is missing, so no total is given.",
                    field=self.chip,
                    remedy=f"Declare parts.{kind} in the chip file, as an explicit zero with a reason if need be.",
                )

    def _formula(self, phases: tuple[str, ...]) -> whatif.Formula:
        names = self.phase_names(*phases)
        return whatif.Formula.of(row for row in self.rows if row.phase in names)

    def _si(self, name: str, value: str | float) -> float:
        band = self.bands[name]
        if isinstance(value, str):
            return getattr(band, value)
        own = self.constants[name]
        known = next((key for key in ("value", "high", "low") if own[key]), None)
        return value if known is None else value * getattr(band, known) / own[known]

    def to_dict(self) -> dict:
        """Return the report as plain JSON types, a stable form for scripts."""
        plain = ("chip", "device", "node_nm", "vdd", "tick_s", "tick_source", "workload", "weakest_evidence")
        return {
            "schema": REPORT_SCHEMA,
            **{key: getattr(self, key) for key in plain},
            "parts": dict(self.parts),
            "assumptions": list(self.assumptions),
            "warnings": list(self.warnings),
            "not_modelled": list(self.not_modelled),
            "phases": {name: self._phase_dict(name) for name in self.phases},
            "rows": [self._row_dict(row) for row in self.rows],
            "constants": {name: dict(constant) for name, constant in self.constants.items()},
            "area_mm2": self.area_mm2.to_dict() if self.area_mm2 else None,
            "endurance": self.endurance.to_dict() if self.endurance else None,
            "operating_points": [point.to_dict() for point in self.operating_points],
            "variants": {name: total.to_dict() for name, total in self.variants.items()},
            "footprint": dict(self.footprint),
            "placement": dict(self.placement) if self.placement is not None else None,
        }

    def _phase_dict(self, name: str) -> dict:
        size, time = self.phases[name], self.latency.get(name)
        sizes = {
            "presentations": size.presentations,
            "ticks": size.ticks,
            "hardware_s": time.hardware_s if time else size.ticks * self.tick_s,
            "busy_s": time.busy_s if time else 0.0,
            "bound_by": time.bound_by if time else "tick",
            "synaptic_events": size.synaptic_events,
        }
        parts = {part: self.energy(name, part=part).to_dict() for part in PARTS if part in self.parts}
        bands = {
            "total": self.energy(name),
            "per_synaptic_event": self.per_synaptic_event(name),
            "marginal_per_synaptic_event": self.marginal_per_synaptic_event(name),
            "energy_delay_js": self.energy_delay_js(name) if time else None,
        }
        return sizes | parts | {key: band.to_dict() if band else None for key, band in bands.items()}

    def _row_dict(self, row: CostRow) -> dict:
        plain = ("phase", "component", "kind", "action", "entity", "count", "energy_j")
        known = ("includes", "evidence", "source")
        bounds = {"low": row.low_j, "high": row.high_j}
        head, tail = ({key: getattr(row, key) for key in keys} for keys in (plain, known))
        return {"chip": self.chip} | head | bounds | tail | {"constants": list(row.constants)}

    def __str__(self) -> str:
        """Return a plain table: joules by phase and component, per presentation, then what the reader must know."""
        return text.table(self)

    def _repr_html_(self) -> str:
        return html.page(self)


def _total(rows: Iterable[CostRow]) -> Band:
    value = low = high = 0.0
    for row in rows:
        value, low, high = value + row.energy_j, low + row.low_j, high + row.high_j
    return Band(value, low, high)
