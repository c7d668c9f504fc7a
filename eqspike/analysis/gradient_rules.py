"""Rules to be compared with a gradient: their names, what is expected of each, and the nudges each is tried with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eqspike.core.errors import ConfigError
from eqspike.learning.continual import ContinualEP
from eqspike.learning.contrastive import ContrastiveRule
from eqspike.learning.holomorphic import HolomorphicEP
from eqspike.training.hopfield_spec import SMOOTH

if TYPE_CHECKING:
    from eqspike.energies.model import Model
    from eqspike.training.spec import RunSpec

Rule = ContrastiveRule | HolomorphicEP | ContinualEP
POINTS = (1, 2, 4, 8)


def check_spec(spec: RunSpec) -> None:
    """Refuse a run that has no energy.

    Raises
    ------
    ConfigError
        if the run is not of an energy-based network with real-valued states.
    """
    if spec.substrate != "hopfield":
        raise ConfigError(
            f"a {spec.substrate} network has no smooth energy whose gradient its rule could be compared with.",
            field=spec.name,
            remedy="Name a recipe such as ep-512, or a run of one; for rules of spiking networks see eqspike stdp.",
        )


def rule_name(rule: Rule) -> str:
    """Return the name of a rule without its numbers but those that decide its order: ep-centered, holomorphic-4."""
    if isinstance(rule, HolomorphicEP):
        return f"holomorphic-{rule.points}"
    if isinstance(rule, ContinualEP) or rule.name == "contrastive":
        return rule.name
    return f"{rule.name}-{rule.nudging}"


def order(rule: Rule) -> int | None:
    """Return the power of beta with which the rule's error vanishes on smooth networks, None where it does not."""
    if isinstance(rule, HolomorphicEP):
        return rule.points
    if isinstance(rule, ContinualEP):
        return 1
    return None if rule.name != "ep" else 2 if rule.nudging == "centered" else 1


def default_rules(own: Rule, model: Model) -> list[Rule]:
    """Return the network's own rule and, at its beta, the others that its states allow; each name once."""
    beta, clamped = own.beta, min(own.beta, 1.0)
    others: list[Rule] = [ContrastiveRule(beta=beta, nudging=way) for way in ("positive", "negative", "centered")]
    if misfit(HolomorphicEP(points=max(POINTS)), model) is None:  # else only what centered nudges do already
        others += [HolomorphicEP(beta=beta, points=n) for n in POINTS]
    others += [ContrastiveRule(name="coupled", beta=clamped, nudging="centered")]
    others += [ContrastiveRule(name="contrastive", beta=1.0), ContinualEP(beta=beta)]
    unique = {rule_name(rule): rule for rule in others if misfit(rule, model) is None}
    unique.pop(rule_name(own), None)
    return [own, *unique.values()]


def misfit(rule: Rule, model: Model) -> str | None:
    """Return why the network cannot run the rule, None where it can."""
    if isinstance(rule, HolomorphicEP) and rule.points > 2 and (has_kinks(model) or model.clip):
        return "complex states need smooth activations, average pooling and no clipping"
    if isinstance(rule, ContinualEP) and (model.softmax or _pools(model)):
        return "continual learning is for dense layers without a softmax read-out"
    return None


def has_kinks(model: Model) -> bool:
    """Return whether activations or pooling have kinks."""
    return not set(model.activations) <= set(SMOOTH) or "max" in _pools(model)


def _pools(model: Model) -> set[str]:
    return {i.pool for i in model.interactions if hasattr(i, "pool")}


def ladder(rule: Rule, kinked: bool) -> tuple[float, ...]:
    """Return the nudges to try: errors go as beta to the rule's order, and must stay between rounding and large nudges.

    Networks with kinks, in activations or maxima, keep that law only until the nudge moves a unit across one, which in
    a large network takes little.
    """
    if rule.name == "contrastive":
        return (1.0,)
    n = order(rule) or 1
    low, high = (-4.0, -2.75) if n == 1 else (-3.0, -1.75) if n == 2 else (-6 / n, -2.5 / n)
    if kinked and n <= 2:
        low, high = (-5.0, -2.75) if n == 1 else (-4.25, -2.25)
    if rule.name == "continual":
        low, high = low + 0.5, high + 0.25
    return tuple(float(f"{beta:.3g}") for beta in np.logspace(low, high, 9 if kinked else 6))
