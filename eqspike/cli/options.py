"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_CHIP = "generic-45nm"

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout instead of tables.")]
ChipOption = Annotated[str, typer.Option(metavar="NAME|FILE.toml", help="Chip to price the counted events on.")]
ThreadsOption = Annotated[
    int | None, typer.Option(min=1, help="Threads for inference, by default one per core; results do not depend on it.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="Run file that eqspike train wrote.")]
