"""The Pareto front of accuracy against energy: what nothing else beats in both.

p dominates q if accuracy(p) >= accuracy(q) and energy(p) <= energy(q), and one of the two is strict.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from hw_models import Band

ENDS = ("low", "value", "high")


@dataclass(frozen=True)
class Point:
    """One configuration, over its seeds: mean accuracy with its sample standard deviation, mean energy with its band.

    ``settings`` are the fields that vary, without the seed; ``seeds`` is how many runs there were.
    """

    settings: Mapping[str, Any]
    accuracy: float
    spread: float
    energy: Band
    seeds: int

    @property
    def label(self) -> str:
        """The settings in few words."""
        return label(self.settings)

    def to_dict(self) -> dict[str, Any]:
        """Return the point as plain JSON types."""
        return {
            "settings": dict(self.settings),
            "accuracy": self.accuracy,
            "accuracy_spread": self.spread,
            "energy_j": self.energy.to_dict(),
            "seeds": self.seeds,
        }


class Gathering:
    """Gathers points from rows on their way to a file or a screen, so that these are priced only once.

    Parameters
    ----------
    varied : the fields that tell configurations apart; ``seed`` among them is left out.
    accuracy, energy : columns; of the energy without ``_j``. Rows without either are no points.
    """

    def __init__(
        self, varied: Sequence[str], *, accuracy: str = "test_accuracy", energy: str = "energy_per_inference"
    ) -> None:
        self._fields = [name for name in varied if name != "seed"]
        self._accuracy, self._energies = accuracy, [f"{energy}{end}_j" for end in ("", "_low", "_high")]
        self._found: dict[str, dict[tuple, list[tuple[float, Band]]]] = {}

    def through(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """Yield ``rows`` as they are, and remember what a point needs of each."""
        for row in rows:
            if row.get(self._accuracy) is not None and row.get(self._energies[0]) is not None:
                key = tuple(row[name] for name in self._fields)
                pair = (row[self._accuracy], Band(*(row[column] for column in self._energies)))
                self._found.setdefault(chip_of(row), {}).setdefault(key, []).append(pair)
            yield row

    def points(self) -> dict[str, list[Point]]:
        """Return by chip a point for each configuration, its seeds joined."""
        return {
            chip: [_joined(dict(zip(self._fields, key, strict=True)), pairs) for key, pairs in groups.items()]
            for chip, groups in self._found.items()
        }


def points(rows: Iterable[Mapping[str, Any]], varied: Sequence[str], **columns: str) -> dict[str, list[Point]]:
    """Return by chip the points of ``rows`` of a collected table: see :class:`Gathering`."""
    gathering = Gathering(varied, **columns)
    deque(gathering.through(rows), maxlen=0)
    return gathering.points()


def label(settings: Mapping[str, Any]) -> str:
    """Return settings in few words: of each field as many last parts as tell it from the others, and its value."""
    return ", ".join(f"{_last_parts(field, settings)} {_short(value)}" for field, value in settings.items())


def _last_parts(field: str, others: Iterable[str]) -> str:
    parts = field.split(".")
    tails = (".".join(parts[-length:]) for length in range(1, len(parts)))
    alike = [f".{other}" for other in others if other != field]
    return next((tail for tail in tails if not any(other.endswith(f".{tail}") for other in alike)), field)


def chip_of(row: Mapping[str, Any]) -> str:
    """Return the chip of a row with its turned knobs."""
    turned = [f"{key[5:]} {_short(row[key])}" for key in row if key.startswith("chip.") and row[key] is not None]
    return ", ".join([row["chip"], *turned])


def front(found: Sequence[Point], end: str = "value") -> list[Point]:
    """Return the points that no other dominates, by energy, with all constants at one ``end`` of their bands.

    Of points that agree in both the first is kept.
    """
    ordered = sorted(found, key=lambda point: (getattr(point.energy, end), -point.accuracy))
    kept: list[Point] = []
    for point in ordered:
        if not kept or point.accuracy > kept[-1].accuracy:
            kept.append(point)
    return kept


def marked(found: Sequence[Point]) -> list[dict[str, Any]]:
    """Return all points as plain JSON types, by energy, each with ``label`` and with ``front``: the fronts it is on.

    These are the fronts with all constants of the chip low, at their value, and high. Points share the constants, so
    that these move together: a point on all three is on the front whatever they are, as long as they do.
    """
    sides = {end: {id(point) for point in front(found, end)} for end in ENDS}
    ordered = sorted(found, key=lambda point: point.energy.value)
    return [
        point.to_dict() | {"label": point.label, "front": [end for end in ENDS if id(point) in sides[end]]}
        for point in ordered
    ]


def _joined(settings: Mapping[str, Any], found: Sequence[tuple[float, Band]]) -> Point:
    n = len(found)
    mean = sum(accuracy for accuracy, _ in found) / n
    spread = sqrt(sum((accuracy - mean) ** 2 for accuracy, _ in found) / (n - 1)) if n > 1 else 0.0
    return Point(settings, mean, spread, sum((energy for _, energy in found), Band()) / n, n)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
