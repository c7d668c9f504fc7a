"""The simulator in ticks equals its slow twin: spike for spike, potential, weight and count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from reference.simulation import Twin
from reference.simulation_cases import TICK_S, Case, assert_same_spikes, cases, counted

pytestmark = pytest.mark.kernels
FEW = settings(max_examples=settings.default.max_examples // 2)
PIECES = (70, 150)  # ticks; together more than the engine's window of 200


def assert_same(case: Case) -> None:
    """Let both run in two pieces and compare everything that can be seen."""
    engine, twin = case.start(), case.twin(Twin)
    for ticks in PIECES:
        assert engine.run(ticks * TICK_S).kind == "completed"
        twin.run(ticks)
        assert_same_spikes(engine, twin.spikes)
        for name, v in engine.potentials().items():
            np.testing.assert_allclose(v, twin.neurons[name].state[0], rtol=1e-9, atol=1e-9, err_msg=name)
        weights = engine.weights()
        for number, p in enumerate(case.network.projections):
            wanted = twin.weights(number, weights[p.name].shape)
            held = np.isfinite(wanted)  # a weight of no synapse: of a convolution's kernel beyond the image, or of none
            np.testing.assert_allclose(weights[p.name][held], wanted[held], rtol=1e-9, atol=1e-9, err_msg=p.name)
        assert counted(engine.ledger()) == +twin.counts


@FEW
@given(case=cases())
def test_networks_run_as_their_twin(case: Case) -> None:
    assert_same(case)


@FEW
@given(case=cases(learns=True))
def test_networks_learn_as_their_twin(case: Case) -> None:
    assert_same(case)
