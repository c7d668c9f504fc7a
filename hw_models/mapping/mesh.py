"""Cores on the mesh of a chip, or of several chips side by side: a space-filling start, then swaps."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np

from hw_models.chips.limits import Limits

_SWAP_WORK = 150_000_000
_MOST_PAIRS = 2_000_000  # of cores; where more talk to each other, all do, and no swap helps
_WIDEST = 8192  # cores between which traffic is tabled


@dataclass(frozen=True, eq=False)
class Mesh:
    """Where each core sits.

    Parameters
    ----------
    width, height, depth : routers of a chip, and cores at each.
    chips : in use.
    x, y, chip_x, chip_y : (cores,) router of each core over all chips, and its chip.
    multicast : whether one packet serves all cores at a router.
    """

    width: int
    height: int
    depth: int
    chips: int
    x: np.ndarray
    y: np.ndarray
    multicast: bool

    @property
    def chip_x(self) -> np.ndarray:
        return self.x // self.width

    @property
    def chip_y(self) -> np.ndarray:
        return self.y // self.height

    @property
    def tile(self) -> np.ndarray:
        """Number of the place that a packet goes to: the router with multicast, else the core."""
        if not self.multicast:
            return np.arange(len(self.x))
        return np.unique(self.y * (self.x.max() + 1) + self.x, return_inverse=True)[1].astype(np.int64)

    def hops(self, source: int | np.ndarray, target: int | np.ndarray) -> np.ndarray:
        """Return the Manhattan distance between cores."""
        return np.abs(self.x[source] - self.x[target]) + np.abs(self.y[source] - self.y[target])


def seat(cores: int, limits: Limits, between: tuple[np.ndarray, np.ndarray, np.ndarray], seed: int) -> Mesh:
    """Return the mesh with ``cores`` cores on it, those that talk most close together.

    Parameters
    ----------
    between : (from, to, packets) of a presentation, between cores; empty where a good order is all there is.
    """
    each = limits.value("cores") or cores
    width, height = limits.mesh or _near_square(each)
    depth = ceil(each / (width * height))
    chips = ceil(cores / each)
    places = _snake(width, height)
    on_chip = np.repeat(places, depth, axis=0)[:each]
    columns = ceil(sqrt(chips))
    corner = np.array([(k % columns * width, k // columns * height) for k in range(chips)])
    slots = (on_chip[None] + corner[:, None]).reshape(-1, 2)
    taken = np.arange(cores)
    if cores > 2 and 0 < len(between[0]) <= _MOST_PAIRS:
        taken = _swapped(cores, slots, depth, between, seed)
    return Mesh(width, height, depth, chips, slots[taken, 0], slots[taken, 1], limits.multicast)


def _near_square(cores: int) -> tuple[int, int]:
    width = ceil(sqrt(cores))
    return width, ceil(cores / width)


def _snake(width: int, height: int) -> np.ndarray:
    """Return the (x, y) of a curve through the mesh whose neighbours touch and whose stretches stay compact.

    A Hilbert curve where the mesh is a square with a power of two to its side, else strips of rows walked to and fro.
    """
    if width == height and width & (width - 1) == 0:
        return _hilbert(width)
    strip = max(1, round(sqrt(height)))
    places = []
    for number, top in enumerate(range(0, height, strip)):
        rows = list(range(top, min(top + strip, height)))
        columns = range(width) if number % 2 == 0 else range(width - 1, -1, -1)
        for turn, x in enumerate(columns):
            places += [(x, y) for y in (rows if turn % 2 == 0 else reversed(rows))]
    return np.array(places)


def _hilbert(side: int) -> np.ndarray:
    """Return Hilbert's curve, built from four turned copies of the curve of half the side."""
    places = np.zeros((1, 2), np.int64)
    half = 1
    while half < side:
        x, y = places[:, 0], places[:, 1]
        places = np.concatenate(
            [
                np.stack([y, x], axis=1),
                np.stack([x, y + half], axis=1),
                np.stack([x + half, y + half], axis=1),
                np.stack([2 * half - 1 - y, half - 1 - x], axis=1),
            ]
        )
        half *= 2
    return places


def _swapped(cores: int, slots: np.ndarray, depth: int, between: tuple, seed: int) -> np.ndarray:
    """Return the slot of each core after swaps that lower packets x hops."""
    from hw_models.mapping.moves import sit

    starts, others, packets = _both_ways(cores, *between)
    seats, holder = np.arange(cores), np.full(len(slots), -1, np.int64)
    holder[:cores] = np.arange(cores)
    x, y = slots[:, 0].copy(), slots[:, 1].copy()
    table = np.full((x.max() + 1, y.max() + 1, depth), -1, np.int64)
    filled = np.zeros(table.shape[:2], np.int64)
    for slot, (at_x, at_y) in enumerate(slots):
        table[at_x, at_y, filled[at_x, at_y]] = slot
        filled[at_x, at_y] += 1
    state = np.array([2 * seed + 88172645463325252], np.int64)
    sit(starts, others, packets, seats, holder, table, x, y, _SWAP_WORK, state)
    return seats


def _both_ways(cores: int, source: np.ndarray, target: np.ndarray, packets: np.ndarray) -> tuple:
    """Return traffic as rows per core, each pair in both rows with the sum of its two directions."""
    keys = np.concatenate([source * cores + target, target * cores + source])
    if cores <= _WIDEST and len(keys) > 4 * cores * sqrt(cores):  # dense enough for a table
        table = np.bincount(keys, np.tile(packets, 2), minlength=cores * cores)
        unique = np.flatnonzero(table)
        sums = table[unique]
    else:
        unique, place = np.unique(keys, return_inverse=True)
        sums = np.bincount(place, np.tile(packets, 2))
    starts = np.concatenate([[0], np.cumsum(np.bincount(unique // cores, minlength=cores))])
    return starts.astype(np.int64), (unique % cores).astype(np.int64), sums.astype(np.float64)
