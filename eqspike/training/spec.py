"""RunSpec: everything that decides what a run computes, whatever substrate it runs on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from eqspike.core.config import Config
from eqspike.core.errors import ConfigError
from eqspike.network.description import Network

if TYPE_CHECKING:
    from eqspike.core.protocols import Substrate


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


class RunSpec(Config, ABC):
    """A run, resolved: equal specifications give bit-identical results.

    ``tick_s`` is the time that one tick, or one iteration of settling, emulates; static energy and every time axis hang
    on it. Each substrate has a specification of its own.
    """

    name: str = Field(min_length=1)
    title: str = ""
    seed: int = Field(1, ge=0, lt=2**63)
    tick_s: float = Field(1e-3, gt=0)
    data: DataSettings = DataSettings()
    probes: ProbeSettings = ProbeSettings()

    @property
    @abstractmethod
    def precision(self) -> int:
        """Bits of weights and states."""

    @property
    @abstractmethod
    def batch(self) -> int:
        """Samples that are learnt from together."""

    @abstractmethod
    def rate_scale(self, epoch: int) -> float:
        """Return the factor on every learning rate in ``epoch``, counted from 0."""

    @abstractmethod
    def build_network(self, image_shape: tuple[int, ...], n_classes: int) -> Network:
        """Return the network for images of ``image_shape`` in ``n_classes`` classes."""

    @abstractmethod
    def build_substrate(self, network: Network, image_shape: tuple[int, ...]) -> Substrate:
        """Return the untrained ``network`` on its substrate."""

    @abstractmethod
    def kernels(self) -> str:
        """Return a key of the compiled code that the run needs: equal keys need compiling once."""


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
