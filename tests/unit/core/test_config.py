"""Settings and errors: a mistake names its key and what to do."""

from __future__ import annotations

import pytest
from pydantic import Field, ValidationError, model_validator

from eqspike.core import errors
from eqspike.core.config import Config
from eqspike.core.errors import ConfigError, EqspikeError


class Inner(Config):
    width: int = Field(3, ge=1)


class Group(Config):
    inner: Inner = Inner()
    several: tuple[Inner, ...] = ()
    needed: float

    @model_validator(mode="after")
    def _rule(self) -> Group:
        if self.needed == 13:
            raise ValueError("needed must not be 13")
        return self


@pytest.mark.parametrize(
    ("settings", "field", "words"),
    [
        ({}, "needed", "missing"),
        ({"needed": "x"}, "needed", "(found 'x')"),
        ({"needed": float("nan")}, "needed", "finite"),
        ({"needed": 1, "inner": {"width": 0}}, "inner.width", "greater than or equal to 1 (found 0)"),
        ({"needed": 1, "inner": {"wdth": 2}}, "inner.wdth", "Did you mean 'width'?"),
        ({"needed": 1, "several": [{}, {"width": 0}]}, "several.1.width", "(found 0)"),
        ({"needed": 1, "several": [{"weight": 1}]}, "several.0.weight", "there is no such setting"),
        ({"needed": 1, "colour": 2}, "colour", "Known here: inner, several, needed."),
    ],
)
def test_the_first_key_at_fault_is_named(settings: dict, field: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        Group.parse(settings)
    assert error.value.field == field
    assert words in str(error.value)
    assert error.value.remedy
    assert error.value.__suppress_context__


def test_a_broken_rule_says_which_in_its_own_words() -> None:
    with pytest.raises(ConfigError) as error:
        Group.parse({"needed": 13})
    assert str(error.value) == "needed must not be 13. Change the value."


def test_the_origin_leads() -> None:
    with pytest.raises(ConfigError) as error:
        Group.parse({"needed": 1, "inner": {"width": 0}}, origin="my.toml")
    assert error.value.field == "my.toml: inner.width"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Inner().width = 4


def test_errors_say_where_what_and_how_to_mend() -> None:
    error = EqspikeError("it is too large.", field="network.size", remedy="Make it smaller.")
    assert str(error) == "network.size: it is too large. Make it smaller."
    assert (error.field, error.problem, error.remedy) == ("network.size", "it is too large.", "Make it smaller.")
    assert str(EqspikeError("no.")) == "no."


def test_every_named_error_is_a_users_and_has_an_exit_code() -> None:
    named = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == errors.__name__]
    assert len(named) >= 8
    for kind in named:
        assert issubclass(kind, EqspikeError)
        assert kind.exit_code == (130 if kind is errors.Interrupted else 2)
