"""The two hashes that say whether a measurement still stands."""

from __future__ import annotations

import pytest

from eqspike import resolve
from eqspike.sweeps.fingerprint import code_hash, code_of, configuration_hash

SOURCE = '''"""Module."""
def double(x):
    """Twice."""
    return 2 * x  # two
'''


@pytest.mark.parametrize("changes", [{"seed": 7}, {"name": "other"}, {"title": "other"}])
def test_seed_and_names_do_not_decide(changes: dict) -> None:
    spec = resolve("eqspike-digits")
    assert configuration_hash(resolve(spec, changes)) == configuration_hash(spec)


@pytest.mark.parametrize(
    "changes", [{"rule.beta": 1.5}, {"network.projections.1.learning_rate": 0.5}, {"data.validation": 0}]
)
def test_everything_else_decides(changes: dict) -> None:
    spec = resolve("eqspike-digits")
    assert configuration_hash(resolve(spec, changes)) != configuration_hash(spec)


def test_comments_docstrings_and_layout_are_no_code() -> None:
    assert code_of(SOURCE) == code_of("def double(x):\n    return (2 *\n        x)\n")


def test_a_changed_number_is_code() -> None:
    assert code_of(SOURCE) != code_of(SOURCE.replace("2 * x", "3 * x"))


def test_a_function_of_nothing_but_a_docstring_stays_one() -> None:
    assert code_of('def f():\n    """Nothing."""\n') == code_of("def f():\n    pass\n")


def test_the_code_hash_is_short_and_labelled() -> None:
    assert code_hash().startswith("sha256:") and len(code_hash()) == len("sha256:") + 16
