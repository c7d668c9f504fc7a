"""``python -m eqspike``: the command line."""

from __future__ import annotations

from eqspike.cli import main

if __name__ == "__main__":
    main()
