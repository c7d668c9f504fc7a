"""The cost report: priced rows, totals with their band, what-if on constants, and what the numbers leave out."""

from hw_models.report.band import Band
from hw_models.report.cost import REPORT_SCHEMA, CostReport
from hw_models.report.rows import PARTS, CostRow, Endurance, PhaseSize, PhaseTime, Reproduced
from hw_models.report.whatif import ratio

__all__ = [
    "PARTS",
    "REPORT_SCHEMA",
    "Band",
    "CostReport",
    "CostRow",
    "Endurance",
    "PhaseSize",
    "PhaseTime",
    "Reproduced",
    "ratio",
]
