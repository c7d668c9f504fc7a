"""How to do a run again: its configuration, what it ran on, and one command, tried before it is shown."""

from __future__ import annotations

import json
import shlex
import tomllib
from itertools import chain

from eqspike.core.config import flat
from eqspike.core.errors import EqspikeError
from eqspike.core.html import facts, folded, table, tag
from eqspike.recipes import shipped_recipes
from eqspike.report.section import Section, scrolled
from eqspike.report.source import Source
from eqspike.training.api import resolve
from eqspike.training.spec import RunSpec


def configuration(source: Source) -> Section:
    """Return every setting of the run, and its network."""
    run = source.run
    settings = run.spec.model_dump(mode="json", exclude_none=True)
    layers = [(layer.name, layer.kind, " x ".join(map(str, layer.shape))) for layer in run.network.layers]
    said = [
        ("recipe", f"{run.spec.name}{f': {run.spec.title}' if run.spec.title else ''}"),
        ("substrate", run.spec.substrate),
        ("seed", run.spec.seed),
        ("data", f"{run.data['name']}, {run.data['checksum']}"),
        ("network", f"{run.network.synapses:,} synapses between {len(layers)} layers"),
    ]
    rows = [(key, json.dumps(value, ensure_ascii=False)) for key, value in flat(settings)]
    every = folded(
        f"All {len(rows)} settings", scrolled(table("Settings", ("setting", "value"), rows, left=2), "settings")
    )
    shown = table("Layers", ("layer", "kind", "neurons"), layers, left=2)
    return Section("configuration", "Configuration", (facts(said), scrolled(shown, "layers"), every))


def counted(source: Source) -> Section:
    """Return the ledger."""
    rows = [
        (phase, name, counter.replace("_", " "), f"{count:,}")
        for phase, name, counter, count in source.run.ledger.rows()
    ]
    if not rows:
        return Section("ledger", "Counted events", reason="Nothing was counted yet.")
    made = table("Ledger", ("phase", "of", "counter", "count"), rows, left=3)
    return Section("ledger", "Counted events", (folded(f"All {len(rows)} counts", scrolled(made, "ledger")),))


def reproduction(source: Source) -> Section:
    """Return the command that trains the same network again, and what it ran on."""
    run = source.run
    command = command_of(run.spec)
    if command is not None:
        said = [
            tag("p", "With the same versions, this command trains the same network again, weight for weight:"),
            tag("pre", tag("code", command)),
        ]
    else:
        settings = run.spec.model_dump(mode="json", exclude_none=True)
        said = [
            tag("p", "No single command says it. Save the configuration as settings.json and run this:"),
            tag("pre", tag("code", _PROGRAM)),
            folded("settings.json", tag("pre", tag("code", json.dumps(settings, indent=1, ensure_ascii=False)))),
        ]
    pages = shlex.join(["eqspike", "report", run.path.name if run.path else "run.h5", "--chip", source.asked])
    return Section(
        "again",
        "How to reproduce",
        (
            *said,
            tag("p", "And this writes the page:"),
            tag("pre", tag("code", pages)),
            tag("p", "The run was made on:"),
            facts((name, value) for name, value in run.environment.items()),
        ),
    )


_PROGRAM = 'import json, eqspike\neqspike.train(json.load(open("settings.json")), out="run.h5")'


def command_of(spec: RunSpec) -> str | None:
    """Return the command that trains ``spec`` from a shipped recipe, None where changes by key do not lead to it."""
    if spec.name not in shipped_recipes():
        return None
    wanted, base = (dict(flat(one.model_dump(mode="json", exclude_none=True))) for one in (spec, resolve(spec.name)))
    changes = {key: value for key, value in wanted.items() if base.get(key) != value}
    said = {key: json.dumps(value, ensure_ascii=False) for key, value in changes.items()}
    try:
        understood = {key: tomllib.loads(f"value = {text}")["value"] for key, text in said.items()}
        if resolve(spec.name, understood) != spec:
            return None
    except (EqspikeError, tomllib.TOMLDecodeError):
        return None
    words = (["--seed", text] if key == "seed" else ["--set", f"{key}={text}"] for key, text in said.items())
    return shlex.join(["eqspike", "train", spec.name, *chain.from_iterable(words)])
