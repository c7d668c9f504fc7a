"""A run beside its fair opponents: a rounded perceptron on the same chip, and on a graphics processor at its best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from eqspike.core.errors import ConfigError, RunFileError
from eqspike.costing.perceptron import Trained, perceptron_workload, train_perceptron
from eqspike.costing.run import workload_of
from eqspike.costing.verdict import CLAIM, Comparison, Contender, compared
from eqspike.data import Dataset
from eqspike.training.run import Run
from eqspike.training.tasks import curriculum_of
from hw_models import Chip, CostReport, load_chip, price
from hw_models.errors import HardwareError
from hw_models.workload import Workload

GPUS = ("gpu-a100", "gpu-h100")
EPOCHS = 50
ASSUMPTIONS = (
    "the perceptron has the hidden layers of the run; beside a convolutional one, a single layer with as many weights",
    "a perceptron's layer takes one tick of the chip; its biases are stored and written, and added free of charge",
    "the perceptron skips zeros: no MAC for a pixel or an activation that is zero; its activations are not rounded",
    "its learning: forward and backward MACs and those of gradients, every weight written once a batch; it learns in "
    "full precision and is priced at the run's weight bits",
    "to the run's accuracy: the run's own training samples, against those of the perceptron up to the epoch whose "
    "rounded weights first answer as many test samples rightly",
    "the GPU takes dense MACs at its best case: no host, no idle time, no memory traffic, as if a batch of one "
    "filled it",
    "activations travel free of charge: no packets are counted for a perceptron, nor for a run's real-valued states",
    "a ratio is the opponent's energy over the spiking network's; constants that both share move together",
)


@dataclass(frozen=True)
class Comparisons:
    """One run against its opponents on some chips, and on the other chips against the first (``between_chips``)."""

    run: str
    accuracy: float
    trained: Trained
    contenders: tuple[Contender, ...]
    comparisons: tuple[Comparison, ...]
    between_chips: tuple[Comparison, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON types."""
        trained = self.trained
        return {
            "run": self.run,
            "accuracy": self.accuracy,
            "perceptron": {
                "sizes": list(trained.network.sizes),
                "weight_bits": trained.bits,
                "accuracy": trained.accuracy,
                "accuracy_before_rounding": trained.exact_accuracy,
                "epochs": len(trained.history),
                "samples_to_accuracy": trained.samples_to(self.accuracy),
            },
            "contenders": [one.to_dict() for one in self.contenders],
            "comparisons": [one.to_dict() for one in self.comparisons],
            "between_chips": [one.to_dict() for one in self.between_chips],
            "published_claim": CLAIM,
            "assumptions": list(ASSUMPTIONS),
        }


def compare(
    run: Run, data: Dataset, chips: Sequence[Chip], *, tick_s: float | None = None, epochs: int = EPOCHS
) -> Comparisons:
    """Price ``run`` on every chip beside a perceptron of its size, on the same chip and on graphics processors.

    Parameters
    ----------
    data : the samples that the run was trained on; the perceptron learns from its training set.
    tick_s : seconds of one tick on ``chips``; by default each chip's own, else the recipe's.
    epochs : of the perceptron, at most.

    Raises
    ------
    ConfigError
        If the run learns several tasks.
    RunFileError
        If it has not been tested.
    """
    accuracy = run.results.get("test_accuracy")
    if accuracy is None or not run.ledger.phases["inference"].presentations:
        raise RunFileError("the run has not been tested.", field=str(run.path or run.spec.name), remedy="Train it.")
    if len(curriculum_of(run.spec, data).tasks) > 1:
        raise ConfigError(
            "it learns several tasks, the perceptron one.", field=run.spec.name, remedy="Compare a run of one task."
        )
    spiking = workload_of(run)
    bits = max(shape.weight_bits for shape in spiking.projections if not shape.name.startswith("bias->"))
    trained = train_perceptron(hidden_sizes(run), data, bits=bits, seed=run.spec.seed, epochs=epochs)
    reached = trained.samples_to(accuracy)
    seen = len(trained.history) * trained.epoch_samples
    skipping, dense = (perceptron_workload(trained, data, seen, run.spec.tick_s, dense=flag) for flag in (False, True))
    own_samples = run.ledger.phases["free"].presentations or None
    known = (trained.accuracy, reached)
    graphics = [_contender("perceptron, dense", dense, load_chip(name), None, *known) for name in GPUS]
    contenders, comparisons, everywhere = [], [], []
    for chip in chips:
        own = _contender(run.spec.name, spiking, chip, tick_s, accuracy, own_samples)
        rival = _contender("perceptron", skipping, chip, tick_s, *known)
        contenders, everywhere = [*contenders, own, rival], [*everywhere, own]
        comparisons += [compared(own, other) for other in (rival, *graphics)]
    between = tuple(compared(everywhere[0], other) for other in everywhere[1:])
    return Comparisons(run.spec.name, accuracy, trained, (*contenders, *graphics), tuple(comparisons), between)


def hidden_sizes(run: Run) -> tuple[int, ...]:
    """Return the hidden layers of a perceptron of the run's size.

    Those of the network where it is fully connected; of a convolutional one, a single layer with as many weights.
    """
    network = run.network
    first, last = network.layers[0].size, network.layers[-1].size
    if all(projection.kernel is None for projection in network.projections):
        return tuple(layer.size for layer in network.layers[1:-1])
    stored = sum(prod(network.stored(projection)) for projection in network.projections)
    return (max(1, round(stored / (first + last))),)


def _contender(
    name: str, workload: Workload, chip: Chip, tick_s: float | None, accuracy: float, samples: int | None
) -> Contender:
    """Price inference and learning apart, so that a chip that cannot learn still infers."""
    problems: list[str] = []
    reports = {}
    for quantity, learning in (("inference", False), ("learning", True)):
        phases = tuple(phase for phase in workload.phases if (phase.name != "inference") == learning)
        reports[quantity] = _priced(replace(workload, phases=phases), chip, tick_s, problems.append, quantity)
    return Contender(name, chip.name, accuracy, reports["inference"], reports["learning"], samples, tuple(problems))


def _priced(
    workload: Workload, chip: Chip, tick_s: float | None, complain: Callable[[str], None], what: str
) -> CostReport | None:
    try:
        report = price(workload, chip, tick_s)
    except HardwareError as error:
        complain(f"{what}: {error}")
        return None
    return report if report.phases else None
