"""The command line ``eqspike``: one thin file per command; what takes long to import is imported inside commands."""

from __future__ import annotations

import os
import sys
import traceback


def main() -> None:
    """Run the command line and leave the process.

    Exit codes: 0; 1 for a bug, shown with its traceback; 2 for a mistake in options, recipes, files or data, shown as
    one message; 3 where a network does not fit a chip; 130 where Ctrl-C or SIGTERM stopped a run.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a terminal without Greek letters is no reason to fail
    try:
        from eqspike.cli.app import app

        try:
            app()
        finally:
            _flush()
    except KeyboardInterrupt:
        print("error: stopped by Ctrl-C.", file=sys.stderr)
        sys.exit(130)
    except Exception:
        traceback.print_exc()
        print(
            "error: this is a bug in eqspike. Please report it with the lines above and the command that you gave.",
            file=sys.stderr,
        )
        sys.exit(1)


def _flush() -> None:
    """Empty stdout while a closed pipe can still be met quietly: the interpreter's own flush would complain."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
