from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eqspike.cli.settings import changes_from
from eqspike.recipes import shipped_recipes
from eqspike.report.again import command_of
from eqspike.training.api import resolve

_LETTERS = st.characters(exclude_categories=["Cs", "Cc"], include_characters="\U00010000\"'")


def _typed(command: str):
    """Return the specification that ``eqspike train`` makes of a command's words."""
    program, verb, recipe, *words = shlex.split(command)
    assert (program, verb) == ("eqspike", "train")
    pairs = list(zip(words[::2], words[1::2], strict=True))
    seed = next((int(value) for key, value in pairs if key == "--seed"), None)
    assert {key for key, _ in pairs} <= {"--seed", "--set"}
    return resolve(recipe, changes_from([value for key, value in pairs if key == "--set"], seed=seed))


@settings(max_examples=20)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "seed": st.integers(0, 2**40),
            "tick_s": st.floats(1e-9, 1.0),
            "training.epochs": st.integers(0, 99),
            "network.projections.0.learning_rate": st.floats(0, 1),
            "network.hidden": st.lists(st.integers(1, 999), min_size=1, max_size=1),
            "rule.random_sign": st.booleans(),
            "data.name": st.text(
                st.characters(exclude_categories=["Cs", "Cc"], include_characters="\U00010000\"'"), min_size=1
            ),
            "data.train_limit": st.integers(1, 99),
        },
    )
)
def test_the_command_leads_to_the_same_specification(changes):
    spec = resolve("eqspike-digits", changes)
    command = command_of(spec)
    assert command is not None and _typed(command) == spec


@pytest.mark.parametrize("name", [*shipped_recipes()])
def test_a_shipped_recipe_is_its_own_command(name):
    assert command_of(resolve(name)) == f"eqspike train {name}"


def test_there_is_no_command_where_none_leads_there():
    assert command_of(resolve("eqspike-digits", {"name": "mine"})) is None
    from eqspike.training.spec import with_settings

    base = resolve("eqspike-mnist-100").model_dump(exclude_none=True)
    one = base["network"]["projections"][0]
    more = with_settings(base, {"network.hidden": [9, 9], "network.projections": [one, one, one]})
    command = command_of(resolve(more))
    assert command is None or _typed(command) == resolve(more)
