"""Where a key stands in the text of a TOML file, so that an error can name its line."""

from __future__ import annotations

import re
from collections import Counter

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


class Places:
    """The lines of a TOML text by key; ``where`` names the text in errors."""

    def __init__(self, text: str, where: str) -> None:
        self.where = where
        self._lines: dict[tuple[str, ...], int] = {}
        tables: Counter[tuple[str, ...]] = Counter()
        prefix: tuple[str, ...] = ()
        for number, line in enumerate(text.splitlines(), start=1):
            if header := _HEADER.match(line):
                prefix = _parts(header[2])
                if header[1] == "[[":
                    tables[prefix] += 1
                    self._lines.setdefault(prefix, number)
                    prefix = (*prefix, str(tables[prefix] - 1))
                self._lines.setdefault(prefix, number)
            elif key := _KEY.match(line):
                path = (*prefix, *_parts(key[1]))
                for length in range(len(prefix) + 1, len(path) + 1):
                    self._lines.setdefault(path[:length], number)

    def name(self, key: str) -> str:
        """Return ``where, line N: key`` with the line of ``key`` (dotted), or of the nearest table that holds it."""
        return self.at(key, tuple(key.split(".")))

    def at(self, key: str, path: tuple[str, ...]) -> str:
        """Return the same for a key whose ``path`` has quoted parts, which may hold dots."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                return f"{self.where}, line {self._lines[path[:length]]}: {key}"
        return f"{self.where}: {key}"


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
