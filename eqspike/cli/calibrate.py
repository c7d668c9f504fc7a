"""``eqspike calibrate``: unknown constants of a chip from measured counts, seconds and joules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eqspike.cli.options import JsonOption

if TYPE_CHECKING:
    from hw_models.calibration import Fit


def calibrate(
    chip: Annotated[Path, typer.Argument(metavar="CHIP.toml", help="Chip file whose constants are to be fitted.")],
    measured: Annotated[
        Path,
        typer.Option(metavar="FILE.csv", help="Columns seconds, joules and counters of the ledger, one row a run."),
    ],
    out: Annotated[Path, typer.Option(metavar="FITTED.toml", help="Chip file to write, with the fitted constants.")],
    fit: Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help="Constants to fit; by default those graded unstated.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit constants of a chip to measured energies, with the uncertainty that the data leave.

    Energy is linear in the constants once the counts are known: non-negative least squares of relative errors.
    A fitted constant's band is its 95 % interval.
    """
    from eqspike.cli.output import print_json
    from eqspike.recording import check_output
    from eqspike.recording.files import write_atomically
    from hw_models import load_chip
    from hw_models.calibration import calibrate as calibrate_chip
    from hw_models.calibration import fitted_chip_text, read_measurements

    _require_toml(chip, "CHIP.toml")
    _require_toml(out, "--out")
    known, runs = load_chip(chip), read_measurements(measured)
    check_output(out)
    found = calibrate_chip(known, runs, _names(fit))
    text = fitted_chip_text(chip.read_text(encoding="utf-8"), found, name=out.stem, data=measured.name)
    write_atomically(out, text.encode(), overwrite=False)
    document = _document(found) | {"chip_file": str(out)}
    if as_json:
        print_json(document)
    else:
        _show(document)


def _require_toml(path: Path, field: str) -> None:
    from eqspike.core.errors import ConfigError

    if path.suffix != ".toml":
        raise ConfigError(f"'{path}' is no chip file.", field=field, remedy="Give the path of a .toml file.")


def _names(fit: str | None) -> list[str] | None:
    return None if fit is None else [name.strip() for name in fit.split(",") if name.strip()]


def _document(found: Fit) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(found)


def _show(said: dict[str, Any]) -> None:
    from eqspike.cli.output import facts, stdout, table

    console = stdout()
    names = [one["name"] for one in said["constants"]]
    made = table("constant", "fitted", "95 % interval", "unit", *(f"r with {name}" for name in names))
    for one in said["constants"]:
        shares = ("1" if name == one["name"] else f"{one['correlation'][name]:+.2f}" for name in names)
        made.add_row(one["name"], f"{one['value']:.4g}", f"{one['low']:.3g} to {one['high']:.3g}", one["unit"], *shares)
    console.print(made)
    rows = [
        ("measurements", f"{said['measurements']}, {said['degrees_of_freedom']} degrees of freedom"),
        ("residuals", f"{said['residual_rms']:.2%} rms, {said['worst_residual']:.2%} at most"),
        ("chip file", said["chip_file"]),
        ("next", f"eqspike energy RUN --chip {said['chip_file']}"),
    ]
    console.print(facts(rows))
