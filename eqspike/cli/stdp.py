"""``eqspike stdp``: the window of spike-timing-dependent plasticity, as a figure and as numbers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eqspike.cli.options import ForceOption, JsonOption
from eqspike.core.errors import ConfigError

if TYPE_CHECKING:
    from eqspike.analysis.stdp import StdpWindow, TrainingWindows
    from eqspike.cli.progress import Monitor
    from eqspike.training.spec import RunSpec


class Protocol(StrEnum):
    """The protocols, by the names that the option takes."""

    ISOLATED_PAIR = "isolated-pair"
    RATE_RAMP = "rate-ramp"
    TRAINING = "training"


def stdp(
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="Run file whose rule and tick to use; training needs one.")
    ] = None,
    protocol: Annotated[Protocol, typer.Option(help="How pairs of spikes are gathered.")] = Protocol.RATE_RAMP,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Figure; by default stdp-PROTOCOL.png or the next free number."),
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Draw weight change against the time between two spikes, t_post - t_pre.

    isolated-pair: one pre and one post spike. rate-ramp: pairs while the rate of the post neuron
    ramps up and down. training: pairs while RUN sees test samples as it would in training.
    """
    from eqspike.cli.output import print_json
    from eqspike.cli.progress import Monitor
    from eqspike.cli.settings import free_path
    from eqspike.recording import check_output, read_summary

    if protocol is Protocol.TRAINING and run is None:
        raise ConfigError(
            "the protocol 'training' needs a trained network.",
            field="RUN",
            remedy="Name a run file, or take rate-ramp.",
        )
    if run is not None:
        read_summary(run)
    stem = "stdp" if run is None else f"{run.with_suffix('')}-stdp"
    path = out or free_path(Path(f"{stem}-{protocol}.png"))
    check_output(path, overwrite=force)
    with Monitor() as monitor:
        window = _window(protocol, run, monitor)
        monitor.stage("drawing")
        from eqspike.plots.stdp import save

        save(window, path, overwrite=force)
    document = {"figure": str(path), "run_file": run and str(run), **window.to_dict()}
    if as_json:
        print_json(document)
    else:
        _show(document)


def draw_ensemble(spec: RunSpec, path: Path) -> None:
    """Draw the rate-ramp ensemble of a recipe's rule and tick to ``path``, replacing what is there."""
    from eqspike.analysis.stdp import rate_ramp
    from eqspike.plots.stdp import save

    save(rate_ramp(spec.rule, tick_s=spec.tick_s), path, overwrite=True)


def _window(protocol: Protocol, run: Path | None, monitor: Monitor) -> StdpWindow | TrainingWindows:
    from eqspike.analysis.stdp import during_training, isolated_pair, rate_ramp
    from eqspike.training.api import load_data
    from eqspike.training.run import check_data, open_run

    trained = open_run(run) if run else None
    if trained and trained.spec.substrate != "spiking":
        raise ConfigError(
            f"a {trained.spec.substrate} network has no rule that pairs spike times.",
            field=str(run),
            remedy="Name a run of a spiking network; for energy-based ones compare gradients: eqspike gradients RUN.",
        )
    monitor.stage("gathering pairs of spikes")
    if protocol is Protocol.TRAINING:
        samples = load_data(trained.spec)
        check_data(trained, samples)
        return during_training(trained, samples)
    gather = isolated_pair if protocol is Protocol.ISOLATED_PAIR else rate_ramp
    return gather(trained.spec.rule, tick_s=trained.spec.tick_s) if trained else gather()


def _show(said: dict) -> None:
    from eqspike.cli.output import facts, stdout
    from eqspike.core.units import engineering

    rows = [("figure", said["figure"]), ("protocol", f"{said['protocol'].replace('_', '-')}, rule {said['rule']}")]
    if said["zero_crossing_s"] is not None:
        error = engineering(said["zero_crossing_error_s"], "s")
        rows.append(("crosses zero at", f"{engineering(said['zero_crossing_s'], 's')} (standard error {error})"))
    if said["lag_s"] is not None:
        rows.append(("estimator's lag", engineering(said["lag_s"], "s")))
    rows += [("pairs", f"{sum(said['count']):,}"), ("what it shows", said["caption"])]
    stdout().print(facts(rows))
