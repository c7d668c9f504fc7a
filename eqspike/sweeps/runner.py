"""Running a sweep: hand out what is not done, record what fails, lose nothing that was finished."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eqspike.core.errors import Interrupted
from eqspike.recording import check_output
from eqspike.sweeps.hands import LOST, PROGRESS, Event, Hands
from eqspike.sweeps.local import GRACE_S, POLL_S, LocalHands, usable_cpus
from eqspike.sweeps.plan import Plan, make_plan
from eqspike.sweeps.reading import read_design
from eqspike.sweeps.shard import Shard
from eqspike.sweeps.state import WAITING, Doing, State, SweepResult
from eqspike.sweeps.store import DONE, FAILED, Store
from eqspike.sweeps.work import Outcome, failure
from eqspike.training.interruption import Stop, stop_on_signals

RETRIES = 1
DEFAULT_FOLDER = Path("sweeps")


def sweep(
    source: str | Path | Mapping[str, Any],
    *,
    out: str | Path | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    shard: str | None = None,
    retries: int = RETRIES,
    yes: bool = False,
    on_progress: Callable[[State], None] | None = None,
) -> SweepResult:
    """Do every run of a sweep that is not done yet; the same call goes on after whatever stopped it.

    Results depend neither on the number of workers, nor on the order of runs, nor on where they were stopped.

    Parameters
    ----------
    source : a sweep file, or the same as a mapping: ``{"recipe": "eqspike-digits", "grid": {"seed": [1, 2]}}``.
    out : the sweep's folder, by default ``sweeps/NAME`` of the file; of a mapping it must be said.
    workers : processes that train at the same time.
    scheduler : address of a running Dask scheduler whose workers train instead; they must see ``out``.
    shard : ``"I/N"``: only this share of the runs.
    retries : further attempts for a run that fails or whose worker dies.
    yes : whether more than 10,000 runs are meant.
    on_progress : told where the sweep is.

    Raises
    ------
    ConfigError, DataError, OutputError
        if the sweep file, a recipe, a data set or the folder is at fault; nothing is run.
    Interrupted
        at Ctrl-C or SIGTERM, after checkpoints of the runs in hand.
    """
    began = time.monotonic()
    threads = 1 if scheduler else max(1, usable_cpus() // workers)
    share, plan, store = _planned(source, out, threads, shard, yes)
    names = _share(plan, store, share)
    pending = deque(name for name in names if not store.is_done(name))
    state = State(runs=len(names), skipped=len(names) - len(pending), began=began)
    tell = on_progress or (lambda state: None)
    tell(state)
    if pending:
        with stop_on_signals() as stop, _hands(workers, scheduler, plan) as hands:
            hands.prepare(plan, lambda: bool(stop))
            _Round(plan, store, hands, state, retries, tell).run(pending, stop)
        if stop:
            raise _stopped(stop, state)
    return SweepResult(
        store.folder, state.runs, state.done, state.failed, state.skipped, state.seconds, ids=tuple(names)
    )


def warm(source: str | Path | Mapping[str, Any], *, yes: bool = False) -> None:
    """Check a sweep and fill the compile cache for it, before the tasks of an array start at once; nothing is run.

    Raises
    ------
    ConfigError, DataError
        as :func:`sweep` does.
    """
    plan = _plan(source, Path(), 1, yes)
    with stop_on_signals() as stop, LocalHands(1, 1) as hands:
        hands.prepare(plan, lambda: bool(stop))
    if stop:
        raise _stopped(stop, State(len(plan.places)))


def default_folder(source: str | Path) -> Path:
    """Return where the sweep of a file goes if nobody says."""
    return DEFAULT_FOLDER / Path(source).stem


def _planned(
    source: str | Path | Mapping[str, Any], out: str | Path | None, threads: int, shard: str | None, yes: bool
) -> tuple[Shard, Plan, Store]:
    share = Shard.parse(shard)
    if out is None:
        out = default_folder(source) if not isinstance(source, Mapping) else DEFAULT_FOLDER / "unnamed"
    plan = _plan(source, Path(out), threads, yes)
    store = Store(plan.folder)
    check_output(store.design_file, overwrite=True)
    return share, plan, store


def _plan(source: str | Path | Mapping[str, Any], folder: Path, threads: int, yes: bool) -> Plan:
    design = read_design(source)
    design.check_size(yes=yes)
    return make_plan(design, folder, threads=threads)


def _share(plan: Plan, store: Store, share: Shard) -> list[str]:
    """Return the ids of this share in the design's order; the first share writes down the design."""
    if share.is_first:
        store.write_design(plan.document())
    mine = share.of_ids(plan.places)
    return [name for name in plan.places if name in mine]


def _hands(workers: int, scheduler: str | None, plan: Plan) -> Hands:
    if scheduler is None:
        return LocalHands(workers, plan.threads)
    from eqspike.sweeps.cluster import ClusterHands  # Dask, an extra

    return ClusterHands(scheduler)


@dataclass
class _Round:
    """One pass over the pending runs; ``attempts`` are those of runs in hand and of runs that failed once."""

    plan: Plan
    store: Store
    hands: Hands
    state: State
    retries: int
    tell: Callable[[State], None]
    attempts: dict[str, int] = field(default_factory=dict)

    def run(self, pending: deque[str], stop: Stop) -> None:
        """Hand out all of ``pending`` and wait for its end; after a stop, only for checkpoints."""
        self.state.stage, self.state.dashboard = "running", self.hands.dashboard
        while (pending or self.state.in_hand) and not stop:
            while pending and self.hands.has_room:
                self._hand(pending.popleft())
            self._listen(pending)
        if stop:
            self._wind_up(pending)

    def _hand(self, name: str) -> None:
        attempt = self.attempts[name] = self.attempts.get(name, 0) + 1
        worker = self.hands.hand(self.plan.task(name, attempt))
        self.state.in_hand[name] = Doing(worker, "starting" if worker else WAITING)

    def _listen(self, pending: deque[str]) -> None:
        for event in self.hands.events(POLL_S):
            if event.kind == PROGRESS:
                if doing := self.state.in_hand.get(event.run):
                    doing.worker, doing.stage, doing.share = event.worker, event.said, event.share
            else:
                self._end(event, pending)
        self.tell(self.state)

    def _end(self, event: Event, pending: deque[str]) -> None:
        self.state.in_hand.pop(event.run, None)
        outcome = event.outcome
        if event.kind == LOST:
            outcome = Outcome(event.run, FAILED, error=f"the worker was lost: {event.said}")
        self.state.busy_s += outcome.seconds
        if outcome.status == DONE:
            self.state.done += 1
            del self.attempts[outcome.id]
        elif outcome.status == FAILED and (outcome.final or self.attempts[outcome.id] > self.retries):
            self.state.failed += 1
            self.store.write_record(failure(self.plan.task(outcome.id, self.attempts.pop(outcome.id)), outcome))
        else:  # a run that was interrupted alone has not failed
            self.attempts[outcome.id] -= outcome.status != FAILED
            pending.append(outcome.id)

    def _wind_up(self, pending: deque[str]) -> None:
        self.state.stage = "writing checkpoints"
        self.tell(self.state)
        self.hands.stop()
        until = time.monotonic() + GRACE_S
        while self.state.in_hand and time.monotonic() < until:
            self._listen(pending)


def _stopped(stop: Stop, state: State) -> Interrupted:
    return Interrupted(
        f"stopped by {stop.reason}; {state.done + state.skipped} of {state.runs} runs are done.",
        field="sweep",
        remedy="The same command goes on; runs in hand have their checkpoints.",
    )
