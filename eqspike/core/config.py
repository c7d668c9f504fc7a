"""The validated base of everything a recipe can say; a mistake becomes a ConfigError that names its key."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Self

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
    first = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    field = f"{origin}: {path}" if origin else path
    if first["type"] == "extra_forbidden":
        known = _fields_at(config, first["loc"][:-1])
        close = get_close_matches(str(first["loc"][-1]), known, 1)
        hint = f"Did you mean '{close[0]}'?" if close else f"Known here: {', '.join(known)}."
        return ConfigError("there is no such setting.", field=field, remedy=hint)
    if first["type"] == "missing":
        return ConfigError("this setting is missing.", field=field, remedy="Add it to the recipe.")
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    found = f" (found {first['input']!r})" if not isinstance(first["input"], Mapping) else ""
    return ConfigError(f"{message}{found}.", field=field, remedy="Change the value.")


def _fields_at(config: type[Config], path: tuple) -> list[str]:
    """Return the names of the settings in the group that ``path`` leads to."""
    for part in path:
        if isinstance(part, int) or part not in config.model_fields:
            continue
        annotation = config.model_fields[part].annotation
        inner = [a for a in (annotation, *getattr(annotation, "__args__", ())) if isinstance(a, type)]
        groups = [a for a in inner if issubclass(a, Config)]
        if not groups:
            return []
        config = groups[0]
    return list(config.model_fields)
