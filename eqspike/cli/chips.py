"""``eqspike chips``: the chips that counted events can be priced on, and everything that is known of one of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eqspike.cli.options import ForceOption, JsonOption
from eqspike.core.errors import ConfigError

if TYPE_CHECKING:
    from hw_models import Chip
    from hw_models.report import Reproduced
    from hw_models.technology import Constant

_WIDTH = 8  # bits at which a constant that depends on a weight's width is shown


def chips(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME|FILE.toml]", help="Chip to show with constants, limits and points.")
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Draw NAME's energy of an event against rate (.png, .svg, .pdf)."),
    ] = None,
    fan_out: Annotated[int, typer.Option(metavar="N", min=1, help="Synapses of each neuron in that figure.")] = 128,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """List the chips with what is published of them; with NAME, show its constants, limits and operating points.

    A residual is what the chip's constants give at a published operating point, against what was published.
    """
    from eqspike.cli.output import print_json
    from hw_models import available_chips, load_chip

    if figure is not None:
        _draw(name, figure, fan_out, force)
    if name is not None:
        chip = load_chip(name)
        print_json({"chip": _everything(chip)}) if as_json else _show(chip)
        return
    found = [load_chip(info.name) for info in available_chips()]
    if as_json:
        print_json({"chips": [_entry(chip) for chip in found]})
    else:
        _list(found)


def _draw(name: str | None, figure: Path, fan_out: int, force: bool) -> None:
    """Draw what an event costs where the neurons of a whole chip fire at 0.1 to 1,000 Hz."""
    from eqspike.plots.rates import draw_event_energy
    from eqspike.plots.style import save_figure
    from hw_models import load_chip
    from hw_models.estimator import event_energy, published_events

    if name is None:
        raise ConfigError("a figure needs a chip.", field="--figure", remedy="Name one: eqspike chips truenorth.")
    chip = load_chip(name)
    cores, each = chip.limits.value("cores"), chip.limits.value("neurons_per_core")
    if cores is None or each is None:
        raise ConfigError(
            f"{name} states no number of cores and of neurons, so there is no full chip to draw.",
            field="--figure",
            remedy="Choose a chip with both limits, such as truenorth or loihi.",
        )
    rates = [10 ** (k / 20) for k in range(-20, 61)]
    curve = [event_energy(chip, rate, neurons=cores * each, fan_out=fan_out) for rate in rates]
    tick = "" if chip.tick else ", ticks of 1 ms"
    caption = (
        f"{cores * each:,} neurons of {fan_out} synapses each on {chip.device}, {chip.node_nm:g} nm{tick}. All-in: "
        "static power and neuron updates are shared by fewer events the less the neurons fire. "
        "Shaded: bands of the constants."
    )
    points = published_events(chip, neurons=cores * each, fan_out=fan_out)
    title = f"{chip.title}: energy of a synaptic event"
    save_figure(draw_event_energy(curve, points, title=title, caption=caption), figure, overwrite=force)


def _entry(chip: Chip) -> dict[str, Any]:
    shown = {key: getattr(chip, key) for key in ("name", "title", "description", "node_nm", "vdd", "device")}
    grades = [constant.evidence for constant in _constants(chip).values()]
    weakest = str(min(grades, key=lambda grade: grade.rank)) if grades else None
    points = [point.to_dict() for point in _points(chip)]
    return shown | {"evidence": weakest, "unpriced": chip.unpriced, "operating_points": points}


def _everything(chip: Chip) -> dict[str, Any]:
    from dataclasses import asdict

    limits = {key: limit.model_dump() for key, limit in chip.limits.items()}
    bare = {key: getattr(chip.limits, key) for key in ("trees", "mesh", "multicast")}
    return _entry(chip) | {
        "no_learning": chip.no_learning,
        "transposition": chip.transposition.model_dump(),
        "constants": {key: asdict(constant) for key, constant in _constants(chip).items()},
        "variants": {key: variant.title for key, variant in chip.variants.items()},
        "limits": limits | bare,
        "not_modelled": list(chip.not_modelled),
    }


def _constants(chip: Chip) -> dict[str, Constant]:
    """Return the chip's constants as pricing takes them: bands that hold the variants; weak evidence is shown too."""
    return {key: c.resolve(_WIDTH) if hasattr(c, "resolve") else c for key, c in chip.constants.items()}


def _points(chip: Chip) -> tuple[Reproduced, ...]:
    from hw_models.estimator import operating_points

    return operating_points(chip)


def _list(found: list[Chip]) -> None:
    from eqspike.cli.output import NONE, stdout, table

    console = stdout()
    made = table("chip", "node", "published", "evidence", "residual", left=3)
    for chip in found:
        entry = _entry(chip)
        made.add_row(
            chip.name,
            f"{chip.node_nm:g} nm",
            "limits only" if chip.unpriced else chip.description,
            NONE if chip.unpriced else entry["evidence"],
            _residuals(entry["operating_points"]),
        )
    console.print(made)
    console.print(
        "residual: at the first published operating point (largest of all), none where the price is that point itself; "
        "evidence: the weakest of a chip's constants.",
        style="dim",
    )
    console.print("eqspike chips NAME shows constants, limits and operating points with their sources.", style="dim")


def _residuals(points: list[dict[str, Any]]) -> str:
    from eqspike.cli.output import NONE

    checks = [point["residual"] for point in points if point["independent"]]
    if not checks:
        return "by construction" if points else NONE
    first, worst = _percent(checks[0]), _percent(max(checks, key=abs))
    return first if worst == first else f"{first} ({worst})"


def _percent(residual: float) -> str:
    return f"{100 * residual:+.1f} %".replace("-0.0", "0.0").replace("+0.0", "0.0")


def _show(chip: Chip) -> None:
    from eqspike.cli.output import bullets, entry, stdout

    console = stdout()
    supply = "supply not stated" if chip.vdd is None else f"{chip.vdd:g} V"
    rows = [
        ("title", chip.title),
        ("device", f"{chip.device}, {chip.node_nm:g} nm, {supply}"),
        ("what", chip.description),
        ("weights", f"backwards by policy {chip.transposition.policy}: {chip.transposition.reason}"),
    ]
    rows += [("unpriced", chip.unpriced)] if chip.unpriced else []
    rows += [("no learning", chip.no_learning)] if chip.no_learning else []
    rows += [(f"variant {key}", f"{variant.title}: {variant.reason}") for key, variant in chip.variants.items()]
    console.print(entry(chip.name, rows))
    _show_constants(chip)
    _show_limits(chip)
    _show_points(chip)
    if chip.not_modelled:
        console.print(bullets("not modelled", chip.not_modelled))


def _show_constants(chip: Chip) -> None:
    from eqspike.cli.output import stdout, table

    if not chip.constants:
        return
    made = table("constant", "value (low-high)", "evidence", "includes; source", left=4)
    for name, constant in _constants(chip).items():
        bounds = "" if constant.low == constant.high else f" ({constant.low:g}-{constant.high:g})"
        value = f"{constant.value:g}{bounds} {constant.unit.removesuffix('1')}"
        made.add_row(name, value, str(constant.evidence), f"{constant.includes}; {constant.source}")
    stdout().print(made)


def _show_limits(chip: Chip) -> None:
    from eqspike.cli.output import stdout, table

    made = table("limit", "value", "kind", "source", left=4)
    for name, limit in chip.limits.items():
        made.add_row(name, f"{limit.value:,}", limit.kind, limit.source)
    for name in ("trees", "mesh", "multicast"):
        if name in chip.limits.model_fields_set:
            value = getattr(chip.limits, name)
            made.add_row(name, " x ".join(map(str, value)) if name == "mesh" else "yes" if value else "no", "", "")
    if made.row_count:
        stdout().print(made)


def _show_points(chip: Chip) -> None:
    from eqspike.cli.output import stdout, table
    from eqspike.core.units import engineering

    points = _points(chip)
    if not points:
        return
    made = table("published", "modelled", "residual", "operating point; source", left=4)
    for point in points:
        unit = "W" if point.quantity == "power_w" else "J"
        published, modelled = engineering(point.measured, unit), engineering(point.modelled, unit)
        residual = _percent(point.residual) if point.independent else "by construction"
        note = f" ({point.note})" if point.note else ""
        made.add_row(published, modelled, residual, f"{point.name}{note}; {point.source}")
    stdout().print(made)
