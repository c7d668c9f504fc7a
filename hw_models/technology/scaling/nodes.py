"""Technology nodes: their nominal supply, and how the energy of logic and of SRAM differs between two of them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from math import exp, log, sqrt

from hw_models.errors import KnobError
from hw_models.report import Band
from hw_models.technology import sram

BANK_KB = 8  # the bank whose read energy stands for SRAM


@cache
def data() -> dict:
    """Return the published numbers: a gate's energy by node, and products at two nodes."""
    raw = tomllib.loads((files("hw_models.technology.scaling") / "nodes.toml").read_text(encoding="utf-8"))
    return raw | {"nodes": {int(node): entry for node, entry in raw["nodes"].items()}}


def nominal_vdd(node_nm: float) -> float:
    """Return the supply that a high-performance process of that node is made for, in volts."""
    return _between(node_nm, lambda node: data()["nodes"][node]["vdd"])


def gate_energy(node_nm: float, vdd: float | None = None) -> float:
    """Return a V^2 + b V + c, a gate's energy in the arbitrary unit of Stillmaker and Baas; log-log between nodes."""

    def at(node: int) -> float:
        entry = data()["nodes"][node]
        volts = entry["vdd"] if vdd is None else vdd
        return entry["a"] * volts**2 + entry["b"] * volts + entry["c"]

    return _between(node_nm, at)


def steps(before_nm: float, after_nm: float) -> float:
    """Return how many nodes of the table lie between two nodes, as a fraction where they are not in the table."""
    return abs(_position(after_nm) - _position(before_nm))


def far(before_nm: float, after_nm: float) -> bool:
    """Return whether two nodes are further apart than neighbours."""
    return steps(before_nm, after_nm) > 1 + 1e-9


def logic_factor(before_nm: float, after_nm: float, before_vdd: float | None = None) -> Band:
    """Return the energy of logic at ``after_nm`` over that at ``before_nm``, each at its nominal supply.

    One end of the band is the ratio of :func:`gate_energy`, the other what the same arithmetic units gained in products
    (least of those published, as a power of the node). Between neighbours the value is the first, further apart neither
    is preferred and the value is their geometric mean.

    Parameters
    ----------
    before_vdd : supply of the figure that is scaled, where it was not the nominal one.
    """
    if before_nm == after_nm:
        return Band.exact(1.0)
    modelled = gate_energy(after_nm) / gate_energy(before_nm, before_vdd)
    seen = (after_nm / before_nm) ** _products_power()
    value = sqrt(modelled * seen) if far(before_nm, after_nm) else modelled
    return Band(value, min(modelled, seen), max(modelled, seen))


def sram_factor(before_nm: float, after_nm: float) -> Band:
    """Return the energy of an SRAM access at ``after_nm`` over that at ``before_nm``: an 8 kB bank of each flavour.

    Outside the nodes of CACTI the factor of logic is taken.
    """
    known = sram.nodes()
    if before_nm == after_nm:
        return Band.exact(1.0)
    if not all(known[0] <= node <= known[-1] for node in (before_nm, after_nm)):
        return logic_factor(before_nm, after_nm)
    ratios = {flavour: _read(after_nm, flavour) / _read(before_nm, flavour) for flavour in sram.FLAVOURS}
    return Band(ratios[sram.DEFAULT_FLAVOUR], min(ratios.values()), max(ratios.values()))


def _read(node_nm: float, flavour: str) -> float:
    return sram.curve("read", node_nm, flavour).at(BANK_KB).value


@cache
def _products_power() -> float:
    products = data()["products"]
    least = max(unit["after"] / unit["before"] for unit in products["operations"])
    return log(least) / log(products["to_nm"] / products["from_nm"])


def _between(node_nm: float, at: Callable[[int], float]) -> float:
    """Return ``at`` of a node; between two nodes of the table the log-log line."""
    position = _position(node_nm)
    known, finer = sorted(data()["nodes"]), int(position)
    if position == finer:
        return at(known[finer])
    fraction = position - finer
    return exp((1 - fraction) * log(at(known[finer])) + fraction * log(at(known[finer + 1])))


def _position(node_nm: float) -> float:
    """Return where the node stands among those of the table, counted from the finest."""
    known = sorted(data()["nodes"])
    if not known[0] <= node_nm <= known[-1]:
        raise KnobError(
            f"no scaling is published to or from {node_nm:g} nm.",
            field="node_nm",
            remedy=f"Nodes from {known[0]} to {known[-1]} nm.",
        )
    finer = max(index for index, node in enumerate(known) if node <= node_nm)
    if known[finer] == node_nm:
        return float(finer)
    return finer + log(node_nm / known[finer]) / log(known[finer + 1] / known[finer])
