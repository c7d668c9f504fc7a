"""What a search may change: fields of a recipe, each with the values that it may take."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eqspike.core.errors import ConfigError
from eqspike.sweeps.sampling import Distribution
from eqspike.training.api import resolve
from eqspike.training.spec import RunSpec
from hw_models.chips.lines import Places

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Space = dict[str, Distribution]
TABLE = "space"
TUNED = ("learning_rate", "learning_rates", "beta", "low_passes", "flip_thresholds", "bias_rates")
FACTOR = 4.0


def default_space(spec: RunSpec) -> Space:
    """Return every learning rate, threshold and nudge of ``spec``, each from a quarter to four times what it is."""
    found = {
        key: Distribution(low=value / FACTOR, high=value * FACTOR, log=True)
        for key, value in _numbers(spec.model_dump(mode="json", exclude_none=True))
        if value > 0 and any(part in TUNED for part in key.split("."))
    }
    if not found:
        raise ConfigError("nothing to tune is known.", field=spec.name, remedy="Say what to change with --space.")
    return found


def read_space(source: str | Path | Mapping[str, Any], spec: RunSpec) -> Space:
    """Return the space in a TOML file, or in the same as a mapping: ``[space]``, a distribution for each dotted field.

    Raises
    ------
    ConfigError
        names line and key: the file cannot be read, a field is unknown to ``spec``, or has nothing to draw from.
    """
    where, text = ("space", "") if isinstance(source, Mapping) else (str(source), _text(Path(source)))
    document, lines = source, Places(text, where)
    if not isinstance(source, Mapping):
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"this is not valid TOML: {error}.", field=where, remedy="Mend that line.") from None
    table = document.get(TABLE)
    if list(document) != [TABLE] or not isinstance(table, Mapping) or not table:
        remedy = 'For example: [space], then "rule.beta" = {low = 0.5, high = 4.0, log = true}.'
        raise ConfigError("a search space has one table, [space].", field=where, remedy=remedy)
    return {".".join(path): _field(path, said, spec, lines) for path, said in _fields(table)}


def to_optuna(one: Distribution) -> BaseDistribution:
    """Return a distribution as Optuna has it; choices as their JSON text, of which it takes any."""
    from optuna import distributions

    if one.choices:
        return distributions.CategoricalDistribution([json.dumps(choice) for choice in one.choices])
    if one.integer:
        return distributions.IntDistribution(one.low, one.high, log=one.log)
    return distributions.FloatDistribution(one.low, one.high, log=one.log)


def from_optuna(one: Distribution, value: Any) -> Any:
    """Return the value of a field that Optuna chose."""
    return json.loads(value) if one.choices else value


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigError("there is no such file.", field=str(path), remedy="Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the file cannot be read ({error}).", field=str(path), remedy="Check the file.") from None


def _field(path: tuple[str, ...], said: Any, spec: RunSpec, lines: Places) -> Distribution:
    name = ".".join(path)
    place = lines.at(name, (TABLE, *path))
    try:
        found = Distribution.parse(said)
    except ValueError as error:
        remedy = "Give {low, high}, or a list of choices."
        raise ConfigError(f"{error}.", field=place, remedy=remedy) from None
    for value in found.choices or (found.low, found.high):
        try:
            resolve(spec, {name: value})
        except ConfigError as error:
            raise ConfigError(f"of {value!r}: {error.problem}", field=place, remedy=error.remedy) from None
    return found


def _fields(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping) and not {"low", "high"} & set(value):
            yield from _fields(value, (*path, key))
        else:
            yield (*path, key), value


def _numbers(settings: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Yield (dotted key, value) of every number that is not whole by type."""
    inner = settings.items() if isinstance(settings, Mapping) else enumerate(settings)
    for key, value in inner:
        if isinstance(value, Mapping | list):
            yield from _numbers(value, f"{path}{key}.")
        elif isinstance(value, float):
            yield f"{path}{key}", value
