"""What came out of a run: figures at a glance, learning curves, answers."""

from __future__ import annotations

from math import isfinite

import numpy as np

from eqspike.core.html import facts, folded, percent, table, whole
from eqspike.core.units import engineering, with_bounds
from eqspike.report.section import Section, picture, scrolled
from eqspike.report.source import Source

_TABLED = 20  # classes whose confusions are given as a table too


def glance(source: Source) -> Section:
    """Return the few numbers that one asks for first."""
    run = source.run
    rows = [("test accuracy", percent(run.results.get("test_accuracy")))]
    for what, said in (("inference", "an inference"), ("training_sample", "a training sample")):
        for counter, name in (("spikes", "spikes"), ("synaptic_events", "synaptic events"), ("macs", "MACs")):
            number = run.results.get(f"{counter}_per_{what}")
            if number:
                rows.append((f"{name} of {said}", whole(number)))
    rows += _energies(source)
    if run.results.get("seconds_per_epoch"):
        rows.append(("time of an epoch", engineering(run.results["seconds_per_epoch"], "s")))
    rows.append(("epochs", f"{run.progress['epoch']} of {run.spec.training.epochs}, {run.status}"))
    return Section("glance", "At a glance", (facts(rows, class_="cards"),))


def _energies(source: Source) -> list[tuple[str, str]]:
    if isinstance(source.cost, str):
        return []
    found = []
    for phases, said in ((("inference",), "an inference"), (("free", "nudged"), "a training sample")):
        known = [phase for phase in phases if phase in source.cost.phases]
        if known:
            energy = source.cost.per_presentation(*known)
            name = f"energy of {said} on {source.chip.name}"
            found.append((name, with_bounds(energy.value, energy.low, energy.high, "J")))
    return found


def learning(source: Source) -> Section:
    """Return accuracies over epochs."""
    metrics = source.run.metrics
    if not metrics["epoch"]:
        return Section("learning", "Learning curves", reason="No epoch was finished.")
    from eqspike.plots.learning import draw_accuracies

    rows = [
        (epoch, percent(train), percent(held), f"{scale:.3g}", f"{seconds:.3g}")
        for epoch, train, held, scale, seconds in zip(*metrics.values(), strict=True)
    ]
    columns = ("epoch", "training accuracy", "validation accuracy", "learning rate, factor", "seconds")
    numbers = folded("The same in numbers", scrolled(table("Accuracies of every epoch", columns, rows), "accuracies"))
    content = [picture(draw_accuracies(metrics), _said(metrics)), numbers]
    tasks = source.run.probes.get("task_accuracy")
    if tasks is not None and len(tasks):
        content.insert(1, _tasks(source, tasks))
    return Section("learning", "Learning curves", tuple(content))


def _said(metrics: dict) -> str:
    said = [f"Accuracies over {len(metrics['epoch'])} epochs."]
    for name in ("train_accuracy", "validation_accuracy"):
        known = [value for value in metrics[name] if value is not None and isfinite(value)]
        if known:
            said.append(f"{name.partition('_')[0]}: from {percent(known[0])} to {percent(known[-1])}.")
    return " ".join(said)


def _tasks(source: Source, tasks: np.ndarray):
    from eqspike.plots.tasks import draw_accuracies

    names = [f"task {number}" for number in range(1, tasks.shape[1] + 1)]
    last = ", ".join(f"{name} {percent(value)}" for name, value in zip(names, tasks[-1].tolist(), strict=True))
    figure = draw_accuracies({"each task": tasks}, names)
    return picture(figure, f"Validation accuracies of tasks learnt one after the other; at last: {last}.", wide=True)


def answers(source: Source) -> Section:
    """Return which class is taken for which."""
    counts = source.confusion
    if isinstance(counts, str):
        return Section("answers", "Confusion matrix", reason=counts)
    from eqspike.plots.learning import draw_confusion

    names = source.exam.samples.class_names or tuple(map(str, range(len(counts))))
    asked, right = int(counts.sum()), int(np.trace(counts))
    total = len(source.exam.samples.y_test)
    which = f"All {total:,}" if asked == total else f"The first {asked:,} of {total:,}"
    said = f"{which} test samples, {percent(right / asked)} of them answered rightly. {_worst(counts, names)}"
    shown = [picture(draw_confusion(counts, names), f"Confusion matrix. {said}", said)]
    if len(counts) <= _TABLED:
        rows = [(name, *map(int, row)) for name, row in zip(names, counts, strict=True)]
        made = table("Samples by label (row) and answer (column)", ("label", *names), rows)
        shown.append(folded("The same in numbers", scrolled(made, "confusion matrix in numbers")))
    return Section("answers", "Confusion matrix", tuple(shown))


def _worst(counts: np.ndarray, names: tuple[str, ...]) -> str:
    wrong = counts - np.diag(np.diag(counts))
    if not wrong.any():
        return "None is taken for another class."
    label, answer = np.unravel_index(wrong.argmax(), wrong.shape)
    return f"Most often '{names[label]}' is taken for '{names[answer]}', {wrong[label, answer]} times."
