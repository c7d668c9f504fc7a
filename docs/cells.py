"""Tutorials in cells: code that a page shows, that a test runs, and that prints what the page says it prints.

A tutorial NAME is NAME.rst (words, and commands after ``$``), NAME.py (code, each cell begun by a line ``# [title]``)
and NAME.txt (what each cell printed). ``python docs/cells.py NAME...`` runs cells and commands in an empty folder and
writes NAME.txt anew; ``--check`` compares instead.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

TUTORIALS = Path(__file__).parent / "tutorials"
TOLERANCE = 0.1  # of printed numbers: the last digits of a sum are the machine's own, and what grows from them
_HEAD = re.compile(r"^# \[(.+)\]\n", re.MULTILINE)
_NUMBER = re.compile(r"[-+]?\d[\d,]*\.?\d*(?:e[-+]?\d+)?")


def names() -> list[str]:
    """Return the tutorials that have code."""
    return sorted(path.stem for path in TUTORIALS.glob("*.py"))


def cells(text: str) -> dict[str, str]:
    """Return the cells of a file by title."""
    parts = _HEAD.split(text)
    return {title: body.strip("\n") for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def code(name: str) -> dict[str, str]:
    """Return the code of a tutorial by cell."""
    return cells((TUTORIALS / f"{name}.py").read_text("utf-8"))


def printed(name: str) -> dict[str, str]:
    """Return what the page of a tutorial says that its cells print."""
    return cells((TUTORIALS / f"{name}.txt").read_text("utf-8"))


def commands(name: str) -> list[list[str]]:
    """Return the arguments of the commands ``$ eqspike ...`` on the page of a tutorial."""
    lines = re.findall(r"^ +\$ (.+)$", (TUTORIALS / f"{name}.rst").read_text("utf-8"), re.MULTILINE)
    return [shlex.split(line, comments=True)[1:] for line in lines]


def run(name: str) -> dict[str, str]:
    """Run the cells of a tutorial one after the other where it stands, and return what each printed."""
    scope: dict = {"__name__": name}
    said = {}
    for title, body in code(name).items():
        out = io.StringIO()
        with redirect_stdout(out):
            exec(compile(body, f"{name}.py [{title}]", "exec"), scope)
        said[title] = out.getvalue().strip("\n")
    return said


def run_commands(name: str) -> None:
    """Run the commands of a tutorial where it stands; SystemExit carries the exit code of one that fails."""
    from eqspike.cli.app import app

    for arguments in commands(name):
        app(arguments, prog_name="eqspike", standalone_mode=False)


def differences(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """Return the cells that printed something else: other words, or numbers more than the tolerance away."""
    titles = dict.fromkeys((*expected, *found))
    return [
        f"[{title}] page: {expected.get(title, '')!r}, code: {found.get(title, '')!r}"
        for title in titles
        if not _alike(expected.get(title, ""), found.get(title, ""))
    ]


def _alike(one: str, other: str) -> bool:
    words = [" ".join(_NUMBER.sub("#", text).split()) for text in (one, other)]
    if words[0] != words[1]:
        return False
    numbers = ([float(n.replace(",", "")) for n in _NUMBER.findall(text)] for text in (one, other))
    return all(abs(a - b) <= TOLERANCE * max(abs(a), abs(b)) for a, b in zip(*numbers, strict=True))


@contextmanager
def workshop(name: str, folder: Path | None = None) -> Iterator[Path]:
    """Stand in an empty folder that has the tutorial's own files beside its code."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as made:
        place = folder or Path(made)
        for path in TUTORIALS.glob(f"{name}.toml"):
            shutil.copy(path, place)
        os.chdir(place)
        try:
            yield place
        finally:
            os.chdir(before)


def main(arguments: list[str]) -> None:
    """Run tutorials and write down what they print; with ``--check`` compare it with their pages instead."""
    check = "--check" in arguments
    for name in [argument for argument in arguments if argument != "--check"] or names():
        with workshop(name):
            said = run(name)
            run_commands(name)
        if not check:
            blocks = (f"# [{title}]\n{text}\n" for title, text in said.items() if text)
            (TUTORIALS / f"{name}.txt").write_text("\n".join(blocks), "utf-8")
        elif wrong := differences(printed(name), said):
            sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main(sys.argv[1:])
