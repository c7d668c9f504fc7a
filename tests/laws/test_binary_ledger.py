"""The ledger of binary networks equals a recount from their states at each step, synapse by synapse."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from reference.binary_cases import Case, sign_of, signs_of
from reference.binary_recount import Recount
from reference.cases import counts_of

from eqspike.core.ledger import PHASES
from eqspike.substrates.binary.substrate import BinarySubstrate

pytestmark = pytest.mark.kernels
N, BATCH = 7, 3  # the last mini-batch is not full
SHAPES = {"one hidden layer": (11, 6, 8), "two hidden layers": (5, 9, 33, 4)}
RULE = {"gamma": 0.2, "tau": 5e-3, "rate_bias": 0.05, "rate_scale": 2e-3}


def stored(made: BinarySubstrate) -> dict[str, np.ndarray]:
    """Return signs and biases by their rows of the ledger."""
    names = [projection.name for projection in made.network.projections]
    biases = {f"bias->{name}": values for name, values in made.get_weights()[1].items()}
    return dict(zip(names, signs_of(made), strict=True)) | biases


def changes(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> Counter:
    """Return the counts of what a mini-batch wrote."""
    counts: Counter = Counter()
    for name, values in after.items():
        changed = int((values != before[name]).sum())
        counts["nudged", name, "weight_writes"] += changed
        if not name.startswith("bias"):
            counts["nudged", name, "weight_flips"] += changed
    return counts


@pytest.mark.parametrize("stop", ["rest", "schedule"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("setting", ["A", "B"])
def test_training_and_inference_equal_a_recount(setting: str, shape: str, stop: str) -> None:
    """Phases that come to rest and phases that do not, signs that flip, random nudges."""
    case = Case(setting, SHAPES[shape], batch=BATCH, gain=0.5, stop=stop, free_steps=8, nudged_steps=5, rule=RULE)
    made, images, labels = case.substrate(), case.images(N), case.labels(N)
    expected: Counter = Counter()
    spikes = {layer.name: np.zeros((3, layer.size), np.int64) for layer in made.network.layers[1:]}
    for first in range(0, N, BATCH):
        recount, before, last = Recount(made), stored(made), min(first + BATCH, N)
        for n in range(first, last):
            recount.train(images[n], labels[n], sign_of(made, first) * case.beta)
        made.train(images, labels, np.arange(N), first, last, scale=1.0, offset=0)
        expected += recount.counts + changes(before, stored(made))
        spikes = {name: values + recount.spikes[name] for name, values in spikes.items()}
    recount = Recount(made)
    for image in images:
        recount.infer(image)
    made.infer(images, threads=1)
    assert counts_of(made.ledger()) == +(expected + recount.counts)
    for name, values in made.spikes_per_neuron().items():
        assert np.array_equal(values, spikes[name] + recount.spikes[name])
    assert expected["nudged", made.network.projections[0].name, "weight_flips"] > 0
    if stop == "rest":
        steps = {"free": 8 * N, "nudged": 5 * N}
        assert any(0 < expected[phase, "run", "ticks"] < n for phase, n in steps.items())


@pytest.mark.parametrize("setting", ["A", "B"])
def test_counts_of_inference_depend_on_no_thread_and_no_border(setting: str) -> None:
    """150 samples are more than are handed to a thread together."""
    case = Case(setting, (6, 5, 4), free_steps=5)
    made, images = case.substrate(), case.images(150)
    answers, ledgers, spikes = [], [], []
    for threads, borders in ((1, []), (3, []), (2, [1, 64, 70, 149])):
        made.clear_counts(*PHASES)
        parts = [made.infer(part, threads=threads) for part in np.split(images, borders)]
        answers.append(np.concatenate(parts).tolist())
        ledgers.append(made.ledger().to_dict())
        spikes.append({name: values.tolist() for name, values in made.spikes_per_neuron().items()})
    assert answers[0] == answers[1] == answers[2]
    assert ledgers[0] == ledgers[1] == ledgers[2]
    assert spikes[0] == spikes[1] == spikes[2]
    made.infer(images, counted=False)
    assert made.ledger().to_dict() == ledgers[0]


def test_spikes_of_neurons_add_up_to_those_of_the_ledger() -> None:
    case = Case("B", (11, 40, 8), batch=BATCH)
    made, images, labels = case.substrate(), case.images(N), case.labels(N)
    made.train(images, labels, np.arange(N), 0, N, scale=1.0, offset=0)
    made.infer(images)
    found = made.spikes_per_neuron()
    for phase, name in enumerate(PHASES):
        assert sum(values[phase].sum() for values in found.values()) == made.ledger().total(name, "spikes") > 0
    for values in found.values():
        assert (values[0] >= N).all() and (values[2] >= N).all()  # every neuron begins active


def test_real_activations_send_no_spikes_and_binary_weights_multiply_nothing() -> None:
    for setting in ("A", "B"):
        case = Case(setting, (11, 6, 8), batch=BATCH)
        made, images, labels = case.substrate(), case.images(N), case.labels(N)
        made.train(images, labels, np.arange(N), 0, N, scale=1.0, offset=0)
        made.infer(images)
        for phase in PHASES:
            assert made.ledger().total(phase, "macs") == 0
            assert made.ledger().total(phase, "synaptic_events") > 0
            assert (made.ledger().total(phase, "spikes") > 0) == (setting == "B")
        assert bool(made.spikes_per_neuron()) == (setting == "B")
