"""``eqspike recipes``: the recipes that ship, or every setting of one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from eqspike.cli.options import JsonOption


def recipes(
    recipe: Annotated[
        str | None, typer.Argument(metavar="RECIPE", help="Recipe or TOML file whose settings to show.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the recipes, or show every setting of RECIPE: the keys that train --set takes."""
    from eqspike.cli.output import print_json

    document = _list() if recipe is None else _settings(recipe)
    if as_json:
        print_json(document)
    elif recipe is None:
        _show_list(document)
    else:
        _show_settings(recipe, document)


def _list() -> dict[str, Any]:
    from eqspike.recipes import shipped_recipes
    from eqspike.training.api import resolve

    specs = {name: resolve(name) for name in shipped_recipes()}
    return {
        "recipes": [
            {
                "name": name,
                "title": spec.title,
                "dataset": spec.data.name,
                "substrate": spec.substrate,
                "hidden": spec.model_dump(mode="json")["network"]["hidden"],
                "encoding": spec.encoding.kind if spec.substrate == "spiking" else None,
                "epochs": spec.training.epochs,
            }
            for name, spec in specs.items()
        ]
    }


def _settings(recipe: str) -> dict[str, Any]:
    from eqspike.training.api import resolve

    return {"recipe": recipe, "settings": resolve(recipe).model_dump(mode="json", exclude_none=True)}


def _show_list(document: Mapping) -> None:
    from eqspike.cli.output import stdout, table

    made = table("recipe", "what", "epochs", left=2)
    for entry in document["recipes"]:
        made.add_row(entry["name"], entry["title"], str(entry["epochs"]))
    console = stdout()
    console.print(made)
    console.print("eqspike recipes RECIPE shows every setting, eqspike train RECIPE trains it.", style="dim")


def _show_settings(recipe: str, document: Mapping) -> None:
    from rich.text import Text

    from eqspike.cli.output import stdout, table
    from eqspike.core.config import flat
    from eqspike.recipes import load_recipe

    declared = dict(flat(load_recipe(recipe)))
    made = table("setting", "value", "from", left=3)
    for key, value in flat(document["settings"]):
        made.add_row(Text(key), Text(json.dumps(value)), "recipe" if key in declared else "default")
    console = stdout()
    console.print(made)
    console.print(f"Change any of them with eqspike train {recipe} --set KEY=VALUE.", style="dim")
