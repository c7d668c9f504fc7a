"""The recipes that ship with the package."""

from __future__ import annotations

import pytest

from eqspike.recipes import shipped_recipes
from eqspike.training.api import resolve


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_shipped_recipe_resolves_under_its_own_name(name: str) -> None:
    spec = resolve(name)
    assert spec.name == name
    assert spec.title


def test_the_recipes_of_the_readme_are_there() -> None:
    sizes = {"100": [100], "300": [300]}
    for size, hidden in sizes.items():
        assert resolve(f"eqspike-mnist-{size}").network.hidden == hidden
        assert resolve(f"eqspike-mnist-{size}").encoding.kind == "static"
        spiking = resolve(f"eqspike-mnist-{size}-spiking")
        assert spiking.network.hidden == hidden
        assert spiking.encoding.kind == "regular"
        assert spiking.network.projections[0].commit == "end_of_phase"
    immediate = resolve("eqspike-mnist-100-immediate")
    assert {synapse.commit for synapse in immediate.network.projections} == {"immediate"}
