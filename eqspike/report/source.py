"""The run that a page is about, and what it takes to show more of it than its file holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from eqspike.core.errors import EqspikeError
from eqspike.core.ledger import PHASES
from eqspike.costing.run import workload_of
from eqspike.training.api import load_data
from eqspike.training.run import Run, check_data
from eqspike.training.tasks import Task, curriculum_of, face_task
from hw_models import Chip, CostReport, price
from hw_models.errors import HardwareError
from hw_models.workload import Workload


@dataclass(eq=False)
class Source:
    """A run, the chip that it is priced on, and how many test samples are presented once more to show its answers.

    ``asked`` is how the chip was asked for; ``unpriced`` says why learning has no price, once :attr:`cost` is known.
    """

    run: Run
    chip: Chip
    samples: int
    asked: str = ""
    unpriced: str = ""

    @cached_property
    def exam(self) -> Task | str:
        """The last task that the run is tested on, or why its samples are not at hand."""
        try:
            dataset = load_data(self.run.spec)
            check_data(self.run, dataset)
            return curriculum_of(self.run.spec, dataset).exams[-1]
        except EqspikeError as error:
            return f"The run's samples are not at hand: {error}"

    @cached_property
    def confusion(self) -> np.ndarray | str:
        """Labels (rows) by answers (columns) of the first test samples, or why they are not known."""
        if isinstance(self.exam, str):
            return self.exam
        run, test = self.run, self.exam.samples
        face_task(run.substrate, len(curriculum_of(run.spec, test).exams) - 1)
        images, labels = test.x_test[: self.samples], test.y_test[: self.samples]
        if not len(labels):
            return "The data set has no test samples."
        answers = run.substrate.infer(self.exam.shown(images), counted=False)
        counts = np.zeros((test.n_classes, test.n_classes), np.int64)
        np.add.at(counts, (labels, answers), 1)
        return counts

    @cached_property
    def cost(self) -> CostReport | str:
        """The counted events priced on the chip, those of inference alone where it cannot learn, or why not."""
        workload = workload_of(self.run)
        inference = tuple(phase for phase in workload.phases if phase.name == "inference" and phase.presentations)
        try:
            report = price(workload, self.chip, None)
        except HardwareError as error:
            if not inference:
                return f"What was counted has no price on {self.chip.name}: {error}"
            self.unpriced = str(error)
            return self._cost_of(replace(workload, phases=inference))
        return report if report.phases else "Nothing was counted yet."

    def _cost_of(self, workload: Workload) -> CostReport | str:
        try:
            return price(workload, self.chip, None)
        except HardwareError as error:
            return f"What was counted has no price on {self.chip.name}: {error}"

    @cached_property
    def each(self) -> dict[str, dict[str, np.ndarray]]:
        """Mean spikes of every neuron in a presentation, by phase and layer, of what has spiked."""
        ledger, counted = self.run.ledger, self.run.substrate.spikes_per_neuron()
        found: dict[str, dict[str, np.ndarray]] = {}
        for place, phase in enumerate(PHASES):
            n = ledger.phases[phase].presentations
            if n:
                found[phase] = {name: table[place] / n for name, table in counted.items() if table[place].any()}
        return {phase: layers for phase, layers in found.items() if layers}
