"""Finding claims in a checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from eqspike.claims.catalogue import claim_folders, find_claim, find_experiments
from eqspike.core.errors import ConfigError


def test_a_claim_is_found_by_name_from_anywhere_in_the_checkout(folder: Path) -> None:
    checkout = folder.parent.parent
    deep = checkout / "eqspike" / "kernels"
    deep.mkdir(parents=True)
    for start in (checkout, deep, folder):
        assert find_claim("digits_learnt", start) == folder.resolve()


def test_a_claim_is_found_by_path_without_a_checkout(folder: Path, tmp_path: Path) -> None:
    assert find_claim(str(folder), tmp_path.parent) == folder


def test_a_misspelt_claim_is_guessed(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"no claim 'digit_learnt'\. Did you mean 'digits_learnt'"):
        find_claim("digit_learnt", folder)


def test_an_unknown_claim_lists_those_there_are(folder: Path) -> None:
    with pytest.raises(ConfigError, match="Claims here: digits_learnt"):
        find_claim("xyz", folder)


def test_outside_a_checkout_the_remedy_is_told(tmp_path: Path) -> None:
    (tmp_path / "experiments" / "notes").mkdir(parents=True)
    with pytest.raises(ConfigError, match="checkout of the repository"):
        find_experiments(tmp_path)
    assert claim_folders(tmp_path / "experiments") == {}
