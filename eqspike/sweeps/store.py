"""The folder of a sweep: its design, and a record and a run file for each run, each with one writer.

``sweep.json``          the design: recipe, fields, runs (id, settings, seed), prices, code
``runs/<id>.json``      the record of a run, written last and whole: where it is, the run is finished
``runs/<id>.h5``        the run file, with its checkpoints while it trains

Readers lock nothing; a file that is cut short or is not what it should be counts as not there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from eqspike.core.errors import ConfigError
from eqspike.recording.files import write_atomically

SCHEMA = 1
DESIGN = "sweep.json"
DONE, FAILED = "done", "failed"


class Store:
    """Where the files of a sweep lie, and what is in them."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @property
    def design_file(self) -> Path:
        """The design as resolved."""
        return self.folder / DESIGN

    def record_file(self, name: str) -> Path:
        """Return where the record of a run lies."""
        return self.folder / "runs" / f"{name}.json"

    def run_file(self, name: str) -> Path:
        """Return where the run file of a run lies."""
        return self.folder / "runs" / f"{name}.h5"

    def record(self, name: str) -> dict[str, Any] | None:
        """Return the record of a run; None where there is none, or no whole one of this run."""
        try:
            found = json.loads(self.record_file(name).read_bytes())
        except (OSError, ValueError):
            return None
        whole = isinstance(found, dict) and found.get("id") == name and found.get("status") in (DONE, FAILED)
        return found if whole else None

    def is_done(self, name: str) -> bool:
        """Return whether a run needs no running any more."""
        return (self.record(name) or {}).get("status") == DONE

    def write_record(self, record: Mapping[str, Any]) -> None:
        """Write the record of a run in place of an older one."""
        text = json.dumps({"schema": SCHEMA, **record}, allow_nan=False)
        write_atomically(self.record_file(record["id"]), text.encode(), overwrite=True)

    def design(self) -> dict[str, Any]:
        """Return the design that was written.

        Raises
        ------
        ConfigError
            if there is none, or it is damaged or of a newer version.
        """
        try:
            found = json.loads(self.design_file.read_bytes())
        except FileNotFoundError:
            raise ConfigError(
                f"there is no {DESIGN} in this folder.", field=str(self.folder), remedy="Give a sweep's own folder."
            ) from None
        except (OSError, ValueError) as error:
            raise self._unreadable(str(error)) from None
        if not isinstance(found, dict) or found.get("schema") != SCHEMA:
            raise self._unreadable(f"it does not follow schema {SCHEMA}")
        return found

    def write_design(self, document: Mapping[str, Any]) -> None:
        """Write the design, unless it is there already."""
        content = (json.dumps({"schema": SCHEMA, **document}, allow_nan=False) + "\n").encode()
        try:
            if self.design_file.read_bytes() == content:
                return
        except OSError:
            pass  # not there, or not to be read: write it, and let that speak
        write_atomically(self.design_file, content, overwrite=True)

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield the record of each run of the design that has one, in the design's order."""
        for run in self.design()["runs"]:
            if (record := self.record(run["id"])) is not None:
                yield record

    def _unreadable(self, reason: str) -> ConfigError:
        return ConfigError(
            f"this is no sweep's design ({reason}).",
            field=str(self.design_file),
            remedy="Give the sweep's command again: it is written anew, and finished runs stay.",
        )
