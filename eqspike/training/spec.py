"""RunSpec: everything that decides what a run computes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from eqspike.core.config import Config
from eqspike.core.errors import ConfigError
from eqspike.learning.eqspike import EqSpike
from eqspike.network.description import Network, Neuron, Synapse, layered
from eqspike.substrates.spiking.settings import Encoding, Phases


class DataSettings(Config):
    """Which samples: a named data set or an .npz file; ``validation`` images are held out of the training set.

    ``scale`` divides the pixels of an .npz file (``auto``: see the data set's own note). The limits keep the first
    samples only.
    """

    name: str = "digits"
    validation: int | None = Field(None, ge=0)
    scale: float | Literal["auto"] = "auto"
    train_limit: int | None = Field(None, ge=1)
    test_limit: int | None = Field(None, ge=1)


class NetworkSettings(Config):
    """Hidden layers, the neuron of all layers, and one synapse setting per projection, from the input on."""

    hidden: list[int] = Field([100], min_length=0)
    neuron: Neuron = Neuron()
    projections: list[Synapse] = Field(min_length=1)
    precision: Literal[32, 64] = 32

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        if any(n < 1 or n > 1_000_000 for n in self.hidden):
            raise ValueError("hidden layers have 1 to 1,000,000 neurons")
        if len(self.projections) != len(self.hidden) + 1:
            raise ValueError(
                f"{len(self.hidden)} hidden layers need {len(self.hidden) + 1} projections, not {len(self.projections)}"
            )
        return self


class TrainingSettings(Config):
    """Epochs, and the factor ``rate_decay`` that every learning rate is multiplied with after each."""

    epochs: int = Field(10, ge=0, le=100_000)
    rate_decay: float = Field(0.9, gt=0, le=1)
    checkpoint_s: float = Field(60.0, gt=0)


class ProbeSettings(Config):
    """What to record, each off unless asked.

    After training the first ``presentations`` test samples are presented once more as training presentations (free and
    nudged phase, weights left alone) with the chosen probes on. ``weight_trajectory`` keeps that many synapses of every
    projection, evenly spaced, ``trajectory_points`` times an epoch.
    """

    presentations: int = Field(0, ge=0)
    spikes: bool = False
    potentials: bool = False
    rates: bool = False
    tick_totals: bool = False
    updates: int = Field(0, ge=0, le=50_000_000)
    weight_trajectory: int = Field(0, ge=0)
    trajectory_points: int = Field(20, ge=1)

    @model_validator(mode="after")
    def _presentations(self) -> Self:
        asked = self.spikes or self.potentials or self.rates or self.tick_totals or self.updates > 0
        if asked and self.presentations == 0:
            raise ValueError("probes of states need presentations of at least 1")
        return self


class RunSpec(Config):
    """A run, resolved: equal specifications give bit-identical results.

    ``tick_s`` is the time that one tick emulates; static energy and every time axis hang on it.
    """

    name: str = Field(min_length=1)
    title: str = ""
    seed: int = Field(1, ge=0, lt=2**63)
    tick_s: float = Field(1e-3, gt=0)
    data: DataSettings = DataSettings()
    encoding: Encoding = Encoding()
    network: NetworkSettings
    rule: EqSpike = EqSpike()
    phases: Phases = Phases()
    training: TrainingSettings = TrainingSettings()
    probes: ProbeSettings = ProbeSettings()

    @model_validator(mode="after")
    def _nudged(self) -> Self:
        if self.training.epochs > 0 and self.phases.nudged_ticks == 0:
            raise ValueError("training needs phases.nudged_ticks of at least 1")
        return self

    def build_network(self, n_inputs: int, n_classes: int) -> Network:
        """Return the network for images of ``n_inputs`` pixels and ``n_classes`` classes."""
        sizes = [n_inputs, *self.network.hidden, n_classes]
        return layered(sizes, self.encoding.kind, self.network.neuron, self.network.projections)


def with_settings(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict:
    """Return ``settings`` with dotted keys replaced: {"training.epochs": 2, "network.projections.0.gain": 1.5}.

    Raises
    ------
    ConfigError
        if a key leads through something that is not a group, or to a list place that does not exist.
    """
    result = _copied(settings)
    for key, value in changes.items():
        *path, last = key.split(".")
        place = result
        for depth, part in enumerate(path):
            place = _step(place, part, ".".join(path[: depth + 1]), key)
        if isinstance(place, list):
            place[_index(place, last, key)] = value
        elif isinstance(place, dict):
            place[last] = value
        else:
            raise _no_group(key, ".".join(path))
    return result


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _step(place: Any, part: str, path: str, key: str) -> Any:
    if isinstance(place, list):
        return place[_index(place, part, key)]
    if not isinstance(place, dict):
        raise _no_group(key, path)
    return place.setdefault(part, {})


def _index(place: list, part: str, key: str) -> int:
    if not part.isdecimal() or int(part) >= len(place):
        raise ConfigError(
            f"'{part}' is no place in a list of {len(place)}.", field=key, remedy=f"Use 0 to {len(place) - 1}."
        )
    return int(part)


def _no_group(key: str, path: str) -> ConfigError:
    return ConfigError(f"'{path}' is a value, not a group of settings.", field=key, remedy="Shorten the key.")
