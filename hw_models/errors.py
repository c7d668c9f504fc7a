"""Errors of the cost model: each names the field at fault, the problem and the remedy."""

from __future__ import annotations


class HardwareError(Exception):
    """A mistake in a chip, a constant or a workload that its reader can mend."""

    exit_code = 2

    def __init__(self, problem: str, *, field: str = "", remedy: str = "") -> None:
        self.problem, self.field, self.remedy = problem, field, remedy
        where = f"{field}: " if field else ""
        super().__init__(f"{where}{problem}" + (f" {remedy}" if remedy else ""))


class ChipError(HardwareError):
    """A chip is unknown, or its file does not follow the schema."""


class WorkloadError(HardwareError):
    """A workload lacks a count, a tick or a shape that pricing needs."""


class UnpricedError(HardwareError):
    """An action has no price, or its constant is unstated or only recalled, so nothing is priced with it."""


class ConstantError(HardwareError):
    """A constant lacks a field, has an unknown unit or grade, or a band that does not hold its value."""


class KnobError(HardwareError):
    """A chip cannot be had at the node, supply, width, policy or variant that was asked for."""


class FitError(HardwareError):
    """A network does not fit a chip: names the wall, the demand, the limit and what would fit."""

    exit_code = 3
