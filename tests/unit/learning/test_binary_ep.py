"""The rule of binary weights as data: what it must be given, and what it refuses."""

from __future__ import annotations

import pytest

from eqspike.core.errors import ConfigError
from eqspike.learning.binary_ep import BinaryEP

GIVEN = {"low_passes": [1e-4], "flip_thresholds": [5e-7], "bias_rates": [0.05]}


def test_defaults() -> None:
    rule = BinaryEP.parse(GIVEN)
    assert (rule.name, rule.beta, rule.random_sign) == ("binary-ep", 2.0, True)
    assert (rule.learn_scales, rule.scale_rates) == (False, [])


@pytest.mark.parametrize("missing", GIVEN)
def test_what_depends_on_the_network_must_be_given(missing: str) -> None:
    with pytest.raises(ConfigError, match="missing") as error:
        BinaryEP.parse({key: value for key, value in GIVEN.items() if key != missing})
    assert error.value.field == missing


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"beta": 0}, "beta", "greater than 0"),
        ({"beta": -1.0}, "beta", "greater than 0"),
        ({"beta": float("nan")}, "beta", "finite"),
        ({"low_passes": []}, "low_passes", "at least 1"),
        ({"low_passes": 1e-4}, "low_passes", "list"),
        ({"flip_thresholds": [float("inf")]}, "flip_thresholds.0", "finite"),
        ({"bias_rates": ["much"]}, "bias_rates.0", "number"),
        ({"random_sign": "perhaps"}, "random_sign", "boolean"),
        ({"flip_threshold": [1.0]}, "flip_threshold", "Did you mean 'flip_thresholds'"),
        ({"name": "ep"}, "name", "binary-ep"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict, field: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        BinaryEP.parse(GIVEN | changes)
    assert error.value.field == field
