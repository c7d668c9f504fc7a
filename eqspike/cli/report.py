"""``eqspike report``: one page of HTML that shows a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eqspike.cli.options import DEFAULT_CHIP, ChipOption, ForceOption, JsonOption, RunArgument


def report(
    run: RunArgument,
    chip: ChipOption = DEFAULT_CHIP,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Page to write; by default RUN-report.html or the next free number."),
    ] = None,
    samples: Annotated[
        int, typer.Option(min=1, metavar="N", help="Test samples to present once more for the confusion matrix.")
    ] = 1000,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write one self-contained HTML page about a run: curves, confusions, spikes, weights, energy, fit, settings.

    Nothing is fetched from anywhere when it is read; what could not be shown, it says.
    """
    from eqspike.cli.output import bullets, facts, print_json, stdout
    from eqspike.cli.progress import Monitor
    from eqspike.cli.settings import free_path
    from eqspike.recording import check_output, read_summary
    from eqspike.recording.files import write_atomically
    from eqspike.report.page import page, sections_of

    read_summary(run)
    path = out or free_path(Path(f"{run.with_suffix('')}-report.html"))
    check_output(path, overwrite=force)
    with Monitor() as monitor:
        monitor.stage("opening the run")
        opened, sections = sections_of(
            run, chip=chip, samples=samples, on_section=lambda name: monitor.stage(f"section {name}")
        )
    content = page(opened, sections).encode("utf-8")
    write_atomically(path, content, overwrite=force)
    missing = {section.name: section.reason for section in sections if section.reason}
    if as_json:
        shown = [section.name for section in sections if not section.reason]
        print_json(
            {"report": str(path), "run_file": str(run), "bytes": len(content), "shown": shown, "missing": missing}
        )
        return
    stdout().print(facts([("report", str(path)), ("size", f"{len(content) / 1024:,.0f} KiB")]))
    if missing:
        stdout().print(bullets("not shown", missing.values()))
