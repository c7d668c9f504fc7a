"""``eqspike datasets``: the data sets that are known by name."""

from __future__ import annotations

from dataclasses import asdict

from eqspike.cli.options import JsonOption


def datasets(as_json: JsonOption = False) -> None:
    """List the data sets, their sizes, licences, and where each would be read from."""
    from eqspike.cli.output import entry, print_json, stdout
    from eqspike.data import available_datasets

    found = available_datasets()
    if as_json:
        print_json({"datasets": [asdict(info) | {"image_shape": list(info.image_shape)} for info in found]})
        return
    console = stdout()
    for info in found:
        sizes = f"{info.n_train:,} training, {info.n_validation:,} validation, {info.n_test:,} test"
        rows = [
            ("what", info.description),
            ("images", f"{sizes}; {info.n_classes} classes"),
            ("found in", info.where),
            ("licence", info.licence),
            ("cite", info.citation),
        ]
        console.print(entry(info.name, rows))
    console.print("Your own: eqspike train --dataset FILE.npz (x_train, y_train, x_test, y_test).", style="dim")
