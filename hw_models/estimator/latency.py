"""Time on the hardware: the ticks of a phase, or the time for which its cores are busy where that is longer."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from hw_models.chips import Chip
from hw_models.estimator.actions import Actions
from hw_models.estimator.book import Book, Used
from hw_models.report import Band, PhaseTime
from hw_models.workload import PhaseCounts


@dataclass(frozen=True)
class Duration:
    """Seconds as a sum of coefficient x product of constants, so that static energy keeps its constants apart."""

    terms: tuple[tuple[float, tuple[Used, ...]], ...]

    @property
    def seconds(self) -> float:
        """The sum at nominal values."""
        total = 0.0
        for coefficient, factors in self.terms:
            part = coefficient
            for factor in factors:
                part *= factor.si.value
            total += part
        return total


@dataclass(frozen=True)
class Tick:
    """Seconds of one tick and who set them; ``used`` where it is a constant of the chip."""

    band: Band
    source: str
    used: Used | None = None

    def times(self, ticks: int) -> Duration:
        """Return the duration of ``ticks``."""
        if self.used is not None:
            return Duration(((float(ticks), (self.used,)),))
        return Duration(((ticks * self.band.value, ()),))


def phase_time(
    phase: PhaseCounts,
    tick: Tick,
    actions: Actions,
    cores: int,
) -> tuple[Duration, PhaseTime]:
    """Return the duration of ``phase`` and what sets it: the longer of ticks x tick and busy time over the cores."""
    busy = _busy(phase, actions, cores)
    parts = {counter: Duration(tuple(terms)) for counter, terms in busy.items()}
    ticks, working = tick.times(phase.ticks), sum(part.seconds for part in parts.values())
    if working <= ticks.seconds:
        return ticks, PhaseTime(ticks.seconds, working, "tick")
    longest = max(parts, key=lambda counter: parts[counter].seconds)
    return Duration(tuple(term for part in parts.values() for term in part.terms)), PhaseTime(working, working, longest)


def _busy(phase: PhaseCounts, actions: Actions, cores: int) -> dict[str, list[tuple[float, tuple[Used, ...]]]]:
    """Return busy seconds by counter, the work spread evenly over the cores in use."""
    chip, book = actions.chip, actions.book
    busy: dict[str, list[tuple[float, tuple[Used, ...]]]] = {}
    for (counter, copies), count in _counts(phase, actions).items():
        for term in actions.terms(counter):
            if term.time is not None:
                used = book.use(term.time)
                each = count * term.times * (copies if term.per_copy else 1) / cores
                each /= _clock(chip, book) if used.constant.dimension == "1" else 1.0
                busy.setdefault(counter, []).append((each, (used,)))
    return busy


def _counts(phase: PhaseCounts, actions: Actions) -> dict[tuple[str, int], int]:
    """Return the counts of a phase by (counter, copies of the weights that it acts on)."""
    counts: defaultdict[tuple[str, int], int] = defaultdict(int)
    for (entity, counter), count in phase.counts.items():
        shape = actions.shapes.get(entity)
        counts[counter, actions.chip.copies(shape.bidirectional) if shape else 1] += count
    return {key: count for key, count in counts.items() if count}


def _clock(chip: Chip, book: Book) -> float:
    return book.use(chip.clock).si.value
