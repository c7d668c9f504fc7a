"""Every array of a run file, declared once: where it lies, its type, its dimensions, its unit and its meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

SCHEMA_VERSION = 1
# One limit for all arrays of a file together: declared sizes are added up before anything is allocated.
MAX_BYTES = 2**34

_WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")
_REAL = ("float32", "float64")
_COUNT = ("int64",)
_FLAG = ("bool",)
_TEXT = ("text",)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class ArraySpec:
    """One declared array; ``{placeholders}`` of the path stand for one name and may occur in the dimensions.

    A dimension has one size in the whole file, so two arrays that share a dimension name are aligned along it.
    """

    path: str
    dtypes: tuple[str, ...]
    dimensions: tuple[str, ...]
    unit: str
    meaning: str

    @cached_property
    def pattern(self) -> re.Pattern:
        """The expression that a concrete path matches; its groups are the placeholders."""
        return re.compile(_PLACEHOLDER.sub(r"(?P<\1>[^/]+)", self.path))

    def dimensions_at(self, path: str) -> tuple[str, ...]:
        """Return the dimension names with the placeholders filled in from a concrete ``path``."""
        names = self.pattern.fullmatch(path).groupdict()
        return tuple(_PLACEHOLDER.sub(lambda found: names[found[1]], dimension) for dimension in self.dimensions)

    def problem_with(self, shape: tuple[int, ...] | None, dtype: np.dtype) -> str:
        """Say how an array of ``shape`` and ``dtype`` departs from the declaration; empty where it does not."""
        kind = "text" if dtype.kind == "S" else dtype.name
        if kind not in self.dtypes:
            return f"its type is {kind}, declared is {' or '.join(self.dtypes)}"
        if shape is None or len(shape) != len(self.dimensions):
            return f"its shape is {shape}, declared are the dimensions ({', '.join(self.dimensions)})"
        return ""


def _table(folder: str, dimensions: tuple[str, ...], *rows: tuple[str, tuple[str, ...], str, str]) -> list[ArraySpec]:
    return [ArraySpec(f"{folder}/{name}", dtypes, dimensions, unit, meaning) for name, dtypes, unit, meaning in rows]


SCHEMA: tuple[ArraySpec, ...] = (
    ArraySpec(
        "manifest",
        _TEXT,
        (),
        "none",
        "format, status and the sha256 of the values (little-endian, C order) of every other array, as JSON",
    ),
    ArraySpec("config", _TEXT, (), "none", "the resolved run specification, as JSON"),
    ArraySpec("environment", _TEXT, (), "none", "versions, platform, processor and time of creation, as JSON"),
    ArraySpec("results", _TEXT, (), "none", "final scalars of the run, as JSON"),
    ArraySpec("progress", _TEXT, (), "none", "where training stands, so that it can be resumed, as JSON"),
    *_table(
        "metrics",
        ("epoch",),
        ("epoch", _WHOLE, "1", "number of the epoch, from 1, over all tasks"),
        ("train_accuracy", _REAL, "1", "share of the training samples answered rightly during the epoch"),
        (
            "validation_accuracy",
            _REAL,
            "1",
            "share of the validation samples answered rightly after the epoch; mean over the tasks begun",
        ),
        ("learning_rate_scale", _REAL, "1", "factor of the schedule on every learning rate in the epoch"),
        ("seconds", _REAL, "s", "wall time of the epoch"),
    ),
    ArraySpec(
        "weights/{projection}",
        _REAL,
        ("pre[{projection}]", "post[{projection}]"),
        "1",
        "weight from each presynaptic neuron (row) to each postsynaptic neuron (column); zero where no synapse exists; "
        "the hidden one where a network stores fewer bits",
    ),
    ArraySpec(
        "kernels/{projection}",
        _REAL,
        ("row[{projection}]", "column[{projection}]", "pre_channel[{projection}]", "post_channel[{projection}]"),
        "1",
        "kernels of a convolution, from each presynaptic to each postsynaptic channel",
    ),
    ArraySpec(
        "backward/{projection}",
        _REAL,
        ("backward_weight[{projection}]",),
        "1",
        "separate backward weights, flattened, in the order of the forward ones",
    ),
    ArraySpec(
        "state/{name}",
        (*_REAL, *_WHOLE),
        ("state[{name}]",),
        "1",
        "what training goes on with beside the weights, flattened: the optimiser's memory, persistent states",
    ),
    ArraySpec("biases/{layer}", _REAL, ("neuron[{layer}]",), "1", "bias of each neuron, in units of the drive"),
    ArraySpec(
        "spikes_per_neuron/{layer}",
        _COUNT,
        ("phase", "neuron[{layer}]"),
        "1",
        "spikes of each neuron over the run; rows are the phases free, nudged, inference",
    ),
    ArraySpec("ledger/version", _COUNT, (), "none", "version of the ledger's counters"),
    ArraySpec("ledger/layer_names", _TEXT, ("layer",), "none", "rows of every table 'layers'"),
    ArraySpec("ledger/layer_counters", _TEXT, ("layer_counter",), "none", "columns of every table 'layers'"),
    ArraySpec("ledger/projection_names", _TEXT, ("projection",), "none", "rows of every table 'projections'"),
    ArraySpec(
        "ledger/projection_counters", _TEXT, ("projection_counter",), "none", "columns of every table 'projections'"
    ),
    ArraySpec("ledger/{phase}/layers", _COUNT, ("layer", "layer_counter"), "1", "counted events of each layer"),
    ArraySpec(
        "ledger/{phase}/projections",
        _COUNT,
        ("projection", "projection_counter"),
        "1",
        "counted events of each projection",
    ),
    ArraySpec("ledger/{phase}/ticks", _COUNT, (), "tick", "clock steps of the phase"),
    ArraySpec("ledger/{phase}/presentations", _COUNT, (), "1", "samples that the phase was run for"),
    *_table(
        "probes/spikes",
        ("spike",),
        ("sample", _WHOLE, "1", "sample during which the spike was emitted"),
        ("tick", _WHOLE, "tick", "tick of the spike, from 0 at the start of the sample's free phase"),
        ("layer", _WHOLE, "1", "layer of the neuron, a row of ledger/layer_names"),
        ("neuron", _WHOLE, "1", "neuron within its layer"),
    ),
    *_table(
        "probes",
        ("recorded_sample", "recorded_tick", "neuron[{layer}]"),
        ("potential/{layer}", _REAL, "1", "membrane potential at the end of each tick, in units of the threshold"),
        ("rate/{layer}", _REAL, "1/tick", "estimated firing rate at the end of each tick"),
    ),
    *_table(
        "probes/weight_trajectory/{projection}",
        ("synapse[{projection}]",),
        ("pre", _WHOLE, "1", "presynaptic neuron of each recorded synapse"),
        ("post", _WHOLE, "1", "postsynaptic neuron of each recorded synapse"),
    ),
    *_table(
        "probes/weight_trajectory/{projection}",
        ("time[{projection}]",),
        ("sample", _WHOLE, "1", "training samples presented before the weights were read"),
    ),
    *_table(
        "probes/weight_trajectory/{projection}",
        ("time[{projection}]", "synapse[{projection}]"),
        ("weight", _REAL, "1", "weight of each recorded synapse at each recorded time"),
    ),
    *_table(
        "probes/updates",
        ("update",),
        ("sample", _WHOLE, "1", "sample during which the update was computed"),
        ("tick", _WHOLE, "tick", "tick of the update, from 0 at the start of the sample's free phase"),
        ("projection", _WHOLE, "1", "projection of the synapse, a row of ledger/projection_names"),
        ("from_pre", _FLAG, "none", "whether a spike of the presynaptic neuron triggered the update"),
        ("pre", _WHOLE, "1", "presynaptic neuron"),
        ("post", _WHOLE, "1", "postsynaptic neuron"),
        ("value", _REAL, "1", "weight change that the rule asked for"),
    ),
    ArraySpec(
        "probes/task_accuracy",
        _REAL,
        ("epoch", "task"),
        "1",
        "share of each task's validation samples answered rightly after the epoch, also of tasks past and to come",
    ),
    ArraySpec("probes/tick_totals", _COUNT, ("layer", "tick"), "1", "spikes of each layer in each tick, all samples"),
)

FOLDERS = ("metrics", "weights", "kernels", "backward", "state", "biases", "spikes_per_neuron", "ledger", "probes")
TEXTS = ("config", "environment", "results", "progress")
ROOT_ATTRIBUTES = {
    "format": "always 'eqspike-run'",
    "schema_version": "version of this schema",
    "eqspike_version": "version of eqspike that wrote the file",
    "created": "UTC time at which the run's environment was collected",
    "status": "running, interrupted or complete",
}
DATASET_ATTRIBUTES = {
    "dimensions": "names of the dimensions, separated by commas",
    "unit": "unit of the values; 1 for pure numbers",
    "meaning": "what the values are",
}


def find_spec(path: str) -> ArraySpec | None:
    """Return the declaration that a concrete ``path`` matches, or None."""
    return next((spec for spec in SCHEMA if spec.pattern.fullmatch(path)), None)


def misaligned(shapes: Mapping[str, tuple[int, ...]]) -> tuple[str, str] | None:
    """Return (path, problem) of the first array that gives a dimension another size than an earlier array does."""
    sizes: dict[str, tuple[int, str]] = {}
    for path, shape in shapes.items():
        for dimension, size in zip(find_spec(path).dimensions_at(path), shape, strict=True):
            known, owner = sizes.setdefault(dimension, (size, path))
            if size != known:
                return path, f"its dimension {dimension} has size {size}, that of {owner} {known}"
    return None


def describe_schema() -> str:
    """Return the schema as a markdown table, one row per array."""
    rows = ["| array | type | dimensions | unit | meaning |", "|---|---|---|---|---|"]
    for spec in SCHEMA:
        dimensions = ", ".join(spec.dimensions) or "scalar"
        dtypes = "integer" if spec.dtypes == _WHOLE else " or ".join(spec.dtypes)
        rows.append(f"| `/{spec.path}` | {dtypes} | {dimensions} | {spec.unit} | {spec.meaning} |")
    rows += ["", "| root attribute | meaning |", "|---|---|"]
    rows += [f"| `{name}` | {meaning} |" for name, meaning in ROOT_ATTRIBUTES.items()]
    rows += ["", "| attribute of every array | meaning |", "|---|---|"]
    rows += [f"| `{name}` | {meaning} |" for name, meaning in DATASET_ATTRIBUTES.items()]
    return "\n".join(rows) + "\n"
