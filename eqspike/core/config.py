"""The validated base of everything a recipe can say; a mistake becomes a ConfigError that names its key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from eqspike.core.errors import ConfigError


class Config(BaseModel):
    """A frozen, strict group of settings: unknown keys, wrong types and values out of range are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @classmethod
    def parse(cls, settings: Mapping[str, Any], *, origin: str = "") -> Self:
        """Validate ``settings``; raise ConfigError naming the first key at fault, in ``origin`` (a file, an option)."""
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            raise _explained(cls, error, origin) from None


def _explained(config: type[Config], error: ValidationError, origin: str) -> ConfigError:
    errors = error.errors(include_url=False)
    alike = errors[0]["loc"][:-1]
    # Where a value may be a number or a group, the deepest complaint is about the one that was meant.
    first = max((e for e in errors if e["loc"][: len(alike)] == alike), key=lambda e: len(e["loc"]))
    names, group = _walk(config, first["loc"])
    field = ": ".join(part for part in (origin, ".".join(names)) if part)
    if first["type"] == "extra_forbidden":
        known = list(group.model_fields) if group else []
        close = get_close_matches(str(first["loc"][-1]), known, 1)
        hint = f"Did you mean '{close[0]}'?" if close else f"Known here: {', '.join(known)}."
        return ConfigError("there is no such setting.", field=field, remedy=hint)
    if first["type"] == "missing":
        return ConfigError("this setting is missing.", field=field, remedy="Add it to the recipe.")
    if first["type"] == "union_tag_invalid":
        tag, known, key = (first["ctx"][part].replace("'", "") for part in ("tag", "expected_tags", "discriminator"))
        return ConfigError(f"there is no '{tag}'.", field=f"{field}.{key}", remedy=f"Known: {known}.")
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    found = f" (found {first['input']!r})" if not isinstance(first["input"], Mapping) else ""
    return ConfigError(f"{message}{found}.", field=field, remedy="Change the value.")


def _walk(config: type[Config], place: tuple) -> tuple[list[str], type[Config] | None]:
    """Return the keys that lead to ``place``, without the tags of alternatives, and the group that holds the last."""
    names: list[str] = []
    group: type[Config] | None = config
    alternatives: list[type[Config]] = []
    for part in place:
        if isinstance(part, int):
            names.append(str(part))
        elif group and part in group.model_fields:
            names.append(part)
            if part == place[-1]:
                break
            alternatives = _groups(group.model_fields[part].annotation)
            group = alternatives[0] if len(alternatives) == 1 else None
        elif tagged := [one for one in alternatives if part == one.__name__ or part in _tags(one)]:
            group, alternatives = tagged[0], []
        elif group:
            names.append(part)
    return names, group


def _groups(annotation: Any) -> list[type[Config]]:
    """Return the groups of settings that a value of this type may be."""
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return [annotation]
    return [group for inner in get_args(annotation) for group in _groups(inner)]


def _tags(group: type[Config]) -> tuple:
    """Return the names, or kinds, that choose ``group`` among alternatives."""
    fields = [group.model_fields[key].annotation for key in ("name", "kind") if key in group.model_fields]
    return tuple(tag for field in fields for tag in get_args(field))


def flat(settings: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, value) of nested settings, places in lists of groups as numbers."""
    if isinstance(settings, Mapping):
        inner = settings.items()
    elif isinstance(settings, list) and settings and isinstance(settings[0], Mapping):
        inner = enumerate(settings)
    else:
        yield path, settings
        return
    for key, value in inner:
        yield from flat(value, f"{path}.{key}" if path else str(key))
