"""From counted events to joules: a ledger becomes a workload, and a report the few energies that a run prints."""

from eqspike.costing.summary import energy_summary
from eqspike.costing.workload import ProjectionInfo, to_workload

__all__ = ["ProjectionInfo", "energy_summary", "to_workload"]
