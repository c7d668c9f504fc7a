"""Shares of a sweep for the tasks of a batch array: disjoint, complete, and worked out by each task alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from eqspike.core.errors import ConfigError


@dataclass(frozen=True)
class Shard:
    """Share ``number`` (from 1) of ``of``."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str | None) -> Shard:
        """Return the share that ``I/N`` names, everything where nothing is said.

        Raises
        ------
        ConfigError
            if it is not two whole numbers with 1 <= I <= N.
        """
        if text is None:
            return cls()
        found = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise ConfigError(
                f"'{text}' is no share.", field="--shard", remedy="For example: --shard 1/8 to --shard 8/8."
            )
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def is_first(self) -> bool:
        """Whether this share writes what all have in common."""
        return self.number == 1

    def of_ids(self, ids: Iterable[str]) -> set[str]:
        """Return the ids of this share: every N-th in the order of ids, so that long and short runs mix."""
        return set(sorted(ids)[self.number - 1 :: self.of])
