"""The few energies of a cost report that a training run prints."""

from __future__ import annotations

from typing import Any

from hw_models.report import Band, CostReport


def energy_summary(report: CostReport) -> dict[str, Any]:
    """Return the energies of an inference, a training sample and a synaptic event, each {value, low, high} in joules.

    A training sample is its free and its nudged phase. A synaptic event is counted in inference, once all-in (every
    part of the energy over the events) and once marginal (what one more event costs). None where nothing was counted.
    """
    learning = [name for name in ("free", "nudged") if name in report.phases]
    inference = ["inference"] if "inference" in report.phases else []
    return {
        "energy_per_inference_j": _band(report.per_presentation(*inference) if inference else None),
        "energy_per_training_sample_j": _band(report.per_presentation(*learning) if learning else None),
        "energy_per_synaptic_event_j": _band(report.per_synaptic_event(*inference) if inference else None),
        "energy_per_synaptic_event_marginal_j": _band(
            report.marginal_per_synaptic_event(*inference) if inference else None
        ),
        "chip": report.chip,
        "chip_operating_point": report.operating_point,
        "tick_s": report.tick_s,
        "tick_source": report.tick_source,
        "weakest_evidence": str(report.weakest_evidence) if report.weakest_evidence else None,
        "energy_includes": dict(report.parts),
        "energy_warnings": list(report.warnings),
        "not_modelled": list(report.not_modelled),
    }


def _band(energy: Band | None) -> dict[str, float] | None:
    return None if energy is None else energy.to_dict()
