"""What training says of itself while it goes on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a run is: ``stage`` is compile, train, validate or test; accuracies are None until known."""

    stage: str
    epoch: int
    epochs: int
    sample: int
    samples: int
    train_accuracy: float | None = None
    validation_accuracy: float | None = None
