"""``eqspike chips``: the chips that counted events can be priced on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eqspike.cli.options import JsonOption

if TYPE_CHECKING:
    from hw_models import Chip


def chips(as_json: JsonOption = False) -> None:
    """List the chips with their operating point and the weakest evidence that their constants rest on."""
    from eqspike.cli.output import entry, print_json, stdout
    from hw_models import available_chips, load_chip

    found = [_entry(load_chip(info.name)) for info in available_chips()]
    if as_json:
        print_json({"chips": found})
        return
    console = stdout()
    for chip in found:
        supply = "supply not stated" if chip["vdd"] is None else f"{chip['vdd']:g} V"
        rows = [
            ("device", f"{chip['device']}, {chip['node_nm']:g} nm, {supply}"),
            ("what", chip["description"]),
            ("evidence", f"{chip['evidence']} or better"),
        ]
        console.print(entry(chip["name"], rows))
    console.print("eqspike energy RUN --chip CHIP shows every constant with its source.", style="dim")


def _entry(chip: Chip) -> dict[str, Any]:
    shown = {key: getattr(chip, key) for key in ("name", "title", "description", "node_nm", "vdd", "device")}
    evidence = [(e if hasattr(e, "evidence") else e.resolve(1)).evidence for e in chip.constants.values()]
    return shown | {"evidence": str(min(evidence, key=lambda grade: grade.rank))}
