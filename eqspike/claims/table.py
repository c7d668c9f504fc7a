"""The claims table: one row per expectation, from ``claim.toml`` and ``measured.json`` alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eqspike.claims.catalogue import claim_folders
from eqspike.claims.schema import Claim, read_claim
from eqspike.claims.store import measured_file, read_records
from eqspike.claims.verdicts import NO_TARGET, judge
from eqspike.claims.wording import NONE, measured_text, published_text, quantity_name, target_text
from eqspike.core.errors import ConfigError
from eqspike.recording.files import write_atomically

README = "README.md"
BEGIN, END = "<!-- claims: begin -->", "<!-- claims: end -->"
HEAD = ("case", "quantity", "published", "target", "measured", "verdict")


@dataclass(frozen=True)
class Row:
    """What is expected of one quantity of one case, and what came out, in words."""

    case: str
    quantity: str
    published: str
    target: str
    measured: str
    verdict: str
    grade: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """The row without the grade of the published value."""
        return tuple(getattr(self, name) for name in HEAD)


def rows(claim: Claim, records: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """Return a row for every expectation of a claim, compared with ``records`` (by case and seed)."""
    outcomes = judge(claim, records)
    return [
        Row(
            case.name,
            quantity_name(expectation),
            published_text(expectation),
            target_text(expectation),
            measured_text(expectation, outcome),
            _verdict_text(outcome),
            expectation.published_grade,
        )
        for case in claim.cases
        for expectation, outcome in zip(case.expect, outcomes[case.name], strict=True)
    ]


def claims_table(experiments: Path) -> str:
    """Return the table of all claims in Markdown, a section per claim."""
    return "\n".join(_section(name, folder) for name, folder in claim_folders(experiments).items())


def update_readme(experiments: Path) -> Path:
    """Write the table between the marks of the README in ``experiments``, and return the file.

    Raises
    ------
    ConfigError
        if there is no README or it lacks the marks.
    """
    path = experiments / README
    text = path.read_text("utf-8") if path.is_file() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigError(
            "the claims table has no place here.", field=str(path), remedy=f"Add the lines {BEGIN} and {END}."
        )
    content = f"{before}{BEGIN}\n{claims_table(experiments)}{END}{after}"
    write_atomically(path, content.encode(), overwrite=True)
    return path


def _verdict_text(outcome: Mapping[str, Any]) -> str:
    if outcome["reason"] == NO_TARGET:
        return NONE
    if not outcome["n"]:
        return "not measured"
    return outcome["reason"] or outcome["verdict"]


def _section(name: str, folder: Path) -> str:
    claim = read_claim(folder)
    doi = f", [doi:{claim.source.doi}](https://doi.org/{claim.source.doi})" if claim.source.doi else ""
    lines = [
        f"### [{claim.title}]({name}/README.md)",
        "",
        claim.statement.strip(),
        "",
        f"Source: {claim.source.reference}{doi}. Command: `eqspike reproduce {name}`",
        "",
        f"| {' | '.join(HEAD)} |",
        f"|{'---|' * len(HEAD)}",
        *(_line(row) for row in rows(claim, read_records(measured_file(folder, quick=False)))),
        "",
    ]
    return "\n".join(lines)


def _line(row: Row) -> str:
    graded = replace(row, published=f"{row.published} ({row.grade})") if row.grade else row
    return f"| {' | '.join(graded.cells)} |"
