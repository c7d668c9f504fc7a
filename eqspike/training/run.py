"""A run and what came out of it: settings, weights, metrics, ledger; to and from a run file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from eqspike.core.errors import ConfigError, RunFileError
from eqspike.core.html import facts, percent, table, whole
from eqspike.core.ledger import Ledger
from eqspike.core.notebook import card
from eqspike.core.protocols import Substrate
from eqspike.data import Dataset
from eqspike.network.description import Network
from eqspike.recording import RunContent, current_environment, read_run, write_run
from eqspike.training.spec import RunSpec
from eqspike.training.specs import parse_spec

METRICS = {
    "epoch": np.int64,
    "train_accuracy": np.float64,
    "validation_accuracy": np.float64,
    "learning_rate_scale": np.float64,
    "seconds": np.float64,
}

_EPOCHS_SHOWN = 10


@dataclass
class Run:
    """A run: ``results`` are its final scalars, ``metrics`` one value per epoch, ``ledger`` its counted events.

    ``progress`` says where training stands: ``epoch`` (finished ones), ``sample`` and ``correct`` of the present one.
    """

    spec: RunSpec
    network: Network
    substrate: Substrate
    data: dict[str, Any]
    status: str = "running"
    path: Path | None = None
    results: dict = field(default_factory=dict)
    metrics: dict[str, list] = field(default_factory=lambda: {name: [] for name in METRICS})
    progress: dict[str, int] = field(default_factory=lambda: {"epoch": 0, "sample": 0, "correct": 0})
    probes: dict[str, np.ndarray] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=current_environment)

    @property
    def ledger(self) -> Ledger:
        """Counted events: phases free and nudged of training, inference of the final test alone."""
        return self.substrate.ledger()

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Weights by projection: (n_pre, n_post), of convolutions (k, k, c_in, c_out)."""
        return self.substrate.get_weights()[0]

    @property
    def test_accuracy(self) -> float:
        """Share of the test samples answered rightly, looked at once, after training."""
        return self.results["test_accuracy"]

    def __str__(self) -> str:
        done = f"{self.progress['epoch']} of {self.spec.training.epochs} epochs"
        accuracy = self.results.get("test_accuracy")
        return f"{self.spec.name}, seed {self.spec.seed}, {self.status}, {done}" + (
            f", test accuracy {accuracy:.2%}" if accuracy is not None else ""
        )

    def _repr_html_(self) -> str:
        shown = ("epoch", "train_accuracy", "validation_accuracy", "seconds")
        epochs = list(zip(*(self.metrics[name][-_EPOCHS_SHOWN:] for name in shown), strict=True))
        rows = [
            (epoch, percent(train), percent(validation), f"{seconds:.3g}")
            for epoch, train, validation, seconds in epochs
        ]
        spikes = self.results.get("spikes_per_inference")
        said = [
            ("recipe", f"{self.spec.name}, seed {self.spec.seed}, on {self.data['name']}"),
            ("status", f"{self.status}, {self.progress['epoch']} epochs"),
            ("test accuracy", percent(self.results.get("test_accuracy"))),
            *([("spikes an inference", whole(spikes))] if spikes else []),
            ("run file", self.path or "none"),
        ]
        columns = ("epoch", "training accuracy", "validation accuracy", "seconds")
        learnt = [table(f"The last {len(rows)} epochs", columns, rows)] if rows else []
        return card("Run", facts(said), *learnt)

    def save(self, *, overwrite: bool = True) -> None:
        """Write the run file, if the run has one, atomically: the previous one survives any failure."""
        if self.path is None:
            return
        weights, biases = self.substrate.get_weights()
        content = RunContent(
            status=self.status,
            config=self.spec.model_dump(mode="json", exclude_none=True),
            environment=self.environment,
            results={"dataset": self.data, **self.results},
            metrics={name: np.array(values, METRICS[name]) for name, values in self.metrics.items()},
            weights={name: values for name, values in weights.items() if values.ndim == 2},
            kernels={name: values for name, values in weights.items() if values.ndim == 4},
            biases=biases,
            ledger=self.ledger.to_dict(),
            spikes_per_neuron=self.substrate.spikes_per_neuron(),
            state=self.substrate.training_state(),
            progress=self.progress,
            probes=self.probes,
        )
        write_run(self.path, content, overwrite=overwrite)


def new_run(spec: RunSpec, dataset: Dataset, path: Path | None = None) -> Run:
    """Return an untrained run of ``spec`` on ``dataset``."""
    data = {
        "name": dataset.name,
        "checksum": dataset.checksum,
        "image_shape": list(dataset.image_shape),
        "classes": dataset.n_classes,
    }
    return _build(spec, dataset.image_shape, dataset.n_classes, data, path)


def open_run(path: str | Path) -> Run:
    """Read a run back from its file.

    Raises
    ------
    RunFileError
        if the file is not a run file, or its parts contradict each other.
    """
    content = read_run(path)
    try:
        spec = parse_spec(content.config, origin=str(path))
        weights = content.weights | content.kernels
        stored = dict(content.results)
        data = stored.pop("dataset")
        # Files of the first releases say neither what shape an image has nor how many classes there are.
        shape = tuple(data.get("image_shape") or [weights["input->hidden"].shape[0]])
        classes = data.setdefault("classes", content.biases["output"].size)
        run = _build(spec, shape, classes, data, Path(path))
        if {p.name: run.network.stored(p) for p in run.network.projections} != {k: v.shape for k, v in weights.items()}:
            raise ValueError("the weights do not fit the network")
        run.substrate.set_weights(weights, content.biases)
        run.substrate.set_training_state(content.state)
        run.substrate.set_counts(Ledger.from_dict(content.ledger), content.spikes_per_neuron)
        run.metrics = {name: content.metrics[name].tolist() for name in METRICS}
    except (KeyError, ValueError, ConfigError) as error:
        raise RunFileError(
            f"the parts of this run file contradict each other ({error}).",
            field=str(path),
            remedy="Train again, or restore the file from a copy.",
        ) from None
    run.status, run.results, run.progress = content.status, stored, dict(content.progress)
    run.probes, run.environment = content.probes, content.environment
    return run


def check_data(run: Run, dataset: Dataset) -> None:
    """Refuse to go on with other samples than those that the run began with.

    Raises
    ------
    RunFileError
        if the data set's checksum differs.
    """
    if dataset.checksum != run.data["checksum"]:
        raise RunFileError(
            f"the run was trained on '{run.data['name']}' with {run.data['checksum']}, not on these samples.",
            field=str(run.path),
            remedy="Give it the same data set.",
        )


def _build(spec: RunSpec, image_shape: tuple[int, ...], n_classes: int, data: dict, path: Path | None) -> Run:
    network = spec.build_network(image_shape, n_classes)
    return Run(spec, network, spec.build_substrate(network, image_shape), data, path=path)
