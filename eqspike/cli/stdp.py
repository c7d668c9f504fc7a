"""``eqspike stdp``: what a rule makes of the times of spikes, as a figure and as numbers, beside measurements."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eqspike.cli.options import ForceOption, JsonOption
from eqspike.core.errors import ConfigError

if TYPE_CHECKING:
    from rich.table import Table

    from eqspike.analysis.stdp import Measurements, ProtocolResult, StdpWindow, TrainingWindows
    from eqspike.analysis.stdp_rules import Chosen
    from eqspike.cli.progress import Monitor
    from eqspike.training.run import Run
    from eqspike.training.spec import RunSpec


class Protocol(StrEnum):
    """The protocols, by the names that the option takes."""

    PAIR = "pair"
    FREQUENCY = "frequency"
    TRIPLET = "triplet"
    RAMP = "ramp"
    ISOLATED_PAIR = "isolated-pair"
    TRAINING = "training"


class Weights(StrEnum):
    """Whether both directions of a connection share a weight."""

    SYMMETRIC = "symmetric"
    ASYMMETRIC = "asymmetric"


REPEATED = (Protocol.PAIR, Protocol.FREQUENCY, Protocol.TRIPLET)


def stdp(
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="Run file whose rule and tick to use; training needs one.")
    ] = None,
    protocol: Annotated[Protocol, typer.Option(help="What is done to the synapse.")] = Protocol.RAMP,
    rule: Annotated[
        str | None,
        typer.Option(metavar="NAME|RECIPE", help="eqspike, pair-stdp, triplet-stdp, or the rule of a recipe."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Parameter of the rule, repeatable: --set tau_plus=0.015."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Measurements to draw and compare; columns below.")
    ] = None,
    weights: Annotated[
        Weights | None,
        typer.Option(
            help="EqSpike: asymmetric learns from pre spikes alone. By default symmetric, in ramp asymmetric."
        ),
    ] = None,
    tick_s: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="EqSpike: length of a tick, instead of the recipe's or 1 ms."),
    ] = None,
    pairs: Annotated[
        int | None, typer.Option(min=1, help="pair, frequency, triplet: how often the pattern comes; 60 by default.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Figure; by default stdp-PROTOCOL.png or the next free number."),
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Draw what a plasticity rule makes of pairs and triplets of spikes, beside your own measurements.

    pair: repeated pairs against t_post - t_pre. frequency: against the rate at which they come. triplet: three spikes.
    ramp: pairs while the rate of the post neuron ramps up and down. isolated-pair: one pair alone.
    training: pairs while RUN sees test samples as it would in training.

    Columns of --data, in seconds or named difference_ms and so on: change (relative, 0.5 is +50 %), error (its
    standard error, may be missing) and difference_s (pair, ramp, isolated-pair), rate_hz and difference_s (frequency),
    first_s and second_s (triplet: t_post - t_pre of the first two and of the last two spikes).
    """
    from eqspike.cli.output import print_json
    from eqspike.cli.progress import Monitor
    from eqspike.cli.settings import free_path
    from eqspike.recording import check_output, read_summary

    asked = _Asked(protocol, run, rule, settings or [], data, weights, tick_s, pairs)
    asked.check()
    if run is not None:
        read_summary(run)
    stem = "stdp" if run is None else f"{run.with_suffix('')}-stdp"
    path = out or free_path(Path(f"{stem}-{protocol}.png"))
    check_output(path, overwrite=force)
    with Monitor() as monitor:
        window = asked.gather(monitor)
        monitor.stage("drawing")
        from eqspike.plots.stdp import save

        save(window, path, overwrite=force)
    document = {"figure": str(path), "run_file": run and str(run), **window.to_dict()}
    if as_json:
        print_json(document)
    else:
        _show(document)


def draw_ensemble(spec: RunSpec, path: Path) -> None:
    """Draw the ensemble of rate ramps of a recipe's rule and tick to ``path``, replacing what is there."""
    from eqspike.analysis.stdp import rate_ramp
    from eqspike.plots.stdp import save

    save(rate_ramp(spec.rule, tick_s=spec.tick_s), path, overwrite=True)


@dataclass(frozen=True)
class _Asked:
    """What the options ask for."""

    protocol: Protocol
    run: Path | None
    rule: str | None
    settings: list[str]
    data: Path | None
    weights: Weights | None
    tick_s: float | None
    pairs: int | None

    def check(self) -> None:
        """Refuse options that do not go together."""
        training = self.protocol is Protocol.TRAINING
        for wrong, field, problem, remedy in (
            (training and self.run is None, "RUN", "the protocol 'training' needs a trained network.",
             "Name a run file, or take ramp."),
            (self.run is not None and self.rule is not None, "--rule", "a run file has a rule of its own.",
             "Name a run or a rule."),
            (training and any((self.data, self.weights, self.settings, self.tick_s)), "--protocol",
             "pairs in training are the run's own: nothing can be set or compared.", "Take another protocol."),
            (self.pairs is not None and self.protocol not in REPEATED, "--pairs",
             f"{self.protocol} repeats nothing.", f"It belongs to {', '.join(REPEATED)}."),
        ):  # fmt: skip
            if wrong:
                raise ConfigError(problem, field=field, remedy=remedy)

    def gather(self, monitor: Monitor) -> StdpWindow | TrainingWindows | ProtocolResult:
        """Run the protocol."""
        from eqspike.analysis.replay import is_contrastive
        from eqspike.analysis.stdp import (
            frequency_protocol,
            isolated_pair,
            pair_protocol,
            rate_ramp,
            triplet_protocol,
            with_measurements,
        )

        if self.protocol is Protocol.TRAINING:
            return self._in_training(monitor)
        chosen, measured = self._rule(), self._measured()
        monitor.stage("gathering pairs of spikes")
        given = {
            "tick_s": chosen.tick_s if self.tick_s is None else self.tick_s,
            **({"weights": str(self.weights)} if self.weights else {}),
        }
        if self.protocol in REPEATED:
            gather = {"pair": pair_protocol, "frequency": frequency_protocol, "triplet": triplet_protocol}[
                self.protocol
            ]
            pairs = {} if self.pairs is None else {"pairs": self.pairs}
            return gather(chosen.rule, measured=measured, **pairs, **given)
        window = (isolated_pair if self.protocol is Protocol.ISOLATED_PAIR else rate_ramp)(chosen.rule, **given)
        free = is_contrastive(chosen.rule)
        return window if measured is None else with_measurements(window, measured, free_scale=free)

    def _rule(self) -> Chosen:
        from eqspike.analysis.stdp_rules import Chosen, rule_named
        from eqspike.cli.settings import changes_from

        changes = changes_from(self.settings)
        if self.run is None:
            return rule_named(self.rule or "eqspike", changes)
        spec = _opened(self.run).spec
        return Chosen(type(spec.rule).parse({**spec.rule.model_dump(), **changes}, origin="--set"), spec.tick_s)

    def _measured(self) -> Measurements | None:
        from eqspike.analysis.stdp import read_measurements

        kind = "ramp" if self.protocol is Protocol.ISOLATED_PAIR else str(self.protocol)
        return None if self.data is None else read_measurements(self.data, kind)

    def _in_training(self, monitor: Monitor) -> TrainingWindows:
        from eqspike.analysis.stdp import during_training
        from eqspike.training.api import load_data
        from eqspike.training.run import check_data

        trained = _opened(self.run)
        monitor.stage("gathering pairs of spikes")
        samples = load_data(trained.spec)
        check_data(trained, samples)
        return during_training(trained, samples)


def _opened(path: Path) -> Run:
    from eqspike.training.run import open_run

    trained = open_run(path)
    if trained.spec.substrate != "spiking":
        raise ConfigError(
            f"a {trained.spec.substrate} network has no rule that pairs spike times.",
            field=str(path),
            remedy="Name a run of a spiking network; for energy-based ones compare gradients: eqspike gradients RUN.",
        )
    return trained


def _show(said: dict) -> None:
    from eqspike.cli.output import facts, stdout
    from eqspike.core.units import engineering

    rows = [("figure", said["figure"]), ("protocol", f"{said['protocol'].replace('_', '-')}, rule {said['rule']}")]
    if said.get("zero_crossing_s") is not None:
        error = engineering(said["zero_crossing_error_s"], "s")
        rows.append(("crosses zero at", f"{engineering(said['zero_crossing_s'], 's')} (standard error {error})"))
    if said.get("lag_s") is not None:
        rows.append(("estimator's lag", engineering(said["lag_s"], "s")))
    if "count" in said:
        rows.append(("pairs", f"{sum(said['count']):,}"))
    rows.append(("what it shows", said["caption"]))
    console = stdout()
    if "series" in said:
        console.print(_changes(said))
    console.print(facts([*rows, *_agreement(said.get("measured"))]))


def _changes(said: dict) -> Table:
    """Return the weight changes of a protocol, at most about twenty a line."""
    from eqspike.cli.output import table

    columns = [name for name in said["series"][0] if name not in ("label", "change")]
    made = table("", *(name.replace("_s", " (ms)").replace("_hz", " (Hz)") for name in columns), f"ΔW ({said['unit']})")
    for line in said["series"]:
        every = max(1, len(line["change"]) // 20)
        for *place, change in list(zip(*(line[name] for name in columns), line["change"], strict=True))[::every]:
            shown = [
                f"{1e3 * value:+g}" if name.endswith("_s") else f"{value:g}"
                for name, value in zip(columns, place, strict=True)
            ]
            made.add_row(line["label"], *shown, f"{change:+.3g}")
    return made


def _agreement(found: dict | None) -> list[tuple[str, str]]:
    if found is None:
        return []
    rows = [("measured", f"{found['data']}, {len(found['change'])} changes")]
    if found["scale"] is not None:
        error = "" if found["scale_error"] is None else f" (standard error {found['scale_error']:.2g})"
        use = "drawn with it" if found["factor"] != 1.0 else "drawn without it"
        rows.append(("best factor on the rule", f"{found['scale']:.3g}{error}, {use}"))
    rows.append(("same sign", f"{found['signs_agree']} of {found['signs_sure']} changes that are surely not zero"))
    if found["rms"] is not None:
        rows.append(("difference", f"root mean square {found['rms']:.3g}"))
    if found["chi_squared"] is not None:
        rows.append(("in units of the errors", f"mean square {found['chi_squared']:.2g} (1 would be perfect)"))
    return rows
