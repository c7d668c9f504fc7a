"""What ``train`` and ``evaluate`` say of a finished run: one document, shown as JSON or as a short table."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from eqspike.cli.options import DEFAULT_CHIP
from eqspike.cli.output import NONE, band, count, facts, percent, stdout, table
from eqspike.core.units import engineering

if TYPE_CHECKING:
    from eqspike.training.run import Run

OTHER_CHIP = {DEFAULT_CHIP: "eqspike-analog-65nm"}


def document(run: Run, chip: str, figure: Path | None) -> dict[str, Any]:
    """Return what ``train`` reports, plain JSON types."""
    return {
        "recipe": run.spec.name,
        "substrate": run.spec.substrate,
        "seed": run.spec.seed,
        "dataset": run.data["name"],
        **run.results,
        **energies(run, chip),
        "run_file": str(run.path),
        "stdp_figure": None if figure is None else str(figure),
    }


def energies(run: Run, chip: str) -> dict[str, Any]:
    """Return the energies of ``run`` on ``chip`` with the operating point that they hold for."""
    from eqspike.costing.run import price
    from eqspike.costing.summary import energy_summary

    report = price(run, chip)
    summary = energy_summary(report)
    summary.pop("chip_operating_point")
    return summary | {"device": report.device, "node_nm": report.node_nm, "vdd": report.vdd}


def show(said: dict[str, Any]) -> None:
    """Print the short table of a training run."""
    console = stdout()
    console.print(facts(_outcome(said)))
    console.print(_events(said))
    figure = [("STDP figure", said["stdp_figure"])] if said["stdp_figure"] else []
    console.print(facts([*operating_point(said), ("run file", said["run_file"]), *figure]))
    console.print("\n[bold]next[/]")
    for command in _next_commands(said):
        console.print(f"  {command}", markup=False, soft_wrap=True)


def _next_commands(said: dict[str, Any]) -> list[str]:
    """Return what one might do next with a run."""
    from eqspike.recipes import shipped_recipes

    run_file = shlex.quote(said["run_file"])
    found = [f"eqspike energy {run_file} --chip {OTHER_CHIP.get(said['chip'], DEFAULT_CHIP)}"]
    if said["substrate"] == "spiking":
        found.append(f"eqspike stdp {run_file} --protocol training")
    elif said["substrate"] == "hopfield":
        found.append(f"eqspike gradients {run_file}")
    if said["recipe"] in shipped_recipes():
        found.append(f"eqspike train {said['recipe']} --set 'network.hidden=[200]'")
    return found


def operating_point(said: dict[str, Any]) -> list[tuple[str, str]]:
    """Return chip, device, node, voltage, tick, and what an energy includes, as rows of facts."""
    supply = "supply not stated" if said["vdd"] is None else f"{said['vdd']:g} V"
    source = {"given": "as given", "chip": "the chip's own", "workload": "the recipe's"}[said["tick_source"]]
    includes = "\n".join(f"{part}: {what}" for part, what in said["energy_includes"].items())
    return [
        ("chip", f"{said['chip']}: {said['device']}; {said['node_nm']:g} nm, {supply}"),
        ("tick", f"{engineering(said['tick_s'], 's')} ({source})"),
        ("includes", includes),
        ("leaves out", f"{len(said['not_modelled'])} things that eqspike energy RUN names"),
        *(("warning", warning) for warning in said["energy_warnings"]),
    ]


def _outcome(said: dict[str, Any]) -> list[tuple[str, Text]]:
    others = [
        f"{name} {percent(said[f'{name}_accuracy'])}"
        for name in ("validation", "train")
        if said[f"{name}_accuracy"] is not None
    ]
    beside = f"  ({', '.join(others)})" if others else ""
    pace = "" if said["seconds_per_epoch"] is None else f" of {said['seconds_per_epoch']:.2g} s"
    run = f"{said['recipe']} on {said['dataset']}, seed {said['seed']}, {said['epochs']} epochs{pace}"
    rows = [
        ("test accuracy", Text.assemble((percent(said["test_accuracy"]), "bold green"), beside)),
        ("run", Text(run)),
    ]
    if said.get("unsettled_per_training_sample") or said.get("unsettled_per_inference"):
        shares = [said[f"unsettled_per_{what}"] for what in ("training_sample", "inference")]
        what = f"{shares[0]:.2%} of training presentations, not learnt from; {shares[1]:.2%} of test samples"
        rows.append(("unsettled", Text(what)))
    if "bits_per_weight" in said:
        training = said.get("training_bits_per_weight")
        rows.append(
            (
                "bits per weight",
                Text(f"{said['bits_per_weight']:.3g}" + (f" ({training:.3g} while training)" if training else "")),
            )
        )
    return rows


def _events(said: dict[str, Any]) -> Any:
    made = table("", "per inference", "per training sample")
    flips = ("weight_flips",) if "weight_flips_per_training_sample" in said else ()
    for name in ("spikes", "synaptic_events", "macs", "weight_writes", *flips):
        columns = [said.get(f"{name}_per_{what}") for what in ("inference", "training_sample")]
        made.add_row(name.replace("_", " "), *map(count, columns))
    made.add_row("energy", band(said["energy_per_inference_j"]), band(said["energy_per_training_sample_j"]))
    made.add_row("energy per synaptic event", band(said["energy_per_synaptic_event_j"]), NONE)
    return made
