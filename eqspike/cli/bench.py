"""``eqspike bench``: how fast the engine is here, beside a peer and a roofline of the same run."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from eqspike.cli.options import JsonOption

if TYPE_CHECKING:
    from eqspike.bench.result import Measurement


SUITES = ("engine", "exact", "scaling", "energy", "binary", "hardware", "sweeps")


def bench(
    suite: Annotated[
        str, typer.Argument(help="The suite to run: engine, exact, scaling, energy, binary, hardware, sweeps.")
    ] = "engine",
    repeats: Annotated[int, typer.Option(min=1, help="Timings of each work, taken in turn; the median counts.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Measure speed on this machine: medians of one run, with a peer and the roofline measured in turn with it."""
    from eqspike.cli.output import entry, print_json, stdout
    from eqspike.core.errors import ConfigError

    if suite not in SUITES:
        raise ConfigError(f"there is no suite '{suite}'.", field="bench", remedy=f"Suites: {', '.join(SUITES)}.")
    found = []
    for measurement in import_module(f"eqspike.bench.{suite}").measure(repeats):
        typer.echo(f"{measurement.workload}: {measurement.ours:.4g} {measurement.unit}", err=True)
        found.append(measurement)
    if as_json:
        print_json([measurement.to_dict() for measurement in found])
        return
    for measurement in found:
        stdout().print(entry(measurement.workload, _rows(measurement)))


def _rows(measurement: Measurement) -> list[tuple[str, str]]:
    """Return names and values of what a measurement says."""
    given = {
        "ours": f"{measurement.ours:.4g} {measurement.unit}",
        "peer": measurement.peer and f"{measurement.peer_value:.4g} {measurement.unit}, {measurement.peer}",
        "times faster": measurement.ratio and f"{measurement.ratio:.3g}",
        "of roofline": measurement.roofline_fraction and f"{measurement.roofline_fraction:.2f}",
        "note": measurement.note,
    }
    return [(name, said) for name, said in given.items() if said]
