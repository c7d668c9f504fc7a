"""``eqspike energy``: what counted events cost on a chip, with what-if on the chip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eqspike.cli.options import DEFAULT_CHIP, ChipOption, ForceOption, JsonOption
from eqspike.core.errors import ConfigError, RunFileError

if TYPE_CHECKING:
    from hw_models import Chip

_POSITIVE = ("node_nm", "vdd", "clock_hz", "overhead", "tick_s")
_OPTIONS = {"node_nm": "--node"}

_MaybeRun = Annotated[Path | None, typer.Argument(metavar="RUN", help="Run file that eqspike train wrote.")]
_Counts = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Counts instead of a run: .json, .toml or .csv, as --save-counts writes."),
]
_Spikes = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Recorded spikes instead of a run: .npz or .csv; see --network.")
]
_Network = Annotated[
    str | None,
    typer.Option(metavar="NETWORK", help="Network of --spikes, as eqspike simulate takes it; by default its own."),
]
_Nir = Annotated[Path | None, typer.Option(metavar="MODEL", help="NIR model to simulate on --data.")]
_Data = Annotated[Path | None, typer.Option(metavar="FILE.npz", help="Samples for --nir.")]
_Duration = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="Length of a recording, or of a sample of --nir.")
]
_Phase = Annotated[
    list[str] | None, typer.Option(metavar="PHASE", help="Price only this phase, repeatable: free, nudged, inference.")
]
_Node = Annotated[float | None, typer.Option(metavar="NM", help="What if: another technology node.")]
_Supply = Annotated[float | None, typer.Option(metavar="VOLTS", help="What if: another supply.")]
_Width = Annotated[int | None, typer.Option(metavar="BITS", help="What if: another width of weights.")]
_Tick = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Time of one hardware tick; by default the chip's, else the recipe's."),
]
_Clock = Annotated[float | None, typer.Option(metavar="HERTZ", help="What if: another clock.")]
_Policy = Annotated[
    str | None,
    typer.Option(metavar="POLICY", help="Weights read backwards: duplicate, transposable, column_walk, crossbar."),
]
_Variant = Annotated[
    str | None, typer.Option(metavar="NAME", help="Constants of another publication, as eqspike chips NAME lists.")
]
_Overhead = Annotated[float | None, typer.Option(metavar="FACTOR", help="What if: another factor of dynamic energy.")]
_Figure = Annotated[
    Path | None, typer.Option(metavar="FILE.png", help="Draw energies by component (.png, .svg, .pdf).")
]
_Tornado = Annotated[
    Path | None, typer.Option(metavar="FILE.png", help="Draw which constant decides (.png, .svg, .pdf).")
]
_SaveCounts = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the counts that were priced: .json, .toml or .csv.")
]
_Place = Annotated[
    bool, typer.Option("--place", help="Place the network on cores: packets, hops and cores in use are counted.")
]
_Chips = Annotated[int, typer.Option(min=1, help="Chips side by side for --place.")]


def energy(
    run: _MaybeRun = None,
    chip: ChipOption = DEFAULT_CHIP,
    counts: _Counts = None,
    spikes: _Spikes = None,
    network: _Network = None,
    nir: _Nir = None,
    data: _Data = None,
    duration: _Duration = None,
    phase: _Phase = None,
    node: _Node = None,
    vdd: _Supply = None,
    weight_bits: _Width = None,
    tick_s: _Tick = None,
    clock_hz: _Clock = None,
    transposition: _Policy = None,
    variant: _Variant = None,
    overhead: _Overhead = None,
    figure: _Figure = None,
    tornado: _Tornado = None,
    save_counts: _SaveCounts = None,
    place: _Place = False,
    chips: _Chips = 1,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Price counted events on a chip: by phase and component, with bands, warnings and gaps.

    The counts are those of a RUN, of a file, of recorded spikes, or of a NIR model on samples. Exit code 3 where
    --place finds that the network does not fit.
    """
    from eqspike.cli.energy_report import document, save_figures, show
    from eqspike.cli.energy_sources import counted
    from eqspike.cli.output import print_json
    from eqspike.costing.counts import counts_suffix, write_counts
    from eqspike.recording import check_output
    from hw_models import load_chip, price

    knobs = {
        "node_nm": node, "vdd": vdd, "weight_bits": weight_bits, "clock_hz": clock_hz, "overhead": overhead,
        "transposition": transposition, "variant": variant,
    }  # fmt: skip
    asked = _turned(load_chip(chip), knobs)
    require_tick(tick_s)
    for path in (figure, tornado, save_counts):
        if path is not None:
            check_output(path, overwrite=force)
    if save_counts is not None:
        counts_suffix(save_counts)
    found = counted({"RUN": run, "--counts": counts, "--spikes": spikes, "--nir": nir}, network, data, duration)
    placement = found.placed(asked, chips) if place else None
    workload = found.workload.of(*phase) if phase else found.workload
    report = price(workload, asked, tick_s, placement)
    if not report.phases:
        raise RunFileError("nothing was counted yet.", field=str(found.origin), remedy="Train it first.")
    save_figures(report, figure, tornado, overwrite=force)
    if save_counts is not None:
        write_counts(workload, save_counts, overwrite=force)
    if as_json:
        said = {"run_file": str(run) if run else None, "source": str(found.origin), "notes": list(found.notes)}
        print_json(said | document(report))
    else:
        show(report, found.notes)


def require_tick(tick_s: float | None) -> None:
    """Refuse a tick that is no time.

    Raises
    ------
    ConfigError
        if it is given, and not above zero or not finite.
    """
    if tick_s is not None and not 0 < tick_s < float("inf"):
        raise ConfigError(f"{tick_s} is not a time.", field="--tick-s", remedy="Give seconds above zero, such as 1e-6.")


def _turned(chip: Chip, knobs: dict[str, Any]) -> Chip:
    given = {key: value for key, value in knobs.items() if value is not None}
    for key, value in given.items():
        if key in _POSITIVE and not 0 < value < float("inf"):
            option = _OPTIONS.get(key, f"--{key.replace('_', '-')}")
            raise ConfigError(f"{value} is out of range.", field=option, remedy="Give a number above zero.")
    return chip.at(**given) if given else chip
