"""The feed-forward substrate at its borders: what it refuses, and what must not depend on how it is called."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from eqspike.core.errors import DataError
from eqspike.core.protocols import Substrate
from eqspike.data import load_dataset
from eqspike.training.api import resolve
from eqspike.training.tasks import KnowsTasks

N = 74  # seven mini-batches of 10 and a broken one


def made(**network):
    spec = resolve(
        {
            "name": "small",
            "substrate": "feedforward",
            "training": {"batch": 10},
            "network": {"hidden": [6, 5], "statistics": "running", **network},
        }
    )
    return spec.build_substrate(spec.build_network((8, 8), 10), (8, 8))


def learn(substrate, *borders):
    data, order = load_dataset("digits"), np.random.default_rng(0).permutation(N)
    answers = [
        substrate.train(data.x_train[:N], data.y_train[:N], order, a, b, scale=0.5, offset=0)
        for a, b in pairwise((0, *borders, N))
    ]
    return np.concatenate(answers)


def arrays(substrate):
    found = {**substrate.training_state()}
    for group in substrate.get_weights():
        found |= group
    return {name: values.tobytes() for name, values in found.items()}


def test_it_offers_what_training_asks_for() -> None:
    substrate = made()
    assert isinstance(substrate, KnowsTasks)
    assert all(hasattr(substrate, name) for name in vars(Substrate) if not name.startswith("_"))
    assert substrate.spikes_per_neuron() == {}


@pytest.mark.parametrize("weights", ["binary", "quantised"])
def test_borders_between_calls_change_nothing(weights: str) -> None:
    whole, parts = made(weights=weights), made(weights=weights)
    assert np.array_equal(learn(whole), learn(parts, 10, 50))
    assert arrays(whole) == arrays(parts)
    assert whole.ledger().to_dict() == parts.ledger().to_dict()


def test_no_samples_change_nothing() -> None:
    substrate = made()
    before = arrays(substrate)
    data = load_dataset("digits")
    substrate.train(data.x_train, data.y_train, np.arange(10), 0, 0, scale=1.0, offset=0)
    assert substrate.infer(data.x_test[:0]).shape == (0,)
    assert arrays(substrate) == before and not list(substrate.ledger().rows())


def test_what_does_not_fit_is_refused_before_anything_is_learnt() -> None:
    substrate, data = made(), load_dataset("digits")
    with pytest.raises(DataError, match=r"\(n, 64\)"):
        substrate.infer(data.x_test[:, :60])
    with pytest.raises(DataError, match="no class"):
        substrate.train(data.x_train, data.y_train + 9, np.arange(20), 0, 20, scale=1.0, offset=0)
    with pytest.raises(DataError, match="input->hidden1"):
        substrate.set_weights({"input->hidden1": np.zeros((3, 3))}, {})
    assert not list(substrate.ledger().rows())


def test_counts_are_kept_cleared_and_continued() -> None:
    substrate, other, data = made(), made(), load_dataset("digits")
    learn(substrate)
    substrate.infer(data.x_test[:30], counted=False)
    assert substrate.ledger().phases["inference"].presentations == 0
    substrate.infer(data.x_test[:30])
    counted = substrate.ledger()
    assert counted.phases["inference"].ticks == 30 * 3 and counted.total("inference", "neuron_updates") == 30 * 21
    assert counted.total("nudged", "neuron_updates") == counted.total("free", "neuron_updates") == N * 21
    other.set_counts(counted, {})
    other.clear_counts("inference")
    assert other.ledger().phases["inference"].presentations == 0
    assert other.ledger().total("free", "synaptic_events") == counted.total("free", "synaptic_events") > 0
    assert counted.phases["inference"].presentations == 30, "a ledger given away is a copy"


def test_seeds_and_names_decide_initial_weights() -> None:
    first, same = made(), made()
    assert arrays(first) == arrays(same)
    gains = first.training_state()["gain.0"]
    assert 0 <= gains.min() < gains.max() < 1
    assert first.diagnostics()["bits_per_weight"] == 1
    assert made(weights="quantised").diagnostics() == {"bits_per_weight": 8.0}
    assert made(weights="real").diagnostics() == {"bits_per_weight": 32.0}
