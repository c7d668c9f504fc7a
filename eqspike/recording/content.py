"""What a run file says, as Python objects, and the same as arrays by path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from eqspike.core.ledger import LAYER_COUNTERS, LEDGER_VERSION, PROJECTION_COUNTERS
from eqspike.recording.schema import TEXTS, find_spec, misaligned

STATUSES = ("running", "interrupted", "complete")
# Fields of RunContent that are folders of arrays by name.
_ARRAY_FIELDS = ("metrics", "weights", "kernels", "backward", "state", "biases", "spikes_per_neuron", "probes")
_LEDGER_NAMES = ("layer_names", "layer_counters", "projection_names", "projection_counters")


@dataclass(frozen=True)
class RunSummary:
    """What can be said of a run without its arrays; the fields are those of :class:`RunContent`."""

    status: str
    config: dict
    environment: dict[str, str]
    results: dict
    progress: dict[str, int]


@dataclass(eq=False)
class RunContent:
    """A run: what was asked for, what came out, and what is needed to go on.

    Parameters
    ----------
    status : ``"running"`` (a checkpoint), ``"interrupted"`` or ``"complete"``.
    config : the resolved run specification, JSON types.
    environment : versions, platform and time, see :func:`eqspike.recording.current_environment`.
    results : final scalars, JSON types; finite numbers, or None.
    metrics : one value per epoch, (n_epochs,): ``epoch``, ``train_accuracy``, ``validation_accuracy``,
        ``learning_rate_scale``, ``seconds``.
    weights : (n_pre, n_post) by projection, float32 or float64.
    kernels : (k, k, c_in, c_out) by projection, of convolutions.
    backward : separate backward weights by projection, flattened.
    state : what training goes on with beside the weights, by name, flattened.
    biases : (n_neurons,) by layer; of a map (n_channels,).
    ledger : :meth:`eqspike.core.ledger.Ledger.to_dict`, or empty.
    spikes_per_neuron : (n_phases, n_neurons) int64 by layer.
    progress : where training stands: epoch, sample, right answers so far.
    probes : arrays by the path below ``probes/`` in the schema, such as ``spikes/tick`` or ``potential/hidden``.
    """

    status: str
    config: dict
    environment: dict[str, str] = field(default_factory=dict)
    results: dict = field(default_factory=dict)
    metrics: dict[str, np.ndarray] = field(default_factory=dict)
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    kernels: dict[str, np.ndarray] = field(default_factory=dict)
    backward: dict[str, np.ndarray] = field(default_factory=dict)
    state: dict[str, np.ndarray] = field(default_factory=dict)
    biases: dict[str, np.ndarray] = field(default_factory=dict)
    ledger: dict = field(default_factory=dict)
    spikes_per_neuron: dict[str, np.ndarray] = field(default_factory=dict)
    progress: dict[str, int] = field(default_factory=dict)
    probes: dict[str, np.ndarray] = field(default_factory=dict)


def to_arrays(content: RunContent) -> dict[str, np.ndarray]:
    """Return every array of ``content`` by its path in the file.

    Raises
    ------
    ValueError : the status is unknown, a value is not JSON, or an array does not follow the schema.
    """
    if content.status not in STATUSES:
        raise ValueError(f"status {content.status!r} is none of {', '.join(STATUSES)}")
    arrays = {name: _to_text(name, getattr(content, name)) for name in TEXTS}
    for folder in _ARRAY_FIELDS:
        for name, values in getattr(content, folder).items():
            arrays[f"{folder}/{name}"] = np.asarray(values)
    arrays |= _ledger_to_arrays(content.ledger)
    for path, array in arrays.items():
        _check_declared(path, array)
    wrong = misaligned({path: array.shape for path, array in arrays.items()})
    if wrong:
        raise ValueError(f"{wrong[0]}: {wrong[1]}")
    return arrays


def from_arrays(status: str, arrays: Mapping[str, np.ndarray]) -> RunContent:
    """Rebuild what :func:`to_arrays` took apart.

    Raises
    ------
    ValueError, KeyError : a text is not JSON, or a part of the ledger is missing.
    """
    folders = {
        folder: {
            path.removeprefix(f"{folder}/"): array for path, array in arrays.items() if path.startswith(f"{folder}/")
        }
        for folder in _ARRAY_FIELDS
    }
    texts = {name: from_text(name, arrays[name]) for name in TEXTS}
    return RunContent(status=status, ledger=_ledger_from_arrays(arrays), **folders, **texts)


def from_text(name: str, text: np.ndarray) -> dict:
    """Return the JSON object in a scalar text."""
    value = json.loads(bytes(text[()]))
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not a JSON object")
    return value


def _to_text(name: str, value: dict) -> np.ndarray:
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is not JSON: {error}") from error
    if not isinstance(value, dict) or json.loads(text) != value:
        raise ValueError(f"{name} must be a dict of JSON types: keys are text, sequences are lists")
    return np.array(text.encode())


def _check_declared(path: str, array: np.ndarray) -> None:
    spec = find_spec(path)
    if spec is None or {".", ".."} & set(path.split("/")) or "\0" in path:
        raise ValueError(f"{path}: no such array is declared in the schema")
    problem = spec.problem_with(array.shape, array.dtype)
    if problem:
        raise ValueError(f"{path}: {problem}")


def _ledger_to_arrays(ledger: Mapping) -> dict[str, np.ndarray]:
    if not ledger:
        return {}
    names = (ledger["layers"], LAYER_COUNTERS, ledger["projections"], PROJECTION_COUNTERS)
    arrays = {"ledger/version": np.array(ledger["version"], np.int64)}
    for name, values in zip(_LEDGER_NAMES, names, strict=True):
        arrays[f"ledger/{name}"] = np.array([value.encode() for value in values], "S" if values else "S1")
    for phase, counts in ledger["phases"].items():
        tables = {"layers": LAYER_COUNTERS, "projections": PROJECTION_COUNTERS}
        for table, counters in tables.items():
            arrays[f"ledger/{phase}/{table}"] = np.array(counts[table], np.int64).reshape(-1, len(counters))
        for scalar in ("ticks", "presentations"):
            arrays[f"ledger/{phase}/{scalar}"] = np.array(counts[scalar], np.int64)
    return arrays


def _ledger_from_arrays(arrays: Mapping[str, np.ndarray]) -> dict:
    stored = {path.removeprefix("ledger/"): array for path, array in arrays.items() if path.startswith("ledger/")}
    if not stored:
        return {}
    names = {name: [value.decode() for value in stored[name].tolist()] for name in _LEDGER_NAMES}
    counters = (names["layer_counters"], names["projection_counters"])
    if stored["version"] != LEDGER_VERSION or counters != (list(LAYER_COUNTERS), list(PROJECTION_COUNTERS)):
        raise ValueError("the ledger's counters are not those of this version")
    phases = dict.fromkeys(path.partition("/")[0] for path in stored if "/" in path)
    return {
        "version": LEDGER_VERSION,
        "layers": names["layer_names"],
        "projections": names["projection_names"],
        "phases": {
            phase: {
                name: stored[f"{phase}/{name}"].tolist() for name in ("ticks", "presentations", "layers", "projections")
            }
            for phase in phases
        },
    }
