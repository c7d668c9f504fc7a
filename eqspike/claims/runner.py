"""Running a claim: every case with every seed, each result kept at once, finished ones skipped."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from eqspike.claims.measuring import environment, failure, measure
from eqspike.claims.schema import Case, Claim, read_claim
from eqspike.claims.store import add_record, described, measured_file, read_records
from eqspike.core.errors import ConfigError, Interrupted
from eqspike.recording import check_output
from eqspike.sweeps.fingerprint import code_hash, configuration_hash
from eqspike.training import api
from eqspike.training.interruption import Stop, stop_on_signals
from eqspike.training.loop import Progress
from eqspike.training.spec import RunSpec

POLL_S = 0.25  # how soon a signal is seen while other processes train


@dataclass(frozen=True)
class Job:
    """One run to do: a case with one of its seeds."""

    case: str
    seed: int
    spec: RunSpec
    kind: Literal["training", "gradients"] = "training"


@dataclass(frozen=True)
class Report:
    """Where a claim is: ``place`` of ``places`` runs; ``training`` is where its run is, ``record`` what came out."""

    case: str
    seed: int
    place: int
    places: int
    training: Progress | None = None
    record: dict[str, Any] | None = None


def run_claim(
    folder: str | Path,
    *,
    quick: bool = False,
    cases: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    again: bool = False,
    threads: int | None = None,
    workers: int = 1,
    on_progress: Callable[[Report], None] | None = None,
) -> dict[str, Any]:
    """Run the cases of the claim in ``folder`` and return what ``measured.json`` then holds.

    A run whose record has the same configuration and the same code is skipped, so that a claim can be stopped, run in
    pieces and gone on with. A run that fails is recorded with its message; the others go on.

    Parameters
    ----------
    quick : the claim's quick settings and the first seed only, kept in ``measured-quick.json``; nothing is compared.
    cases, seeds : which of the claim's; by default all.
    again : whether to run what is measured already.
    threads : threads for inference; with more than one worker, one.
    workers : processes that train at the same time.

    Raises
    ------
    ConfigError, DataError, OutputError
        if the claim, a recipe, a data set or the selection is at fault; nothing is run.
    Interrupted
        at Ctrl-C or SIGTERM; finished runs are kept.
    """
    folder, tell = Path(folder), on_progress or (lambda report: None)
    claim = read_claim(folder)
    path = measured_file(folder, quick)
    records = read_records(path)
    check_output(path, overwrite=True)
    wanted = jobs(folder, claim, quick=quick, cases=cases, seeds=seeds)
    pending = [job for job in wanted if again or not _is_measured(job, records)]
    _check_data(pending)
    command = command_line(folder.resolve().name, quick=quick, cases=cases, seeds=seeds, again=again)
    done = _in_processes(pending, workers) if workers > 1 and len(pending) > 1 else _in_turn(pending, threads, tell)
    for job, record in done:
        add_record(path, claim, job.case, job.seed, {"command": command, **record}, quick=quick)
        tell(Report(job.case, job.seed, pending.index(job) + 1, len(pending), record=record))
    return described(claim, read_records(path), folder.resolve().name, quick=quick)


def jobs(
    folder: Path,
    claim: Claim,
    *,
    quick: bool = False,
    cases: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
) -> list[Job]:
    """Return the runs of a claim, resolved.

    Raises
    ------
    ConfigError
        if a case, a seed or a recipe is unknown, or a setting does not fit.
    """
    chosen = [_case(claim, name) for name in dict.fromkeys(cases)] if cases else claim.cases
    found = []
    for case in chosen:
        changes = case.settings | (claim.quick.settings if quick else {})
        for seed in _seeds(case, seeds, quick):
            spec = api.resolve(_recipe(folder, case), changes | {"seed": seed})
            found.append(Job(case.name, seed, spec, case.measure))
    return found


def command_line(
    name: str, *, quick: bool, cases: Sequence[str] | None, seeds: Sequence[int] | None, again: bool
) -> str:
    """Return the command that does the same from a checkout."""
    parts = ["eqspike reproduce", name, *(["--quick"] if quick else [])]
    parts += [f"--case {case}" for case in cases or ()] + [f"--seed {seed}" for seed in seeds or ()]
    return " ".join(parts + (["--again"] if again else []))


def _case(claim: Claim, name: str) -> Case:
    known = {case.name: case for case in claim.cases}
    if name in known:
        return known[name]
    close = get_close_matches(name, known, 1)
    hint = f"Did you mean '{close[0]}'?" if close else f"Cases: {', '.join(known)}."
    raise ConfigError(f"the claim has no case '{name}'.", field="--case", remedy=hint)


def _seeds(case: Case, seeds: Sequence[int] | None, quick: bool) -> list[int]:
    declared = case.seeds[:1] if quick else case.seeds
    unknown = [seed for seed in seeds or () if seed not in declared]
    if unknown:
        raise ConfigError(
            f"{unknown[0]} is no seed of case '{case.name}'.",
            field="--seed",
            remedy=f"Its seeds are {', '.join(map(str, declared))}{' with --quick' if quick else ''}.",
        )
    return [seed for seed in declared if not seeds or seed in seeds]


def _recipe(folder: Path, case: Case) -> str:
    return str(folder / case.recipe) if case.recipe.endswith(".toml") else case.recipe


def _is_measured(job: Job, records: dict[str, dict[str, dict]]) -> bool:
    record = records.get(job.case, {}).get(str(job.seed), {})
    expected = ("complete", configuration_hash(job.spec), code_hash(), job.kind)
    found = (record.get("status"), record.get("configuration"), record.get("code"), record.get("kind", "training"))
    return found == expected


def _check_data(pending: list[Job]) -> None:
    """Load each data set once before the first run: a missing one is a mistake to be told at once, not a failed run."""
    for spec in {job.spec.data.model_dump_json(): job.spec for job in pending}.values():
        api.load_data(spec)


def _in_turn(
    pending: list[Job], threads: int | None, tell: Callable[[Report], None]
) -> Iterator[tuple[Job, dict[str, Any]]]:
    for place, job in enumerate(pending, 1):

        def progress(training: Progress, job: Job = job, place: int = place) -> None:
            tell(Report(job.case, job.seed, place, len(pending), training=training))

        try:
            yield job, measure(job.spec, threads, progress, job.kind)
        except Interrupted as error:
            raise _stopped(error.problem) from None


def _in_processes(pending: list[Job], workers: int) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Yield jobs as they finish in other processes, which find the kernels compiled: filling one cache can crash."""
    _compile_kernels(pending)
    before = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    with stop_on_signals() as stop, ProcessPoolExecutor(min(workers, len(pending)), mp_context=context) as pool:
        running = {pool.submit(measure, job.spec, 1, None, job.kind): job for job in pending}
        try:
            while running and not stop:
                finished, _ = wait(running, timeout=POLL_S, return_when=FIRST_COMPLETED)
                for future in finished:
                    job = running.pop(future)
                    yield job, _record(future, job, stop)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in set(multiprocessing.active_children()) - before if running else ():
                child.terminate()
    if stop:
        raise _stopped(f"stopped by {stop.reason}.")


def _record(future: Future, job: Job, stop: Stop) -> dict[str, Any]:
    try:
        return future.result()
    except Interrupted as error:
        raise _stopped(f"stopped by {stop.reason}." if stop else error.problem) from None
    except Exception as error:  # the process itself was lost; the run is recorded as failed like any other
        return failure(error) | {"configuration": configuration_hash(job.spec), "environment": environment()}


def _compile_kernels(pending: list[Job]) -> None:
    for spec in {job.spec.kernels(): job.spec for job in pending}.values():
        tiny = {"data.train_limit": 2, "data.test_limit": 2, "training.epochs": 1}
        api.train(api.resolve(spec, tiny), threads=1)


def _stopped(problem: str) -> Interrupted:
    return Interrupted(
        problem, field="reproduce", remedy="Finished runs are kept: the same command goes on after them."
    )
