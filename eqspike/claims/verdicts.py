"""Whether what was measured meets what was expected."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from eqspike.claims.schema import Case, Claim, Expectation

MET, MISSED, NOT_COMPARED = "met", "missed", "not compared"
NO_TARGET = "no target"

Records = Mapping[str, Mapping[str, Any]]


def judge(claim: Claim, measured: Mapping[str, Records]) -> dict[str, list[dict[str, Any]]]:
    """Return for every case what came of each of its expectations.

    Parameters
    ----------
    measured : records of runs by case and seed (as text), as ``measured.json`` holds them.

    Returns
    -------
    dict : by case a list of {quantity, compare, by, values, n, mean, standard_deviation, low, high, verdict, reason};
        of an energy also its chip, and {low, high} of the chip's prices.
    """
    return {case.name: [_outcome(case, expectation, measured) for expectation in case.expect] for case in claim.cases}


def overall(outcomes: Iterable[Mapping[str, Any]]) -> str:
    """Return missed if any outcome with a target was, else not compared if any was not (or none has one), else met."""
    verdicts = [outcome["verdict"] for outcome in outcomes if outcome["reason"] != NO_TARGET]
    if MISSED in verdicts:
        return MISSED
    return MET if verdicts and all(verdict == MET for verdict in verdicts) else NOT_COMPARED


def summary(values: Iterable[float]) -> dict[str, float | int | None]:
    """Return n, mean, sample standard deviation (n - 1; None for fewer than two values), lowest and highest value."""
    numbers = list(values)
    return {
        "n": len(numbers),
        "mean": statistics.fmean(numbers) if numbers else None,
        "standard_deviation": statistics.stdev(numbers) if len(numbers) > 1 else None,
        "low": min(numbers, default=None),
        "high": max(numbers, default=None),
    }


def seed_values(records: Records, quantity: str, chip: str = "", of: str = "value") -> dict[str, float]:
    """Return a quantity by seed, of the runs that completed and have it; of an energy its value, low or high price."""
    if chip:
        prices = {seed: record.get("energies", {}).get(chip, {}).get(quantity) for seed, record in records.items()}
        return {seed: float(price[of]) for seed, price in prices.items() if price is not None}
    found = {seed: record.get("results", {}).get(quantity) for seed, record in records.items()}
    return {seed: float(value) for seed, value in found.items() if value is not None}


def _outcome(case: Case, expectation: Expectation, measured: Mapping[str, Records]) -> dict[str, Any]:
    seeds, asked = [str(seed) for seed in case.seeds], (expectation.quantity, expectation.chip)
    records = measured.get(case.name, {})
    values = _wanted(seed_values(records, *asked), seeds)
    if expectation.compare is not None:
        values = _against(values, seed_values(measured.get(expectation.compare, {}), *asked), expectation)
    found = summary(values.values())
    verdict, reason = _verdict(expectation, found, len(seeds))
    return {
        "quantity": expectation.quantity,
        "compare": expectation.compare,
        "by": expectation.by if expectation.compare else None,
        "values": values,
        **found,
        "verdict": verdict,
        "reason": reason,
    } | (_prices(expectation, records, values) if expectation.chip else {})


def _prices(expectation: Expectation, records: Records, values: Mapping[str, float]) -> dict[str, Any]:
    """Return the chip, and the mean energies at its low and high prices."""
    bounds = {of: seed_values(records, expectation.quantity, expectation.chip, of) for of in ("low", "high")}
    means = {of: statistics.fmean(found[seed] for seed in values) for of, found in bounds.items()} if values else None
    return {"chip": expectation.chip, "prices": means}


def _wanted(values: Mapping[str, float], seeds: list[str]) -> dict[str, float]:
    return {seed: values[seed] for seed in seeds if seed in values}


def _against(values: Mapping[str, float], others: Mapping[str, float], expectation: Expectation) -> dict[str, float]:
    """Return differences or ratios seed by seed: equal seeds share initial weights and the order of the images."""
    if expectation.by == "difference":
        return {seed: value - others[seed] for seed, value in values.items() if seed in others}
    return {seed: value / others[seed] for seed, value in values.items() if others.get(seed)}


def _verdict(expectation: Expectation, found: Mapping[str, Any], wanted: int) -> tuple[str, str]:
    if not expectation.bounds:
        return NOT_COMPARED, NO_TARGET
    if found["n"] < wanted:
        return NOT_COMPARED, f"{found['n']} of {wanted} seeds measured"
    return (MET if _within(expectation, found["mean"]) else MISSED), ""


def _within(expectation: Expectation, mean: float) -> bool:
    low = -math.inf if expectation.at_least is None else expectation.at_least
    high = math.inf if expectation.at_most is None else expectation.at_most
    return low <= mean <= high and (expectation.below is None or mean < expectation.below)
