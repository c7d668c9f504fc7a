"""The ledger of energy-based networks equals a recount by hand, tap by tap and value by value."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from reference.cases import counts_of

from eqspike.core.ledger import PHASES
from eqspike.learning.continual import ContinualEP
from eqspike.learning.contrastive import ContrastiveRule
from eqspike.learning.holomorphic import HolomorphicEP
from eqspike.network.description import Kernel
from eqspike.network.layered import layered_rate
from eqspike.substrates.hopfield.settings import Dynamics, Images, Optimiser
from eqspike.substrates.hopfield.substrate import HopfieldSubstrate

T, K, BATCH, N, CLASSES = 5, 3, 2, 5, 3  # the last mini-batch is half empty


def substrate(shape, hidden, rule, *, images=None, **network) -> HopfieldSubstrate:
    built = layered_rate(
        (images.size, images.size, 1) if images else shape, hidden, CLASSES, ("sigmoid", "sigmoid"),
        accumulates=rule.name != "continual", **network,
    )  # fmt: skip
    rates = Optimiser(learning_rates=[0.1] * len(built.projections))
    return HopfieldSubstrate(
        built, Dynamics(free_steps=T, nudged_steps=K), rule, rates, images or Images(),
        image_shape=shape, batch=BATCH, seed=3, precision=64,
    )  # fmt: skip


def samples(shape) -> tuple[np.ndarray, np.ndarray]:
    """Return images of which half the pixels are dark, and pixel 1 always, and labels."""
    rng = np.random.default_rng(4)
    images = rng.random((N, int(np.prod(shape)))) * (rng.random((N, int(np.prod(shape)))) < 0.5)
    images[:, 1] = 0
    return images, np.arange(N) % CLASSES


def taps(images: np.ndarray, kernel: Kernel) -> int:
    """Return how often a kernel's weight meets a value that is not zero, (batch, h, w, c), in kept positions."""
    count = 0
    _, height, width, _ = images.shape
    rows, columns = (extent + 2 * kernel.padding - kernel.size + 1 for extent in (height, width))
    if kernel.pool != "none":
        rows, columns = 2 * (rows // 2), 2 * (columns // 2)
    for row, column, i, j in product(range(rows), range(columns), range(kernel.size), range(kernel.size)):
        y, x = row + i - kernel.padding, column + j - kernel.padding
        if 0 <= y < height and 0 <= x < width:
            count += int(np.count_nonzero(images[:, y, x])) * kernel.channels
    return count


def recount(
    made: HopfieldSubstrate, images: np.ndarray, *, settlings: int, terms: int, clamped=False, passes=0
) -> Counter:
    """Return the counts of one epoch, writes of weights apart, from the definition of each counter.

    ``passes`` of real numbers are what the nudged settlings cost: a complex state is two.
    """
    network, total = made.network, Counter()
    n, states = len(images), network.layers[1 : 1 + len(made.plan.model.shapes)]
    steps = {"free": n * T, "nudged": n * K * settlings}
    for phase, ticks in steps.items():
        total[phase, "run", "ticks"] += ticks
        total[phase, "run", "presentations"] += n
        for layer in states[: -1 if clamped and phase == "nudged" else None]:
            total[phase, layer.name, "neuron_updates"] += ticks * layer.size
    for projection in network.projections:
        pre, post = network.layer(projection.pre), network.layer(projection.post)
        ones = np.ones((1, *pre.shape))
        given = images.reshape(n, *pre.shape) if pre.name == "input" else np.ones((n, *pre.shape))
        uses, once = (
            taps(values, projection.kernel) if projection.kernel else np.count_nonzero(values) * post.size
            for values in (given, ones)
        )
        name = projection.name
        if pre.name == "input":
            total["free", name, "macs_forward"] += uses
        elif projection.read_out:  # read for the answer, and at every nudged step for the force and back
            total["free", name, "macs_forward"] += n * once
            for way in ("forward", "backward"):
                total["nudged", name, f"macs_{way}"] += steps["nudged"] * once
        else:
            for phase, way in product(steps, ("forward", "backward")):
                held = clamped and phase == "nudged" and post is states[-1] and way == "forward"
                looks = n * K * passes if passes and phase == "nudged" else steps[phase]
                total[phase, name, f"macs_{way}"] += 0 if held else looks * once
        if projection.accumulates:
            ways = 1 if projection.symmetric or pre.name == "input" or projection.read_out else 2
            total["nudged", name, "accumulator_writes"] += ways * terms * uses
    return +total


def train(made: HopfieldSubstrate, images, labels) -> Counter:
    """Learn batch after batch; return how many values of each array changed."""
    changed = Counter()
    for first in range(0, N, BATCH):
        before = parameters(made)
        last = min(first + BATCH, N)
        made.train(images, labels, np.arange(N), first, last, scale=1.0, offset=0)
        for name, values in parameters(made).items():
            changed["nudged", name, "weight_writes"] += int((values != before[name]).sum())
    return +changed


def parameters(made: HopfieldSubstrate) -> dict[str, np.ndarray]:
    """Return every stored value by its row of the ledger; separate ways of an interaction share one."""
    weights, biases = made.get_weights()
    for name, backward in made.theta.get("backward", {}).items():
        weights[name] = np.stack([weights[name], backward])
    return weights | {f"bias->{name}": values for name, values in biases.items()}


CENTERED = ContrastiveRule(beta=0.5, nudging="centered")
KERNELS = [Kernel(channels=2, size=3, padding=1, pool="max"), Kernel(channels=3, size=2, padding=0, pool="none"), 4]
CASES = {
    "dense": ((3, 4), [5, 4], CENTERED, {}, 2, 2),
    "convolution": ((7, 5), KERNELS, ContrastiveRule(beta=0.5), {}, 1, 2),
    "coupled": ((3, 4), [5], ContrastiveRule(name="coupled", beta=0.5), {}, 1, 2),
    "read-out": ((3, 4), [5], CENTERED, {"softmax": True}, 2, 2),
    "separate": ((3, 4), [5, 4], CENTERED, {"tied": False}, 2, 2),
    "holomorphic": ((3, 4), [5], HolomorphicEP(beta=0.5, points=4), {}, 3, 3),
    "oscillating": ((3, 4), [5], HolomorphicEP(beta=0.5, points=3, periods=2), {}, 6, 3),
}


@pytest.mark.parametrize("name", CASES)
def test_training_and_inference_equal_a_recount(name: str) -> None:
    shape, hidden, rule, network, settlings, terms = CASES[name]
    made, (images, labels) = substrate(shape, hidden, rule, **network), samples(shape)
    writes = train(made, images, labels)
    passes = {"holomorphic": 4, "oscillating": 12}.get(name, 0)
    expected = recount(made, images, settlings=settlings, terms=terms, clamped=rule.name == "coupled", passes=passes)
    assert counts_of(made.ledger()) == expected + writes
    if not made.network.projections[0].kernel:
        bright = sum(int(images[k : k + BATCH].any(axis=0).sum()) for k in range(0, N, BATCH))
        assert writes["nudged", made.network.projections[0].name, "weight_writes"] == bright * 5
    made.clear_counts(*PHASES)
    made.infer(images)
    free = recount(made, images, settlings=1, terms=0)
    answered = {("inference", *rest): count for (phase, *rest), count in free.items() if phase == "free"}
    assert counts_of(made.ledger()) == answered


def test_continual_learning_writes_at_every_step_and_accumulates_nothing() -> None:
    shape, rule = (3, 4), ContinualEP(beta=0.5)
    made, (images, labels) = substrate(shape, [5], rule), samples(shape)
    train(made, images, labels)
    expected = recount(made, images, settlings=1, terms=0)
    bright = sum(int(images[k : k + BATCH].any(axis=0).sum()) for k in range(0, N, BATCH))
    batches = -(-N // BATCH)
    for row, values in {
        "input->hidden": bright * 5,
        "hidden->output": batches * 5 * CLASSES,
        "bias->hidden": batches * 5,
        "bias->output": batches * CLASSES,
    }.items():
        expected["nudged", row, "weight_writes"] = K * values
    assert counts_of(made.ledger()) == expected


def test_padded_images_are_dark_where_they_are_padded() -> None:
    made = substrate((3, 3), [4], ContrastiveRule(beta=0.5), images=Images(size=5))
    made.infer(np.ones((2, 9)))
    assert counts_of(made.ledger())["inference", "input->hidden", "macs_forward"] == 2 * 9 * 4
    assert made.network.layers[0].size == 25


def test_early_stop_counts_the_steps_taken() -> None:
    """A sample without input rests at once where biases are zero; others need more steps."""
    network = layered_rate((4,), [5], CLASSES, ("tanh", "tanh"))
    made = HopfieldSubstrate(
        network, Dynamics(free_steps=90, tolerance=1e-4, early_stop=True), CENTERED,
        Optimiser(learning_rates=[0.1, 0.1]), Images(), image_shape=(4,), batch=BATCH, bias_gain=0.0,
    )  # fmt: skip
    made.infer(np.zeros((1, 4)))
    assert counts_of(made.ledger())["inference", "run", "ticks"] == 1
    made.infer(np.vstack([np.zeros(4), np.ones(4)]))
    counts = counts_of(made.ledger())
    assert 2 + 3 < counts["inference", "run", "ticks"] < 90
    ticks = counts["inference", "run", "ticks"]
    assert counts["inference", "hidden", "neuron_updates"] == 5 * ticks
    assert counts["inference", "hidden->output", "macs_backward"] == 5 * CLASSES * ticks
