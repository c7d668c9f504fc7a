"""Measurements: tables that are read and refused by name, and how agreement with a rule is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eqspike.analysis.stdp import Measurements, isolated_pair, pair_protocol, read_measurements, with_measurements
from eqspike.analysis.stdp_measured import compare_measured
from eqspike.analysis.stdp_rules import rule_named
from eqspike.core.errors import ConfigError, DataError
from eqspike.learning.eqspike import EqSpike
from eqspike.learning.stdp import PairSTDP, TripletSTDP


def table(folder: Path, text: str) -> Path:
    path = folder / "mine.csv"
    path.write_bytes(text.encode("utf-8"))
    return path


def test_seconds_and_milliseconds_are_the_same(tmp_path: Path) -> None:
    first = read_measurements(table(tmp_path, "difference_s,change,error\n0.01,0.2,0.1\n-0.02,-0.1,0.05\n"), "pair")
    again = read_measurements(
        table(tmp_path, "\ufeffnotes, error ,difference_ms,change\r\n\r\na,0.1,10,0.2\r\nb,0.05,-20,-0.1\r\n"), "ramp"
    )
    for found in (first, again):
        assert found.coordinates["difference_s"] == pytest.approx([0.01, -0.02])
        assert found.change.tolist() == [0.2, -0.1]
        assert found.error.tolist() == [0.1, 0.05]


@pytest.mark.parametrize(
    ("protocol", "text", "words"),
    [
        ("pair", "", "0 rows"),
        ("pair", "difference_s,change\n", "0 rows"),
        ("pair", "dt,change\n1,2\n", "difference_s: there is no such column; found: dt, change"),
        ("pair", "difference_s,difference_ms,change\n1,2,3\n", "there twice"),
        ("pair", "change,change,difference_s\n1,2,3\n", "change: the column is there twice"),
        ("pair", "difference_s,change\n0.01,much\n", "change, row 1: 'much' is no number"),
        ("pair", "difference_s,change\n0.01,1\n0.02\n", "change, row 2"),
        ("pair", "difference_s,change\n0.01,nan\n", "no number"),
        ("pair", "difference_s,change\n25,0.1\n", "milliseconds"),
        ("pair", "difference_s,change,error\n0.01,1,0\n", "error, row 1: a standard error must be above zero"),
        ("frequency", "difference_s,change\n0.01,1\n", "rate_hz"),
        ("frequency", "rate_hz,difference_s,change\n-1,0.01,1\n", "rate_hz, row 1"),
        ("triplet", "first_s,second_s,change\n0.01,0.02,1\n", "make no triplet"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(tmp_path: Path, protocol: str, text: str, words: str) -> None:
    with pytest.raises(DataError, match=r"mine\.csv") as error:
        read_measurements(table(tmp_path, text), protocol)
    assert words in str(error.value)


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    binary = tmp_path / "mine.csv"
    binary.write_bytes(bytes(range(256)) * 40)
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as file:
        file.truncate(2**40)  # holes only
    for path in (binary, huge, tmp_path, tmp_path / "missing.csv"):
        with pytest.raises(DataError):
            read_measurements(path, "pair")


@given(st.binary(max_size=300))
def test_no_bytes_bring_the_reader_down(tmp_path_factory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(b"difference_s,change\n" + content)
    try:
        found = read_measurements(path, "pair")
    except DataError:
        return
    assert np.isfinite(found.change).all()


numbers = st.floats(-5, 5).map(lambda x: x or 1.0)


@given(st.lists(st.tuples(numbers, numbers, st.floats(0.01, 9)), min_size=1, max_size=20))
def test_tables_round_trip(tmp_path_factory, rows) -> None:
    path = tmp_path_factory.getbasetemp() / "round.csv"
    lines = "".join(f"{dt!r},{change!r},{error!r}\n" for dt, change, error in rows)
    path.write_text(f"difference_s,change,error\n{lines}")
    found = read_measurements(path, "pair")
    read = zip(found.coordinates["difference_s"].tolist(), found.change.tolist(), found.error.tolist(), strict=True)
    assert list(read) == rows


def test_a_factor_is_fitted_by_the_errors() -> None:
    measured = Measurements("mine", {"x": np.array([1.0, 2.0, 3.0])}, np.array([2.0, 4.0, 60.0]), np.array([1, 1, 1e6]))
    found = compare_measured(measured, lambda x: x, free_scale=True)
    assert found.scale == pytest.approx(2.0, rel=1e-6)
    assert found.scale_error == pytest.approx(1 / np.sqrt(5), rel=1e-6)
    assert found.factor == found.scale
    assert found.chi_squared == pytest.approx(0, abs=1e-6)
    assert found.signs == (2, 2), "the third is not surely different from zero"
    as_it_is = compare_measured(measured, lambda x: x)
    assert as_it_is.factor == 1.0
    assert as_it_is.chi_squared == pytest.approx((1 + 4) / 3, rel=1e-3)


def test_a_rule_that_does_nothing_or_was_not_asked_has_no_factor() -> None:
    measured = Measurements("mine", {"x": np.array([1.0])}, np.array([2.0]))
    silent = compare_measured(measured, lambda x: 0.0, free_scale=True)
    assert (silent.scale, silent.factor, silent.signs) == (None, 1.0, (0, 1))
    unknown = compare_measured(measured, lambda x: np.nan)
    assert (unknown.rms, unknown.signs) == (None, (0, 0))
    json.dumps([silent.to_dict(), unknown.to_dict()], allow_nan=False)


def test_measurements_stand_beside_results() -> None:
    measured = Measurements("mine", {"difference_s": np.array([0.01, -0.01, 9.0])}, np.array([0.2, -0.1, 0.0]))
    window = with_measurements(isolated_pair(PairSTDP()), measured, free_scale=False)
    said = json.loads(json.dumps(window.to_dict(), allow_nan=False))["measured"]
    assert said["predicted"] == [pytest.approx(0.01 * np.exp(-0.5)), pytest.approx(-0.012 * np.exp(-0.5)), None]
    found = pair_protocol(PairSTDP(), measured=measured).to_dict()
    assert found["measured"]["predicted"][0] == pytest.approx(0.6 * np.exp(-0.5))
    assert found["unit"] == "weight"


def test_rules_are_found_by_name_and_in_recipes(tmp_path: Path) -> None:
    assert isinstance(rule_named("eqspike").rule, EqSpike)
    changed = rule_named("triplet-stdp", {"tau_y": 0.04}).rule
    assert isinstance(changed, TripletSTDP)
    assert changed.tau_y == 0.04
    assert rule_named("eqspike-digits").tick_s == 1e-6
    assert rule_named("stdp-competition").rule.A_plus == 1.2e-6
    own = tmp_path / "own.toml"
    own.write_text(
        'name = "own"\nprojections = []\nlayers = [{ name = "a", size = 1, poisson = { rate_hz = 1.0 } }]\n'
        '[rule]\nname = "pair-stdp"\ntau_plus = 0.011\n'
    )
    assert rule_named(str(own)).rule.tau_plus == 0.011


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("pair-sdtp", {}, "pair-stdp"),
        ("hopfield-1", {}, "does not pair spike times"),
        ("brunel-1k", {}, "has no rule"),
        ("missing.toml", {}, "no such file"),
        ("pair-stdp", {"tau": 1.0}, "tau"),
        ("pair-stdp", {"tau_plus": -1.0}, "tau_plus"),
    ],
)
def test_rules_that_do_not_exist(name: str, settings: dict, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        rule_named(name, settings)
    assert words in str(error.value)
