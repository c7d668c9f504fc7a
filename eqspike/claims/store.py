"""``measured.json``: what came out, merged run by run and written atomically."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eqspike.claims.schema import Claim
from eqspike.claims.verdicts import judge, overall, seed_values, summary
from eqspike.core.errors import ConfigError
from eqspike.recording.files import write_atomically

SCHEMA = 1
NOTE = "What came out of the commands below; never read as an expectation. Targets are in claim.toml."


def measured_file(folder: Path, quick: bool) -> Path:
    """Return the file that holds what came out of a claim, of its quick form apart."""
    return folder / ("measured-quick.json" if quick else "measured.json")


def read_records(path: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the records in ``path`` by case and seed (as text); none where there is no file.

    Raises
    ------
    ConfigError
        if the file is not what :func:`write_records` writes, or comes from a newer version.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _unreadable(path, str(error)) from None
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        raise _unreadable(path, f"it does not follow schema {SCHEMA}")
    try:
        return {name: dict(case["runs"]) for name, case in document["cases"].items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        raise _unreadable(path, "its cases hold no runs") from None


def add_record(path: Path, claim: Claim, case: str, seed: int, record: Mapping[str, Any], *, quick: bool) -> dict:
    """Add a record to what ``path`` holds now, write it, and return the whole document.

    Records of the same case with another configuration are dropped: a mean over different settings says nothing.
    """
    records = read_records(path)
    same = {s: run for s, run in records.get(case, {}).items() if run["configuration"] == record["configuration"]}
    records[case] = same | {str(seed): dict(record)}
    document = described(claim, records, path.parent.resolve().name, quick=quick)
    write_atomically(path, (json.dumps(document, indent=1, allow_nan=False) + "\n").encode(), overwrite=True)
    return document


def described(claim: Claim, records: Mapping[str, Mapping], name: str, *, quick: bool) -> dict[str, Any]:
    """Return the document of a claim's records: each case with its outcomes, verdict and summaries."""
    known = {case.name: records[case.name] for case in claim.cases if case.name in records}
    outcomes = judge(claim, {} if quick else known)
    return {
        "schema": SCHEMA,
        "claim": name,
        "note": NOTE,
        "quick": quick,
        "cases": {case: _case(runs, outcomes[case]) for case, runs in known.items()},
    }


def _case(runs: Mapping[str, Mapping], outcomes: list[dict]) -> dict[str, Any]:
    ordered = {seed: runs[seed] for seed in sorted(runs, key=int)}
    quantities = dict.fromkeys(key for run in ordered.values() for key in run.get("results", {}))
    return {
        "verdict": overall(outcomes),
        "outcomes": outcomes,
        "summary": {key: summary(values.values()) for key in quantities if (values := seed_values(ordered, key))},
        "runs": ordered,
    }


def _unreadable(path: Path, reason: str) -> ConfigError:
    return ConfigError(
        f"this is not what eqspike reproduce writes ({reason}).",
        field=str(path),
        remedy="Restore it from the repository, or delete it to measure anew.",
    )
