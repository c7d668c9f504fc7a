"""Searching settings on the validation set: Optuna proposes, the runner of sweeps trains, records are what is known.

The folder is that of a sweep whose runs are the trials in their order. Trial n is proposed from the records of trials
0 to n - 1 with random numbers of its own, so a search that was stopped goes on as if it had not been. The test set is
never looked at: a trial's run gets the validation samples in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eqspike.core.errors import ConfigError, Interrupted
from eqspike.recording import check_output
from eqspike.sweeps.fingerprint import code_hash, run_id
from eqspike.sweeps.space import Space, default_space, from_optuna, read_space, to_optuna
from eqspike.sweeps.store import DONE, Store
from eqspike.sweeps.work import Task, check, execute, failure
from eqspike.training.api import resolve
from eqspike.training.loop import Progress
from eqspike.training.spec import RunSpec

if TYPE_CHECKING:
    import optuna

DEFAULT_FOLDER = Path("searches")


@dataclass(frozen=True)
class Trial:
    """A trial: its settings, and the validation accuracy after its last epoch; None with an ``error`` if it failed."""

    number: int
    id: str
    settings: Mapping[str, Any]
    accuracy: float | None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the trial as plain JSON types."""
        said = {"number": self.number, "id": self.id, "settings": dict(self.settings)}
        return said | {"validation_accuracy": self.accuracy, "error": self.error}


@dataclass(frozen=True)
class SearchResult:
    """What a search found; ``new`` of its trials were run by this call."""

    folder: Path
    recipe: str
    trials: tuple[Trial, ...]
    new: int

    @property
    def best(self) -> Trial | None:
        """The first of the trials with the highest validation accuracy, None where all failed."""
        done = [trial for trial in self.trials if trial.accuracy is not None]
        return max(done, key=lambda trial: trial.accuracy, default=None)


def search(
    recipe: str | Mapping[str, Any] | RunSpec,
    budget: int,
    *,
    space: str | Path | Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    seed: int = 1,
    threads: int = 1,
    on_trial: Callable[[Trial], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> SearchResult:
    """Look for the settings of ``recipe`` that answer most validation samples rightly; the same call goes on.

    Parameters
    ----------
    recipe : name of a shipped recipe, path of a TOML file, its settings or a RunSpec.
    budget : trials in all, those of earlier calls included.
    space : a TOML file, or the same as a mapping, whose table ``[space]`` gives each dotted field a distribution:
        ``{low, high, log, integer}`` or a list of choices. By default learning rates and nudges, from a quarter to four
        times the recipe's.
    out : the search's folder, by default ``searches/NAME`` of the recipe; :func:`eqspike.collect` reads it.
    seed : of the proposals; the runs have the recipe's.
    on_trial, on_progress : told of every trial that ended, and where the run in hand is.

    Raises
    ------
    ConfigError
        if the recipe or the space is at fault, there are no validation samples, the folder holds another search, or
        Optuna is not installed.
    Interrupted
        at Ctrl-C or SIGTERM, after the checkpoint of the run in hand.

    References
    ----------
    Akiba et al., Optuna, KDD 2019, doi:10.1145/3292500.3330701; Bergstra et al., Algorithms for hyper-parameter
    optimization (TPE), NeurIPS 2011.
    """
    spec = resolve(recipe)
    _check(spec, budget)
    tuned = default_space(spec) if space is None else read_space(space, spec)
    store = Store(Path(out or DEFAULT_FOLDER / spec.name).resolve())
    check_output(store.design_file, overwrite=True)
    found = _Search(spec, tuned, store, seed, threads, on_progress)
    check(found.task({}))
    found.take_up()
    known = len(found.trials)
    while len(found.trials) < budget:
        trial = found.step()
        if on_trial:
            on_trial(trial)
    return SearchResult(store.folder, spec.name, tuple(found.trials), len(found.trials) - known)


def _check(spec: RunSpec, budget: int) -> None:
    if budget < 1:
        raise ConfigError(f"{budget} trials find nothing.", field="--budget", remedy="Ask for at least 1.")
    if getattr(getattr(spec, "tasks", None), "kind", "") == "datasets":
        problem = "the test sets of further data sets cannot be kept out of sight."
        raise ConfigError(problem, field="tasks.kind", remedy="Search on one data set.")
    try:
        import optuna
    except ImportError:
        remedy = "Install it with: python -m pip install 'eqspike[search]'."
        raise ConfigError("a search needs Optuna.", field="search", remedy=remedy) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # each trial is told through on_trial


class _Search:
    """A search on its way: its trials so far, and Optuna's study, which knows what they say and nothing else."""

    def __init__(
        self,
        spec: RunSpec,
        space: Space,
        store: Store,
        seed: int,
        threads: int,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        from optuna import create_study

        self.spec, self.space, self.store, self.seed, self.threads = spec, space, store, seed, threads
        self.on_progress = on_progress
        self.base, self.code = spec.model_dump(mode="json", exclude_none=True), code_hash()
        self.distributions = {name: to_optuna(one) for name, one in space.items()}
        self.study = create_study(direction="maximize")
        self.trials: list[Trial] = []
        self.params: list[dict[str, Any]] = []

    def take_up(self) -> None:
        """Learn what the trials of an earlier call gave, up to the first whose record is gone.

        Raises
        ------
        ConfigError
            if the folder holds something else.
        """
        if not self.store.design_file.exists():
            return
        design, mine = self.store.design(), self._document()
        for key, said in (("search", "space, seed or recipe"), ("code", "version of the code")):
            if design.get(key) != mine[key]:
                problem = f"this folder holds a sweep, or a search with another {said}."
                raise ConfigError(problem, field=str(self.store.folder), remedy="Name another with --out.")
        for params in design["trials"]:
            trial = self._trial(params)
            if trial is None:
                return
            self.study.add_trial(self._past(params, trial))
            self._keep(params, trial)

    def step(self) -> Trial:
        """Do one trial more and return it; one whose very settings were run before has its record already."""
        asked = self._ask()
        trial = self._trial(asked.params) or self._run(asked.params)
        self.study.tell(asked, trial.accuracy, state=_state(trial))
        self._keep(asked.params, trial)
        self.store.write_design(self._document())
        return trial

    def _ask(self) -> optuna.Trial:
        from optuna.samplers import TPESampler

        self.study.sampler = TPESampler(seed=(self.seed * 1_000_003 + len(self.trials)) % 2**32)
        return self.study.ask(self.distributions)

    def _run(self, params: Mapping[str, Any]) -> Trial:
        task = self.task(params)
        outcome = execute(task, self.on_progress)
        if outcome.status == "interrupted":
            raise Interrupted(
                f"stopped in trial {len(self.trials) + 1}; {len(self.trials)} are done.",
                field="search",
                remedy="The same command goes on; the run in hand has its checkpoint.",
            )
        if outcome.status != DONE:
            self.store.write_record(failure(task, outcome))
        return self._trial(params)

    def _trial(self, params: Mapping[str, Any]) -> Trial | None:
        """Return the next trial, of ``params``, as its record has it; None where there is none."""
        task = self.task(params)
        record = self.store.record(task.id)
        if record is None:
            return None
        accuracy = record["results"]["validation_accuracy"] if record["status"] == DONE else None
        return Trial(len(self.trials), task.id, task.settings, accuracy, record.get("error"))

    def task(self, params: Mapping[str, Any]) -> Task:
        """Return the run that Optuna's ``params`` stand for."""
        settings = {name: from_optuna(self.space[name], value) for name, value in params.items()}
        try:
            name = run_id(resolve(self.base, settings), f"{self.code} validating")
        except ConfigError:  # each field fits, together they do not: to be recorded, under some name
            name = sha256(repr(settings).encode()).hexdigest()[:16]
        folder = str(self.store.folder)
        return Task(name, self.spec.name, self.base, settings, folder, self.code, self.threads, validating=True)

    def _past(self, params: Mapping[str, Any], trial: Trial) -> optuna.trial.FrozenTrial:
        from optuna.trial import create_trial

        return create_trial(
            state=_state(trial), value=trial.accuracy, params=dict(params), distributions=self.distributions
        )

    def _keep(self, params: Mapping[str, Any], trial: Trial) -> None:
        self.params.append(dict(params))
        self.trials.append(trial)

    def _document(self) -> dict[str, Any]:
        """Return the design of a sweep whose runs are the trials so far, and what makes this search this one."""
        runs = {trial.id: {"id": trial.id, "settings": dict(trial.settings)} for trial in self.trials}
        space = {name: asdict(one) | {"choices": list(one.choices)} for name, one in self.space.items()}
        return {
            "recipe": self.spec.name,
            "fields": list(self.space),
            "runs": [run | {"seed": self.spec.seed} for run in runs.values()],
            "prices": [],
            "code": self.code,
            "search": {"space": space, "seed": self.seed, "base": self.base},
            "trials": self.params,
        }


def _state(trial: Trial) -> optuna.trial.TrialState:
    from optuna.trial import TrialState

    return TrialState.FAIL if trial.accuracy is None else TrialState.COMPLETE
