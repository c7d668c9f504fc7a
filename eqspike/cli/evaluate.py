"""``eqspike evaluate``: the test set once more, or another one, and the events of that inference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from eqspike.cli.options import DEFAULT_CHIP, ChipOption, JsonOption, RunArgument, ThreadsOption
from eqspike.core.errors import DataError

if TYPE_CHECKING:
    from eqspike.training.run import Run
    from eqspike.training.tasks import Task


def evaluate(
    run: RunArgument,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME|FILE.npz", help="Another data set of the same shape.")
    ] = None,
    chip: ChipOption = DEFAULT_CHIP,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Test a trained network and count the events of that inference; the run file stays as it is."""
    from eqspike.cli.output import print_json
    from eqspike.cli.progress import STAGES, Monitor
    from eqspike.training.run import open_run
    from hw_models import load_chip

    load_chip(chip)
    with Monitor() as monitor:
        trained = open_run(run)
        exams = _exams(trained, dataset)
        monitor.stage(STAGES["test"])
        document = _evaluated(trained, exams, chip, threads)
    if as_json:
        print_json(document)
    else:
        _show(document)


def _exams(run: Run, name: str | None) -> dict[int, Task]:
    """Return the run's own tasks by number, their data checked to be the same, or another data set as the last one."""
    from eqspike.cli.settings import dataset_name
    from eqspike.training.api import load_data, resolve
    from eqspike.training.run import check_data
    from eqspike.training.tasks import Task, curriculum_of

    own = load_data(run.spec)
    check_data(run, own)
    exams = curriculum_of(run.spec, own).exams
    if name is None:
        return dict(enumerate(exams))
    name = dataset_name(name)
    scale = run.spec.data.scale if name.endswith(".npz") else "auto"
    samples = load_data(resolve(run.spec, {"data": {"name": name, "scale": scale}}))
    expected = (run.network.layers[0].size, run.data["classes"])
    if (samples.n_pixels, samples.n_classes) != expected:
        raise DataError(
            f"its images have {samples.n_pixels} pixels in {samples.n_classes} classes, the network was trained on "
            f"{expected[0]} pixels in {expected[1]} classes.",
            field="--dataset",
            remedy="Give a data set of that shape.",
        )
    return {len(exams) - 1: Task(samples.name, samples, exams[-1].pixels)}


def _evaluated(run: Run, exams: dict[int, Task], chip: str, threads: int | None) -> dict[str, Any]:
    from eqspike.cli.summary import energies
    from eqspike.core.ledger import PHASES
    from eqspike.training.loop import accuracy
    from eqspike.training.tasks import face_task

    run.substrate.clear_counts(*PHASES)  # so that the ledger is that of this inference alone
    accuracies = []
    for number, exam in exams.items():
        face_task(run.substrate, number)
        answers = run.substrate.infer(exam.shown(exam.samples.x_test), threads=threads)
        accuracies.append(accuracy(answers, exam.samples.y_test))
    ledger = run.ledger
    several = {f"test_accuracy_task{number}": value for number, value in enumerate(accuracies, 1)}
    return {
        "run_file": str(run.path),
        "dataset": ", ".join(dict.fromkeys(exam.samples.name for exam in exams.values())),
        "samples": sum(len(exam.samples.y_test) for exam in exams.values()),
        "test_accuracy": sum(accuracies) / len(accuracies),
        **(several if len(exams) > 1 else {}),
        "spikes_per_inference": ledger.per_presentation("spikes", "inference"),
        "synaptic_events_per_inference": ledger.per_presentation("synaptic_events", "inference"),
        "macs_per_inference": ledger.per_presentation("macs", "inference"),
        **{key: value for key, value in energies(run, chip).items() if "training" not in key},
        "ledger": [
            {"phase": phase, "of": name, "counter": counter, "count": counted}
            for phase, name, counter, counted in ledger.rows()
        ],
    }


def _show(said: dict[str, Any]) -> None:
    from rich.text import Text

    from eqspike.cli.output import band, count, facts, percent, stdout, table
    from eqspike.cli.summary import operating_point

    console = stdout()
    accuracy = Text.assemble((percent(said["test_accuracy"]), "bold green"))
    where = f"{said['samples']:,} test samples of {said['dataset']}"
    console.print(facts([("test accuracy", accuracy), ("on", where), ("run file", said["run_file"])]))
    made = table("ledger of this inference", "counter", "total", "per inference", left=2)
    for row in said["ledger"]:
        made.add_row(
            row["of"], row["counter"].replace("_", " "), f"{row['count']:,}", count(row["count"] / said["samples"])
        )
    console.print(made)
    made = table("energy", "")
    made.add_row("per inference", band(said["energy_per_inference_j"]))
    made.add_row("per synaptic event, all parts", band(said["energy_per_synaptic_event_j"]))
    made.add_row("per synaptic event, one event more", band(said["energy_per_synaptic_event_marginal_j"]))
    console.print(made)
    console.print(facts(operating_point(said)))
