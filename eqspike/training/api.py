"""From a recipe to a finished run, in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from eqspike.core import notebook
from eqspike.core.errors import ConfigError, RunFileError
from eqspike.data import Dataset, load_dataset
from eqspike.recipes import load_recipe
from eqspike.recording import check_output
from eqspike.training import loop
from eqspike.training.pace import NotebookProgress
from eqspike.training.progress import Progress
from eqspike.training.run import Run, check_data, new_run, open_run
from eqspike.training.spec import RunSpec, with_settings
from eqspike.training.specs import parse_spec, without_foreign


def resolve(recipe: str | Mapping[str, Any] | RunSpec, changes: Mapping[str, Any] | None = None) -> RunSpec:
    """Return the run specification of a recipe (a name, a TOML file, its settings or a RunSpec) with ``changes``.

    Raises
    ------
    ConfigError
        if the recipe or a dotted key of ``changes`` is unknown, or a value has the wrong type or range.
    """
    origin = ""
    if isinstance(recipe, RunSpec):
        settings = recipe.model_dump(exclude_none=True)
    elif isinstance(recipe, str):
        settings, origin = load_recipe(recipe), recipe
    else:
        settings = dict(recipe)
    changes = changes or {}
    return parse_spec(without_foreign(with_settings(settings, changes), changes), origin=origin)


def load_data(spec: RunSpec) -> Dataset:
    """Return the samples that a specification names."""
    data = spec.data
    dataset = load_dataset(data.name, validation=data.validation, scale=data.scale)
    return dataset.limited(train=data.train_limit, test=data.test_limit)


def train(
    recipe: str | Mapping[str, Any] | RunSpec = "eqspike-digits",
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    threads: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    **settings: Any,
) -> Run:
    """Train a network as a recipe says and return the finished run.

    Parameters
    ----------
    recipe : name of a shipped recipe, path of a TOML file, its settings as a mapping, or a RunSpec.
    out : the run file, written at every checkpoint; None keeps the run in memory only.
    overwrite : whether an existing ``out`` may be replaced.
    threads : threads for inference, by default one per core.
    on_progress : is told where training stands; by default a bar shows it in a notebook, and nothing elsewhere.
    settings : changes to the recipe, dots written as double underscores: ``seed=2, training__epochs=5``.

    Raises
    ------
    ConfigError, DataError, OutputError
        each names the field at fault and the remedy.
    """
    spec = resolve(recipe, {key.replace("__", "."): value for key, value in settings.items()})
    if out is not None:
        check_output(out, overwrite=overwrite)
    dataset = load_data(spec)
    run = new_run(spec, dataset, Path(out) if out is not None else None)
    run.save(overwrite=overwrite)  # takes the name at once: another process that chose it too is told so
    return _trained(run, dataset, threads, on_progress)


def resume(
    path: str | Path,
    *,
    epochs: int | None = None,
    threads: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Run:
    """Go on with the run in ``path`` to its last epoch, or to ``epochs``; bit-identical to a run never stopped.

    Raises
    ------
    RunFileError
        if the run is complete and no further epochs are asked for, or its data have changed.
    ConfigError
        if fewer epochs are asked for than the run already has.
    """
    run = open_run(path)
    if epochs is not None:
        if epochs < run.progress["epoch"]:
            raise ConfigError(
                f"the run already has {run.progress['epoch']} epochs.", field="--epochs", remedy="Ask for more."
            )
        run.spec = resolve(run.spec, {"training.epochs": epochs})
    if run.status == "complete" and run.progress["epoch"] >= run.spec.training.epochs:
        raise RunFileError(
            f"this run is complete with its {run.progress['epoch']} epochs.",
            field=str(path),
            remedy="Ask for more with --epochs, or train anew without --resume.",
        )
    dataset = load_data(run.spec)
    check_data(run, dataset)
    run.substrate.clear_counts("inference")  # counted once, at the end
    return _trained(run, dataset, threads, on_progress)


def _trained(run: Run, dataset: Dataset, threads: int | None, on_progress: Callable[[Progress], None] | None) -> Run:
    shown = NotebookProgress() if on_progress is None and notebook.running() else None
    loop.train(run, dataset, threads=threads, on_progress=on_progress or shown)
    if shown:
        shown.finish()
    return run
