"""What the pages take from the code itself: names, commands, recipes, chips, the run file, and cells of tutorials.

Directives: ``public`` (every public name of a package), ``commands``, ``recipes``, ``chips``, ``run-file``, and
``cell`` (a cell of a tutorial's code and what it prints). Docstrings are read as this project writes them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module

import cells
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_MODULE = re.compile(r"\b(?:\w+\.)+(?=[A-Z])")
_MEMBERS = ("   :members:", "   :exclude-members: model_config")
_LISTS = ("Parameters", "Attributes", "Returns", "Raises")
_ERRORS = ("eqspike.core.errors", "hw_models.errors")


class Public(SphinxDirective):
    """Every public name of a package, by the room that it lives in."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        package = self.arguments[0]
        rooms: dict[str, list[str]] = {}
        for name in import_module(package).__all__:
            if name != "__version__":
                rooms.setdefault(_room(package, name), []).append(name)
        return self.parse_text_to_nodes(
            "\n".join(line for room, names in rooms.items() for line in _room_page(package, room, names)),
            allow_section_headings=True,
        )


class Commands(SphinxDirective):
    """Every command of the command line, with its arguments and options."""

    def run(self) -> list[nodes.Node]:
        import typer

        from eqspike.cli.app import app

        group = typer.main.get_command(app)
        made = []
        for name, command in group.commands.items():
            context = command.make_context(name, [], resilient_parsing=True)
            section = nodes.section(ids=[f"eqspike-{name}"])
            section += nodes.title(text=f"eqspike {name}")
            usage = " ".join(command.collect_usage_pieces(context))
            section += nodes.literal_block(text=f"eqspike {name} {usage}", language="none")
            section += [nodes.paragraph(text=" ".join(part.split())) for part in _paragraphs(command)]
            section += _options(command, context)
            made.append(section)
        return made


class Recipes(SphinxDirective):
    """The recipes and networks that ship."""

    def run(self) -> list[nodes.Node]:
        from eqspike.recipes import shipped_networks, shipped_recipes

        return [
            _table((head, what), [(name, settings["title"]) for name, settings in shipped().items()])
            for head, what, shipped in (
                ("recipe", "what it trains", shipped_recipes),
                ("network", "what it is", shipped_networks),
            )
        ]


class Chips(SphinxDirective):
    """The chips that ship."""

    def run(self) -> list[nodes.Node]:
        from hw_models import available_chips

        return [
            _table(("chip", "title", "what"), [(one.name, one.title, one.description) for one in available_chips()])
        ]


class RunFile(SphinxDirective):
    """Every array of a run file."""

    def run(self) -> list[nodes.Node]:
        from eqspike.recording.schema import SCHEMA

        rows = [(one.path, ", ".join(one.dimensions) or "scalar", one.unit, one.meaning) for one in SCHEMA]
        return [_table(("array", "dimensions", "unit", "meaning"), rows)]


class Cell(SphinxDirective):
    """A cell of a tutorial: ``cell:: NAME TITLE`` shows its code, and below what it prints."""

    required_arguments = 2
    option_spec = {"silent": directives.flag}  # noqa: RUF012  the form that docutils asks for

    def run(self) -> list[nodes.Node]:
        name, title = self.arguments
        for suffix in ("py", "txt"):
            self.env.note_dependency(str(cells.TUTORIALS / f"{name}.{suffix}"))
        made = [nodes.literal_block(text=cells.code(name)[title], language="python")]
        said = cells.printed(name).get(title)
        if said:
            made.append(nodes.literal_block(text=said, language="none", classes=["prints"]))
        return made


def _room(package: str, name: str) -> str:
    module = inspect.getmodule(getattr(import_module(package), name)).__name__
    return module.split(".")[1]


def _room_page(package: str, room: str, names: list[str]) -> list[str]:
    module = f"{package}.{room}"
    lines = [module, "-" * len(module), "", inspect.getdoc(import_module(module)) or "", ""]
    for name in names:
        kind = "autoclass" if inspect.isclass(getattr(import_module(package), name)) else "autofunction"
        lines += [f".. {kind}:: {package}.{name}", *(_MEMBERS if kind == "autoclass" else []), ""]
    return lines


def _paragraphs(command) -> list[str]:
    return [part for text in (command.help, command.epilog) if text for part in text.split("\n\n")]


def _options(command, context) -> list[nodes.Node]:
    records = (parameter.get_help_record(context) for parameter in command.get_params(context))
    rows = [record for record in records if record]
    return [_table(("argument or option", "what it does"), rows)] if rows else []


def _table(heads: tuple[str, ...], rows: list[tuple]) -> nodes.table:
    """Return a table whose first column is code."""
    group = nodes.tgroup(cols=len(heads))
    group += [nodes.colspec(colwidth=1) for _ in heads]
    head, body = nodes.thead(), nodes.tbody()
    head += _row([nodes.Text(text) for text in heads])
    body += [_row([nodes.literal(text=str(row[0])), *(nodes.Text(str(cell)) for cell in row[1:])]) for row in rows]
    group += [head, body]
    return nodes.table("", group)


def _row(contents: list[nodes.Node]) -> nodes.row:
    row = nodes.row()
    row += [nodes.entry("", nodes.paragraph("", "", content)) for content in contents]
    return row


def read_docstring(app: Sphinx, what: str, name: str, found: object, options: object, lines: list[str]) -> None:
    """Turn the sections of a docstring into lists and rubrics, and add the fields of validated settings."""
    made, section = [], ""
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if line and below.startswith("---"):
            section = line
            made += [f":{line}:", ""] if line in _LISTS else [f".. rubric:: {line}", ""]
        elif line.startswith("---"):
            continue
        elif section in _LISTS:
            made.append(_listed(section, line))
        else:
            made.append(line)
    lines[:] = made
    if inspect.isclass(found) and hasattr(found, "model_fields"):
        lines += _fields(found)


def _listed(section: str, line: str) -> str:
    """Return a line of a section of entries, each ``name : what it is`` or a name above what it is."""
    if not line or line.startswith(" ") or section == "Returns":
        return f"    {'  ' if section != 'Returns' else ''}{line.strip()}".rstrip()
    names, _, said = line.partition(" : ")
    entry = ", ".join(_named(section, name) for name in names.split(", "))
    return f"    * {entry}: {said}" if said else f"    * {entry}"


def _named(section: str, name: str) -> str:
    """Return an argument's name as code, an error's as a link to it."""
    module = next((m for m in _ERRORS if hasattr(import_module(m), name.rpartition(".")[2])), None)
    return f":exc:`~{module}.{name.rpartition('.')[2]}`" if section == "Raises" and module else f"``{name}``"


def _fields(model: type) -> list[str]:
    """Return a table of the fields of validated settings, those of settings within them by their dotted names."""
    if "Parameters" in (inspect.getdoc(model) or "") or not model.model_fields:
        return []
    lines = ["", ".. list-table::", "   :header-rows: 1", "", "   * - field", "     - type", "     - default"]
    for name, kind, default in _flat(model):
        lines += [f"   * - ``{name}``", f"     - ``{kind}``", f"     - {default}"]
    return [*lines, ""]


def _flat(model: type, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        if inspect.isclass(field.annotation) and getattr(field.annotation, "model_fields", None):
            yield from _flat(field.annotation, f"{prefix}{name}.")
            continue
        default = "required" if field.is_required() else f"``{field.get_default(call_default_factory=True)!r}``"
        kind = _MODULE.sub("", inspect.formatannotation(field.annotation))
        yield prefix + name, ", ".join([kind, *(_bound(rule) for rule in field.metadata)]), default


def _bound(rule: object) -> str:
    """Return a bound as one reads it: ``Gt(gt=0)`` is ``> 0``."""
    for name, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<=")):
        if hasattr(rule, name):
            return f"{sign} {getattr(rule, name)}"
    return repr(rule)


def short_signature(app: Sphinx, what: str, name: str, found: object, options: object, signature: str, returns: str):
    """Leave out the signature of validated settings: a table of their fields follows."""
    return ("", None) if inspect.isclass(found) and hasattr(found, "model_fields") else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    for name, directive in (
        ("public", Public),
        ("commands", Commands),
        ("recipes", Recipes),
        ("chips", Chips),
        ("run-file", RunFile),
        ("cell", Cell),
    ):
        app.add_directive(name, directive)
    app.connect("autodoc-process-docstring", read_docstring, priority=400)
    app.connect("autodoc-process-signature", short_signature)
    return {"parallel_read_safe": True}
