"""The first steps of the CIFAR-10 recipe on real images, at its full width."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import DataError
from eqspike.training import api


def test_the_full_network_learns_from_real_images() -> None:
    changes = {"training.batch": 2, "dynamics.free_steps": 12, "dynamics.nudged_steps": 4, "dynamics.tolerance": 0.0}
    spec = api.resolve(
        "scaling-ep-cifar10",
        {"data.validation": 0, "data.train_limit": 4, "data.test_limit": 2, "training.epochs": 1, **changes},
    )
    try:
        dataset = api.load_data(spec)
    except DataError:
        pytest.skip("needs CIFAR-10 in EQSPIKE_DATA or the cache")
    from eqspike.training.loop import train
    from eqspike.training.run import new_run

    run = new_run(spec, dataset)
    before = run.weights
    assert sum(values.size for values in before.values()) == 3_842_432  # + 1,418 biases = 3,843,850, as published
    train(run, dataset)
    for name, values in run.weights.items():
        assert np.isfinite(values).all()
        assert np.abs(values - before[name]).max() > 0, name
    assert run.ledger.total("nudged", "weight_writes") > 0
