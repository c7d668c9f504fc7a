"""What a benchmark reports, and how a time is taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True)
class Measurement:
    """One workload: ``ours`` and ``peer_value`` in ``unit``; ``ratio`` is how many times faster we are than the peer.

    ``roofline_fraction`` is the time of bare weight-row accumulation over the same spikes, as a share of ours.
    """

    workload: str
    ours: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None
    roofline_fraction: float | None = None
    note: str = ""

    def to_dict(self) -> dict:
        """Return the measurement as JSON types."""
        return asdict(self)


def in_turn(
    works: dict[str, Callable[[], object]], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Return the median seconds of each work, all taken in turn so that a busy machine is unfair to none."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            started = clock()
            work()
            times[name].append(clock() - started)
    return {name: median(values) for name, values in times.items()}
