"""Neurons in continuous time: what is refused, with the field named."""

from __future__ import annotations

import pytest

from eqspike.core.errors import ConfigError
from eqspike.network.neurons import LIF


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tau_membrane_s", 0), ("tau_membrane_s", -0.01), ("refractory_s", -1e-3), ("tau_adaptation_s", 0),
        ("reset", "medium"), ("drive", float("inf")), ("v_threshold", float("nan")),
    ],
)  # fmt: skip
def test_fields_out_of_range_are_named(field: str, value) -> None:
    with pytest.raises(ConfigError) as error:
        LIF.parse({field: value}, origin="network.toml")
    assert error.value.field == f"network.toml: {field}"
    assert error.value.remedy


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"v_reset": 1.0}, "v_reset must lie below v_threshold"),
        ({"v_rest": 1.0, "v_reset": 0.0}, "v_rest must lie below v_threshold"),
        ({"reset": "soft", "refractory_s": 1e-3}, "a refractory time needs reset = 'hard'"),
        ({"adaptation_step": 0.1}, "adaptation_step needs tau_adaptation_s"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        LIF.parse(settings)


def test_a_neuron_without_a_time_constant_integrates() -> None:
    assert LIF(tau_membrane_s=None).tau_membrane_s is None
