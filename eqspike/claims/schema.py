"""What a claim says: the cases to run, what was published of them and what this project expects."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from eqspike.core.config import Config
from eqspike.core.errors import ConfigError

CLAIM_FILE = "claim.toml"
TRAINING_QUANTITIES = (
    "test_accuracy",
    "validation_accuracy",
    "train_accuracy",
    "epochs",
    "seconds_per_epoch",
    "spikes_per_inference",
    "synaptic_events_per_inference",
    "macs_per_inference",
    "spikes_per_training_sample",
    "synaptic_events_per_training_sample",
    "macs_per_training_sample",
    "weight_writes_per_training_sample",
    "accumulator_writes_per_training_sample",
)
SUBSTRATE_QUANTITIES = (  # of some substrates
    "weight_flips_per_training_sample",
    "bits_per_weight",
    "first_task_kept",
    "first_task_test_accuracy",
    "last_task_test_accuracy",
)
GRADIENT_QUANTITIES = ("gradient_slope", "gradient_relative_error", "gradient_angle_degrees")
ENERGY_QUANTITIES = ("energy_per_inference_j", "energy_per_training_sample_j")
CHIPS = ("generic-45nm", "eqspike-analog-65nm")  # energies of every run are kept for these
QUANTITIES = TRAINING_QUANTITIES + SUBSTRATE_QUANTITIES + GRADIENT_QUANTITIES + ENERGY_QUANTITIES


def flattened(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested groups of settings as dotted keys: {"rule": {"beta": 1.0}} is {"rule.beta": 1.0}."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= flattened(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


class _Settings(Config):
    settings: dict[str, Any] = Field(default_factory=dict)

    @field_validator("settings", mode="before")
    @classmethod
    def _flat(cls, value: Any) -> Any:
        return flattened(value) if isinstance(value, Mapping) else value


class Source(Config):
    """Where a claim was published."""

    reference: str = Field(min_length=1)
    doi: str = ""


class Expectation(Config):
    """What is expected of the mean over the seeds of ``quantity``, a key of a run's results.

    With ``compare`` (the name of another case) the bounds hold for the difference to that case, or for the ratio, taken
    seed by seed. ``published`` is the source's own number and ``published_grade`` how well it is known; only the bounds
    decide, and without any the quantity is merely reported. ``aim`` is what would be better still.
    """

    quantity: Literal[QUANTITIES] = "test_accuracy"
    chip: str = ""
    published: float | None = None
    published_grade: str = ""
    compare: str | None = None
    by: Literal["difference", "ratio"] = "difference"
    at_least: float | None = None
    at_most: float | None = None
    below: float | None = None
    aim: float | None = None
    note: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.published is not None and not self.published_grade:
            raise ValueError("a published value needs a published_grade: how it is known")
        if self.compare is None and self.by == "ratio":
            raise ValueError("a ratio needs compare, the case to divide by")
        if self.quantity in ENERGY_QUANTITIES:
            if self.chip not in CHIPS:
                raise ValueError(f"{self.quantity} needs a chip: {', '.join(CHIPS)}")
        elif self.chip:
            raise ValueError(f"{self.quantity} has no chip")
        return self

    @property
    def bounds(self) -> dict[str, float]:
        """The bounds that are set, by name."""
        found = {name: getattr(self, name) for name in ("at_least", "at_most", "below")}
        return {name: value for name, value in found.items() if value is not None}


class Case(_Settings):
    """One configuration: a recipe (a name, or a .toml file in the claim's folder), changes to it, and seeds.

    ``measure`` "gradients" also compares the recipe's own rule with the true gradient once training has ended, which
    after 0 epochs is at the initial weights.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    recipe: str = Field(min_length=1)
    measure: Literal["training", "gradients"] = "training"
    seeds: list[int] = Field(min_length=1)
    expect: list[Expectation] = Field(default=[Expectation()], min_length=1)
    note: str = ""

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) != len(seeds) or min(seeds) < 0:
            raise ValueError("seeds must be different whole numbers of at least 0")
        return seeds

    @model_validator(mode="after")
    def _measured(self) -> Self:
        for expectation in self.expect:
            if expectation.quantity in GRADIENT_QUANTITIES and self.measure != "gradients":
                raise ValueError(f"{expectation.quantity} needs measure = 'gradients'")
        return self


class Quick(_Settings):
    """Changes to every case that make it run in seconds; only the first seed is run and nothing is compared."""


class Claim(Config):
    """A claim of a publication, and the cases that put it to the test; ``figure`` is what is drawn of them."""

    title: str = Field(min_length=1)
    statement: str = Field(min_length=1)
    source: Source
    figure: Literal["errors", "energies"] = "errors"
    quick: Quick = Quick()
    cases: list[Case] = Field(min_length=1)

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [case.name for case in self.cases]
        if len(set(names)) != len(names):
            raise ValueError("two cases have the same name")
        for case in self.cases:
            for expectation in case.expect:
                if expectation.compare in names and expectation.compare != case.name:
                    continue
                if expectation.compare is not None:
                    raise ValueError(f"case '{case.name}' is compared with '{expectation.compare}', no other case here")
        return self


def read_claim(folder: Path) -> Claim:
    """Return the claim in ``folder``.

    Raises
    ------
    ConfigError
        if the file is missing or no TOML, or a setting is unknown, missing or out of range.
    """
    path = folder / CLAIM_FILE
    try:
        settings = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError("there is no such file.", field=str(path), remedy="Name a claim's folder.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the claim cannot be read ({error}).", field=str(path), remedy="Check the file.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"this is not valid TOML: {error}.", field=str(path), remedy="Mend that line.") from None
    return Claim.parse(settings, origin=str(path))
