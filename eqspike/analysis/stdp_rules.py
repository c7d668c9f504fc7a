"""Which rule a protocol runs, by name: a rule of its own, or that of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from eqspike.analysis.replay import default_rule
from eqspike.core.errors import ConfigError
from eqspike.learning.eqspike import EqSpike
from eqspike.learning.stdp import PairSTDP, TripletSTDP
from eqspike.recipes import load_network, load_recipe, shipped_networks, shipped_recipes

RULES: dict[str, type[EqSpike | PairSTDP | TripletSTDP]] = {
    "eqspike": EqSpike,
    "pair-stdp": PairSTDP,
    "triplet-stdp": TripletSTDP,
}
TICK_S = 1e-3


class Chosen(NamedTuple):
    """A rule and the seconds that one of its ticks emulates."""

    rule: EqSpike | PairSTDP | TripletSTDP
    tick_s: float


def rule_named(name: str = "eqspike", settings: Mapping[str, Any] | None = None) -> Chosen:
    """Return a rule by its name, or the rule of a recipe (shipped, or a TOML file), with ``settings`` changed.

    Parameters
    ----------
    name : ``eqspike``, ``pair-stdp``, ``triplet-stdp``, a training recipe or a network of ``eqspike simulate``.
    settings : parameters of the rule, such as ``{"tau_plus": 0.015}``.

    Raises
    ------
    ConfigError : there is no such rule or recipe, its rule knows no spike times, or a setting is wrong.
    """
    chosen = Chosen(default_rule(), TICK_S) if name == "eqspike" else _found(name)
    known = {**chosen.rule.model_dump(), **(settings or {})}
    return chosen._replace(rule=type(chosen.rule).parse(known, origin="--set"))


def _found(name: str) -> Chosen:
    if name in RULES:
        return Chosen(RULES[name](), TICK_S)
    if name in shipped_recipes() or (name not in shipped_networks() and Path(name).suffix == ".toml"):
        settings = load_recipe(name)
        return _of_network(settings, name) if "layers" in settings else _of_recipe(settings, name)
    if name in shipped_networks():
        return _of_network(load_network(name), name)
    known = (*RULES, *shipped_recipes(), *shipped_networks())
    close = get_close_matches(name, known, 1)
    hint = f"Did you mean '{close[0]}'?" if close else f"Rules: {', '.join(RULES)}; or name a recipe, a .toml file."
    raise ConfigError(f"there is no rule or recipe '{name}'.", field="--rule", remedy=hint)


def _of_recipe(settings: Mapping[str, Any], name: str) -> Chosen:
    from eqspike.training.specs import parse_spec

    spec = parse_spec(settings, origin=name)
    if not isinstance(spec.rule, EqSpike):
        raise ConfigError(
            f"the rule of a {spec.substrate} network does not pair spike times.",
            field=f"--rule {name}",
            remedy="Name a recipe of a spiking network; for energy-based ones: eqspike gradients RECIPE.",
        )
    return Chosen(spec.rule, spec.tick_s)


def _of_network(settings: Mapping[str, Any], name: str) -> Chosen:
    from eqspike.training.simulation_spec import parse_simulation

    spec = parse_simulation(settings, origin=name)
    if spec.rule is None:
        raise ConfigError("this network has no rule.", field=f"--rule {name}", remedy=f"Rules: {', '.join(RULES)}.")
    return Chosen(spec.rule, TICK_S)
