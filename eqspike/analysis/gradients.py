"""How well a rule's estimate agrees with the true gradient of the cost, as the nudge beta falls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from eqspike.analysis.gradient_estimates import Estimate, Setting, estimate, settle_freely
from eqspike.analysis.gradient_references import REFERENCES, Reference
from eqspike.analysis.gradient_rules import (
    Rule,
    check_spec,
    default_rules,
    has_kinks,
    ladder,
    misfit,
    order,
    rule_name,
)
from eqspike.core.errors import ConfigError
from eqspike.data import Dataset
from eqspike.energies.backend import jax
from eqspike.training.run import Run

_FEWEST = 3  # points that a slope needs
_SMALL, _SHRUNK_AT_MOST = 3e-3, 10


@dataclass(frozen=True)
class Agreement:
    """How a rule compares with one reference gradient over all parameters.

    Parameters
    ----------
    rule, reference : names; ``reference_note`` says how the reference was computed.
    betas, relative_errors : nudges and |estimate - gradient| / |gradient|, None where a nudged phase did not settle.
    slope : of log error on log beta, over errors above rounding and nudges that cross no kink; None from fewer than
        three of them.
    expected_slope : what theory says of it; None where the rule is no gradient even as beta vanishes.
    beta : of the rule itself, at which ``relative_error`` and ``angle_degrees`` between the two hold.
    kinks_crossed : for each of ``betas``, whether the nudge moved a unit across a kink of its activation.
    own : whether this is the rule that the network learns by.
    settled : whether every phase of every sample settled.
    samples : how many settled freely; the others are left out.
    """

    rule: str
    reference: str
    betas: tuple[float, ...]
    relative_errors: tuple[float | None, ...]
    slope: float | None
    angle_degrees: float | None
    expected_slope: int | None
    beta: float
    relative_error: float | None
    kinks_crossed: tuple[bool, ...]
    own: bool
    settled: bool
    samples: int
    reference_note: str

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain JSON types."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def agreement(
    run: Run,
    dataset: Dataset,
    *,
    samples: int = 4,
    rules: Sequence[Rule] | None = None,
    betas: Sequence[float] | None = None,
    references: Sequence[str] = tuple(REFERENCES),
    on_progress: Callable[[str], None] | None = None,
) -> list[Agreement]:
    r"""Return how rules agree with the gradient of the mean cost at the free fixed point of a run's network.

    error(beta) = |estimate(beta) - dC/dtheta| / |dC/dtheta| ~ beta^n: n is 1 for one-sided, 2 for centered nudges and N
    for the N points of holomorphic Equilibrium Propagation. Coupled and contrastive learning keep an error as beta
    vanishes. With separate backward weights no rule follows a gradient, and nothing is expected.

    Everything is computed in 64 bits and settled to rounding, whatever the run's own precision and number of steps. C
    is the cost that vanishing nudges descend, see :func:`eqspike.energies.costs.descended_cost`: with nudges outside
    the activation it is not the squared error.

    Parameters
    ----------
    run : trained or not, of an energy-based network; it stays as it was.
    samples : the first so many training images, not augmented, are one mini-batch.
    rules : by default the run's own and, at its beta, the others that its network can run; "continual" changes its
        weights at every step, at a vanishing learning rate.
    betas : nudges for all rules but contrastive learning, which has none; by default a geometric ladder for each.
    references : "implicit", "bptt" (through as many steps as settling took) and "finite-differences" (components along
        random directions, whose error and angle stand for those of the whole).
    on_progress : told what is being computed.

    Raises
    ------
    ConfigError
        if the network has no energy, or an argument is unknown, out of range or does not fit the network.
    DataError
        if the images do not fit the network.

    References
    ----------
    Scellier and Bengio, Front. Comput. Neurosci. 11:24, 2017; Ernoult et al., NeurIPS 2019, arXiv:1905.13633; Laborieux
    and Zenke, NeurIPS 2022, arXiv:2209.00530.
    """
    check_spec(run.spec)
    tell = on_progress or (lambda said: None)
    own, model = run.spec.rule, run.substrate.plan.model
    compared = default_rules(own, model) if rules is None else list(rules)
    _check(compared, betas, references, run)
    with jax.enable_x64(True):
        tell("settling freely")
        setting = settle_freely(run, dataset, samples)
        gradients = []
        for name in references:
            tell(f"reference gradient: {name}")
            gradients.append(REFERENCES[name](setting) if setting.samples else Reference(name, "none", np.zeros(0)))
        found = []
        for place, rule in enumerate(compared, 1):
            tell(f"{rule_name(rule)} (rule {place} of {len(compared)})")
            tried = None if betas is None or rule.name == "contrastive" else tuple(float(beta) for beta in betas)
            tried = tried or _nudges(setting, rule, gradients[0])
            found += _compare(setting, rule, tried, gradients, own=rule == own)
    return found


def _check(rules: Sequence[Rule], betas: Sequence[float] | None, references: Sequence[str], run: Run) -> None:
    for name in references:
        if name not in REFERENCES:
            raise ConfigError(
                f"there is no reference '{name}'.", field="references", remedy=f"Known: {', '.join(REFERENCES)}."
            )
    if betas is not None and not (len(betas) and all(0 < beta < float("inf") for beta in betas)):
        raise ConfigError("nudges are numbers above zero.", field="betas", remedy="For example (0.001, 0.01, 0.1).")
    for rule in rules:
        problem = misfit(rule, run.substrate.plan.model)
        if problem:
            raise ConfigError(f"{problem}.", field=rule_name(rule), remedy="Leave this rule out.")


def _nudges(setting: Setting, rule: Rule, reference: Reference) -> tuple[float, ...]:
    """Return the rule's ladder; where the law is of high order, shrunk until its largest nudge is a small one.

    The power series in beta has a radius of convergence, which training shortens: there no power of beta helps.
    """
    betas = ladder(rule, has_kinks(setting.model))
    if (order(rule) or 0) <= 2 or "backward" in setting.theta or not setting.samples:
        return betas
    for _ in range(_SHRUNK_AT_MOST):
        made = estimate(setting, rule, betas[-1])
        if made.settled and (reference.error(made.values) or 0.0) <= _SMALL:
            break
        betas = tuple(float(f"{beta / 2**0.5:.3g}") for beta in betas)
    return betas


def _compare(
    setting: Setting, rule: Rule, betas: tuple[float, ...], references: Sequence[Reference], *, own: bool
) -> list[Agreement]:
    """Return a row for each reference; an estimate is computed once and not kept."""
    errors: list[list[float | None]] = [[] for _ in references]
    angles: list[float | None] = [None] * len(references)
    settled, crossed = setting.settled, []
    for beta in (*betas, rule.beta):
        made = estimate(setting, rule, beta) if setting.samples else Estimate(np.zeros(0), False, False)
        settled &= made.settled
        crossed.append(made.crossed)
        for k, reference in enumerate(references):
            errors[k].append(reference.error(made.values) if made.settled else None)
            angles[k] = reference.angle_degrees(made.values) if made.settled else None
    free_of_theory = "backward" in setting.theta
    return [
        Agreement(
            rule_name(rule),
            reference.name,
            betas,
            tuple(errors[k][:-1]),
            _slope(betas, errors[k][:-1], crossed[:-1], reference.floor),
            angles[k],
            None if free_of_theory else order(rule),
            rule.beta,
            errors[k][-1],
            tuple(crossed[:-1]),
            own,
            settled,
            setting.samples,
            reference.said,
        )
        for k, reference in enumerate(references)
    ]


def _slope(
    betas: Sequence[float], errors: Sequence[float | None], crossed: Sequence[bool], floor: float
) -> float | None:
    """Return the least-squares slope of log error on log beta, over the points that can tell it."""
    usable = [
        (beta, error)
        for beta, error, kink in zip(betas, errors, crossed, strict=True)
        if error is not None and error > floor and not kink
    ]
    if len({beta for beta, _ in usable}) < _FEWEST:
        return None
    x, y = np.log(np.array(usable)).T
    return float(np.polyfit(x, y, 1)[0])
