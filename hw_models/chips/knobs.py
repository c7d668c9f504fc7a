"""What-if: a chip at another node, supply, width, tick, policy, overhead, clock or variant."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from hw_models.errors import KnobError


@dataclass(frozen=True)
class Knobs:
    """What was asked of a chip, None where it stays as its file says."""

    node_nm: float | None = None
    vdd: float | None = None
    weight_bits: int | None = None
    tick_s: float | None = None
    transposition: str | None = None
    overhead: float | None = None
    clock_hz: float | None = None
    variant: str | None = None

    def __or__(self, other: Knobs) -> Knobs:
        return replace(self, **{key: value for key, value in asdict(other).items() if value is not None})


def adjusted(origin, knobs: Knobs):
    """Return ``origin`` with ``knobs`` turned."""
    raise KnobError("not built yet.", field=origin.name)
