"""``eqspike compare``: runs beside the ordinary network that would do the same, on the same chip and on a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eqspike.cli.options import DEFAULT_CHIP, ForceOption, JsonOption

if TYPE_CHECKING:
    from eqspike.cli.progress import Monitor
    from eqspike.costing.compare import Comparisons
    from eqspike.costing.verdict import Comparison
    from hw_models import Chip


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run files that eqspike train wrote.")],
    chip: Annotated[
        list[str] | None, typer.Option("--chip", metavar="NAME|FILE.toml", help="Chip to price on, repeatable.")
    ] = None,
    tick_s: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Time of one hardware tick; by default the chip's, else the recipe's."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs of the perceptron at most; it ends when it learns no more.")
    ] = None,
    figure: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw the ratios (.png, .svg, .pdf).")] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare runs with a perceptron of their size: trained by backpropagation, rounded to the same bits.

    The perceptron skips zeros on the same chip, and runs densely on graphics processors at their best case.
    Says who needs less energy, by how much, and which constant decides.
    """
    from eqspike.cli.energy import require_tick
    from eqspike.cli.output import print_json
    from eqspike.cli.progress import Monitor
    from eqspike.recording import check_output
    from hw_models import load_chip

    chips = [load_chip(name) for name in dict.fromkeys(chip or [DEFAULT_CHIP])]
    require_tick(tick_s)
    if figure is not None:
        check_output(figure, overwrite=force)
    with Monitor() as monitor:
        found = [_compared(path, chips, tick_s, epochs, monitor) for path in runs]
    document = {"comparisons": [{"run_file": str(path)} | one.to_dict() for path, one in zip(runs, found, strict=True)]}
    if figure is not None:
        from eqspike.plots.ratios import draw_ratios
        from eqspike.plots.style import save_figure

        save_figure(draw_ratios(document["comparisons"]), figure, overwrite=force)
    if as_json:
        print_json(document)
        return
    for path, one in zip(runs, found, strict=True):
        _show(path, one)
    if len(found) > 1:
        _overview(found)


def _compared(path: Path, chips: list[Chip], tick_s: float | None, epochs: int | None, monitor: Monitor) -> Comparisons:
    from eqspike.costing.compare import EPOCHS
    from eqspike.costing.compare import compare as compare_run
    from eqspike.training.api import load_data
    from eqspike.training.run import check_data, open_run

    monitor.stage(f"training a perceptron beside {path.name}")
    run = open_run(path)
    data = load_data(run.spec)
    check_data(run, data)
    return compare_run(run, data, chips, tick_s=tick_s, epochs=epochs or EPOCHS)


def _show(path: Path, found: Comparisons) -> None:
    from eqspike.cli.output import band, bullets, facts, percent, stdout, table
    from eqspike.costing.compare import ASSUMPTIONS

    trained, console = found.trained, stdout()
    sizes = "-".join(map(str, trained.network.sizes))
    reached = trained.samples_to(found.accuracy)
    after = "never reaches the run's" if reached is None else f"reaches the run's after {reached:,} samples"
    rounded = f"{percent(trained.accuracy)} with {trained.bits}-bit weights ({percent(trained.exact_accuracy)} before)"
    console.print(
        facts(
            [("run", f"{path}: {found.run}, {percent(found.accuracy)}"), (f"perceptron {sizes}", f"{rounded}; {after}")]
        )
    )
    made = table("network", "chip", "per inference", "per training sample", "to the accuracy", left=2)
    for one in found.contenders:
        energies = [band(_dict(one.energy(key))) for key in ("inference", "training_sample", "to_accuracy")]
        made.add_row(one.name, one.chip, *energies)
    console.print(made)
    made = table("opponent's energy / its own", "on", "inference", "training sample", "to the accuracy", left=2)
    for one in found.comparisons:
        made.add_row(f"{one.other.name} on {one.other.chip}", one.own.chip, *map(_ratio, one.ratios.values()))
    console.print(made)
    if found.between_chips:
        console.print(bullets("the same run on other chips", map(_on_other_chip, found.between_chips)))
    for one in found.comparisons:
        title = f"{one.own.name} on {one.own.chip} against {one.other.name} on {one.other.chip}"
        said = [sentence for quantity in ("inference", "training_sample") if (sentence := one.sentence(quantity))]
        console.print(bullets(title, said or ["nothing to compare: see what is not priced"]))
    problems = dict.fromkeys(f"{one.name} on {one.chip}: {why}" for one in found.contenders for why in one.problems)
    if problems:
        console.print(bullets("not priced", problems))
    console.print(bullets("the published claim", _claim(found)))
    console.print(bullets("assumptions", ASSUMPTIONS))


def _overview(found: list[Comparisons]) -> None:
    """Print the runs side by side, and what each took to learn as much as it did."""
    from eqspike.cli.output import NONE, band, percent, stdout, table

    made = table("run", "chip", "accuracy", "per inference", "training samples", "whole training", left=2)
    for one in found:
        for own in {comparison.own.chip: comparison.own for comparison in one.comparisons}.values():
            energies = [band(_dict(own.energy(key))) for key in ("inference", "to_accuracy")]
            samples = f"{own.samples:,}" if own.samples else NONE
            made.add_row(own.name, own.chip, percent(own.accuracy), energies[0], samples, energies[1])
    stdout().print(made)


def _claim(found: Comparisons) -> list[str]:
    """Return what was published of spiking networks against graphics processors, and what was found here."""
    from eqspike.costing.compare import GPUS
    from eqspike.costing.verdict import CLAIM

    published = (
        f"up to {CLAIM['inference']}x less energy for inference and {CLAIM['training']}x for training than "
        f"{CLAIM['against']}, on analog neurons and memristive synapses ({CLAIM['source']})"
    )
    here = [
        f"here, {one.own.name} on {one.own.chip} against {one.other.chip}: {_ratio(one.ratios['inference'])} for "
        f"inference, {_ratio(one.ratios['training_sample'])} for training"
        for one in found.comparisons
        if one.other.chip in GPUS
    ]
    return [published, *here]


def _on_other_chip(one: Comparison) -> str:
    inference, training = (_ratio(one.ratios[quantity]) for quantity in ("inference", "training_sample"))
    return (
        f"{one.other.chip} needs {inference} times the energy of {one.own.chip} for an inference, {training} times for "
        "a training sample"
    )


def _dict(energy: Any) -> dict[str, float] | None:
    return energy.to_dict() if energy else None


def _ratio(gain: Any) -> str:
    from eqspike.cli.output import NONE
    from eqspike.costing.verdict import times

    return NONE if gain is None else f"{times(gain.value, 3)} ({times(gain.low)}-{times(gain.high)})"
