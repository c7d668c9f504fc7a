"""The page: a document that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from os import PathLike

from eqspike import __version__
from eqspike.core.errors import ConfigError
from eqspike.core.html import Markup, joined, tag
from eqspike.recording.files import resolve_target, write_atomically
from eqspike.report import activity, again, hardware, outcome
from eqspike.report.section import Section
from eqspike.report.source import Source
from eqspike.training.run import Run, open_run
from hw_models import Chip, load_chip

SAMPLES = 1000  # test samples that are presented once more for the confusion matrix
_SECTIONS: tuple[Callable[[Source], Section], ...] = (
    outcome.glance,
    again.configuration,
    outcome.learning,
    outcome.answers,
    activity.raster,
    activity.rates,
    activity.weights,
    activity.window,
    hardware.energy,
    hardware.fit,
    again.counted,
    again.reproduction,
)
# Nothing is fetched and nothing is executed, whatever the page may hold.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def sections_of(
    run: Run | str | PathLike,
    *,
    chip: str | Chip = "generic-45nm",
    samples: int = SAMPLES,
    on_section: Callable[[str], None] | None = None,
) -> tuple[Run, list[Section]]:
    """Return a run and what there is to show of it; the arguments are those of :func:`report_html`."""
    if samples < 1:
        raise ConfigError(f"{samples} samples are none.", field="--samples", remedy="Give at least 1.")
    found = chip if isinstance(chip, Chip) else load_chip(chip)
    asked = found.name if isinstance(chip, Chip) else chip
    source = Source(run if isinstance(run, Run) else open_run(run), found, samples, asked)
    made = []
    for build in _SECTIONS:
        if on_section:
            on_section(build.__name__)
        made.append(build(source))
    return source.run, made


def report_html(
    run: Run | str | PathLike,
    *,
    chip: str | Chip = "generic-45nm",
    samples: int = SAMPLES,
    on_section: Callable[[str], None] | None = None,
) -> str:
    """Return a self-contained page of HTML about a run; the same run gives the same page.

    Parameters
    ----------
    run : a run, or the path of a run file.
    chip : chip to price the counted events on, by name, TOML file or as it is.
    samples : test samples, the first ones, that are presented once more for the confusion matrix.
    on_section : is told the name of every section that is begun.

    Raises
    ------
    RunFileError, ConfigError, hw_models.errors.HardwareError
        if the run file or the chip cannot be read, or ``samples`` is below 1. What else is missing the page says.
    """
    return page(*sections_of(run, chip=chip, samples=samples, on_section=on_section))


def write_report(
    run: Run | str | PathLike,
    out: str | PathLike,
    *,
    chip: str | Chip = "generic-45nm",
    samples: int = SAMPLES,
    overwrite: bool = False,
) -> None:
    """Write the page of :func:`report_html` to ``out``.

    Raises
    ------
    OutputError
        if the file exists and ``overwrite`` is false, or cannot be written; else as for :func:`report_html`.
    """
    resolve_target(out, overwrite=overwrite)
    write_atomically(out, report_html(run, chip=chip, samples=samples).encode("utf-8"), overwrite=overwrite)


def page(run: Run, sections: list[Section]) -> str:
    """Return the document that holds ``sections``."""
    title = f"{run.spec.name}, seed {run.spec.seed}, on {run.data['name']}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"{title} - eqspike report"),
        tag("style", Markup(files("eqspike.report").joinpath("page.css").read_text("utf-8"))),
    )
    links = (tag("li", tag("a", section.title, href=f"#{section.name}")) for section in sections)
    body = tag(
        "body",
        tag("a", "Skip to the results", href="#main", class_="skip"),
        tag("header", tag("p", "eqspike report", class_="kind"), tag("h1", title)),
        tag("nav", tag("ol", joined(links)), aria_label="Sections"),
        tag("main", *(section.html() for section in sections), id="main", tabindex="-1"),
        tag("footer", tag("p", f"Made by eqspike {__version__} from a run of {run.environment['created']}.")),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"
