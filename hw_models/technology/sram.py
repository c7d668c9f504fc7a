"""SRAM banks with 64-bit words: 120 runs of CACTI 7 by node, transistor flavour and size, read log-log.

The band of an access reaches from the low-power flavour (itrs-lop, at its lower supply) up to what Horowitz printed for
45 nm caches (ISSCC 2014); at other nodes up to the same factor above CACTI. CACTI's leakage differs by four orders of
magnitude between flavours, so chips take theirs from measured chips, and the column stands here for comparison only.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import pairwise
from math import log

from hw_models.errors import ConstantError
from hw_models.technology.constant import Constant
from hw_models.technology.curve import Curve, between

FLAVOURS = ("itrs-hp", "itrs-lop", "itrs-lstp")
DEFAULT_FLAVOUR = "itrs-lstp"
SOURCE = "CACTI 7 (Balasubramonian et al., ACM TACO 14(2):14, 2017, doi:10.1145/3085572), {flavour} cells and periphery"
_HOROWITZ_PJ = ((8.0, 10.0), (32.0, 20.0), (1024.0, 100.0))
_HOROWITZ_NM = 45


@dataclass(frozen=True)
class Quantity:
    """A column of the runs: its unit, what it includes, how it scales, and whether it is an access energy."""

    column: str
    unit: str
    includes: str
    scaling: str = "none"


QUANTITIES = {
    "read": Quantity(
        "read_pj",
        "pJ",
        "read of a 64-bit word from one bank, array and its decoders, no controller and no wires outside the bank",
        "sram",
    ),
    "write": Quantity(
        "write_pj",
        "pJ",
        "write of a 64-bit word to one bank, array and its decoders, no controller and no wires outside the bank",
        "sram",
    ),
    "leakage": Quantity("leakage_uw", "uW", "sub-threshold and gate leakage of one bank at 300 K", "leakage"),
    "access": Quantity("access_ns", "ns", "access time of one bank"),
    "area": Quantity("area_mm2", "mm2", "area of one bank with its decoders"),
}


@cache
def nodes() -> tuple[int, ...]:
    """Return the nodes that were run, finest first."""
    return tuple(sorted({node for _, node, _ in _runs()}))


@cache
def sizes() -> tuple[float, ...]:
    """Return the bank sizes that were run, in kB, smallest first."""
    return tuple(sorted({size for _, _, size in _runs()}))


@cache
def curve(quantity: str, node_nm: float, flavour: str = DEFAULT_FLAVOUR) -> Curve:
    """Return ``quantity`` over the size of the bank in kB; a node between two that were run lies on the log-log line.

    Raises
    ------
    ConstantError
        If the node lies outside those that were run.
    """
    known = nodes()
    if not known[0] <= node_nm <= known[-1]:
        raise ConstantError(
            f"no SRAM bank is known at {node_nm:g} nm.", field="node_nm", remedy=f"From {known[0]} to {known[-1]} nm."
        )
    finer = max(node for node in known if node <= node_nm)
    coarser = min(node for node in known if node >= node_nm)
    name = f"cacti7_sram_{node_nm:g}nm.{quantity}"
    return Curve(name, "kB", tuple((size, _bank(quantity, node_nm, finer, coarser, flavour, size)) for size in sizes()))


def _bank(quantity: str, node_nm: float, finer: int, coarser: int, flavour: str, size: float) -> Constant:
    below = _run(quantity, finer, flavour, size)
    if finer == coarser:
        return below
    above = _run(quantity, coarser, flavour, size)
    made = between(below, above, log(node_nm / finer) / log(coarser / finer))
    band = f"{made.band}; interpolated log-log between {finer} and {coarser} nm"
    return replace(made, node_nm=node_nm, vdd=None, band=band)


def _run(quantity: str, node_nm: int, flavour: str, size: float) -> Constant:
    known, run = QUANTITIES[quantity], _runs()[flavour, node_nm, size]
    value = float(run[known.column])
    low, high, band = value, value, "a single run of the model"
    if known.scaling == "sram":
        low = min(value, float(_runs()["itrs-lop", node_nm, size][known.column]))
        reference = float(_runs()[DEFAULT_FLAVOUR, node_nm, size][known.column])
        high = max(value, reference * _horowitz_factor(known.column, size))
        band = (
            "low: the same bank in itrs-lop at its lower supply; high: Horowitz, ISSCC 2014, 64-bit SRAM access, 45 nm"
        )
        band += "" if node_nm == _HOROWITZ_NM else ": as far above itrs-lstp as there"
    return Constant(
        value=value,
        low=low,
        high=high,
        unit=known.unit,
        includes=known.includes,
        evidence="simulated",
        source=SOURCE.format(flavour=flavour),
        year=2017,
        node_nm=node_nm,
        vdd=float(run["vdd"]),
        band=band,
        scaling=known.scaling,
    )


def _horowitz_factor(column: str, size: float) -> float:
    """Return the log-log line through Horowitz' three sizes (its slope kept below 8 kB) over CACTI at 45 nm."""
    pairs = list(pairwise(_HOROWITZ_PJ))
    (left, below), (right, above) = next((pair for pair in pairs if size <= pair[1][0]), pairs[-1])
    line = below * (size / left) ** (log(above / below) / log(right / left))
    return line / float(_runs()[DEFAULT_FLAVOUR, _HOROWITZ_NM, size][column])


@cache
def _runs() -> dict[tuple[str, int, float], dict[str, str]]:
    text = (files("hw_models.technology") / "cacti7_sram.csv").read_text(encoding="utf-8")
    return {
        (run["flavour"], int(run["node_nm"]), float(run["size_kb"])): run for run in csv.DictReader(text.splitlines())
    }
