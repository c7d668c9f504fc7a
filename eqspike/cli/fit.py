"""``eqspike fit``: does a network fit a chip, on how many cores, and what binds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eqspike.cli.options import DEFAULT_CHIP, ForceOption, JsonOption

if TYPE_CHECKING:
    from hw_models.mapping import Placement, Verdict


def fit(
    what: Annotated[
        str, typer.Argument(metavar="RECIPE|RUN|NETWORK", help="Shipped recipe or network, its TOML file, or a run.")
    ],
    chip: Annotated[str, typer.Option(metavar="NAME|FILE.toml", help="Chip to place the network on.")] = DEFAULT_CHIP,
    chips: Annotated[int, typer.Option(min=1, help="Chips side by side.")] = 1,
    weight_bits: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Store weights in at most N bits; accuracy not re-evaluated.")
    ] = None,
    transposition: Annotated[
        str | None, typer.Option(metavar="POLICY", help="How weights are read backwards: duplicate, crossbar ...")
    ] = None,
    inference: Annotated[bool, typer.Option("--inference", help="Without the accumulators of learning.")] = False,
    strategy: Annotated[str, typer.Option(help="auto, contiguous or random.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Of what is random in a placement.")] = 0,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw the cores and their traffic (.png, .svg, .pdf).")
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Place a network on the cores of a chip: does it fit, on how many cores, and what binds.

    Exit code 3 where it does not fit; the message names the walls and what would fit.
    """
    from eqspike.cli.output import print_json
    from eqspike.costing.fit import graph_of
    from eqspike.recording import check_output
    from hw_models import load_chip
    from hw_models.mapping import describe, judge, refusal, what_would_fit

    if figure is not None:
        check_output(figure, overwrite=force)
    found = load_chip(chip).at(transposition=transposition)
    graph = graph_of(what)
    if weight_bits is not None:
        graph = graph.with_weight_bits(weight_bits)
    settings = {"strategy": strategy, "seed": seed, "chips": chips, "learning": not inference}
    verdict = judge(graph, found, **settings)
    remedies = () if verdict.fits else what_would_fit(graph, found, **settings)
    if figure is not None and verdict.placement is not None:
        from eqspike.plots.placement import save

        save(verdict.placement, figure, f"{graph.name} on {chip}", overwrite=force)
    if as_json:
        print_json({"network": graph.name, "weight_bits": weight_bits, **describe(verdict, remedies)})
    else:
        _show(graph.name, verdict, weight_bits)
    if not verdict.fits:
        raise refusal(verdict, remedies)


def _show(name: str, verdict: Verdict, weight_bits: int | None) -> None:
    from eqspike.cli.output import bullets, facts, stdout

    console = stdout()
    placement = verdict.placement
    answer = f"{name} fits {verdict.chip}" if placement else f"{name} does not fit {verdict.chip}"
    rows = [("answer", answer)]
    if placement is not None:
        rows += _placed(placement)
    memory = verdict.demand.spare
    kilobytes = (memory[f"synapse_bits_{use}"] / 8192 for use in ("inference", "training"))
    rows.append(("synaptic memory", "{:,.4g} kB for inference, {:,.4g} kB for training".format(*kilobytes)))
    console.print(facts(rows))
    console.print(_limits(verdict))
    notes = list(placement.notes) if placement else []
    if weight_bits is not None:
        notes.append(f"weights were taken as {weight_bits} bits; the accuracy was not re-evaluated")
    for title, said in (("degraded", [str(one) for one in verdict.budgets]), ("assumptions", notes)):
        if said:
            console.print(bullets(title, said))


def _placed(placement: Placement) -> list[tuple[str, str]]:
    from eqspike.cli.output import count

    relays = sum(placement.graph.layer(name).neurons for name in placement.serves)
    kinds = f", {relays:,} of them relays of fan-in trees" if relays else ""
    several = f" on {placement.chips} chips" if placement.chips > 1 else ""
    rows = [
        ("cores", f"{placement.cores:,}{several}, placed {placement.strategy}"),
        (
            "neurons",
            f"{placement.graph.neurons:,}{kinds}",
        ),
        ("binds first", placement.binds or "nothing: the chip's file states no limits"),
        (
            "a presentation",
            f"{count(placement.intercore_spikes)} spikes between cores, {count(placement.packets)} packets with the "
            f"input's, {count(placement.hops)} hops",
        ),
    ]
    if queue := placement.queue():
        said = f"{queue['expected']:.3g} spikes a tick into core {queue['core']}, at most {queue['peak']} in 99 of 100"
        if queue["depth"] is not None:
            said += f"; more than its {queue['depth']} with probability {queue['overflow_probability']:.2g}"
        rows.append(("busiest queue", said))
    return rows


def _limits(verdict: Verdict) -> Any:
    from eqspike.cli.output import table
    from hw_models.constraints import amount

    made = table("limit", "kind", "where", "demand", "limit", "used", left=3)
    for one in verdict.constraints:
        share = f"{one.utilisation:.1%}" if one.limit else ("-" if not one.demand else "nothing there")
        style = "bold red" if one.demand > one.limit and one.kind == "wall" and one.name != "queue_depth" else None
        made.add_row(one.name, one.kind, one.where, amount(one.demand), amount(one.limit), share, style=style)
    return made
