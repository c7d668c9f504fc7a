"""Constants and published tables: what they hold, how curves are read, what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hw_models.errors import ConstantError, UnpricedError
from hw_models.report import Band
from hw_models.technology import Constant, Evidence, available_tables, load_table
from hw_models.technology.tables import Curve

ADDER = Constant(0.1, 0.05, 0.2, "pJ", "32-bit adder", "measured", "A paper, 2020", 2020, 45, 0.9)

# Horowitz, ISSCC 2014, the 45 nm table of the talk, pJ.
HOROWITZ_PJ = {
    ("int_add", 8): 0.03,
    ("int_add", 16): 0.05,
    ("int_add", 32): 0.1,
    ("int_mult", 8): 0.2,
    ("int_mult", 32): 3.1,
    ("float_add", 16): 0.4,
    ("float_add", 32): 0.9,
    ("float_mult", 16): 1.1,
    ("float_mult", 32): 3.7,
    ("sram_access", 8): 10,
    ("sram_access", 32): 20,
    ("sram_access", 1024): 100,
}
# CACTI 7, 45 nm, 64 bits, pJ: size in kB -> (read, write), to the two decimals of its printout.
CACTI_LSTP_PJ = {
    1: (1.67, 3.49),
    4: (3.39, 6.45),
    8: (6.14, 7.88),
    32: (17.04, 15.40),
    64: (25.87, 19.65),
    128: (32.29, 26.07),
    256: (44.72, 38.49),
    1024: (93.52, 76.18),
}
CACTI_LOP_PJ = {
    1: (0.79, 1.44),
    4: (2.34, 2.35),
    8: (3.16, 3.24),
    32: (7.23, 5.62),
    64: (13.07, 8.06),
    128: (15.54, 10.54),
    256: (20.31, 15.30),
    1024: (41.76, 29.74),
}


def test_units_are_read_as_si() -> None:
    assert ADDER.si.value == pytest.approx(1e-13)
    assert replace(ADDER, unit="uW/kB").si.high == pytest.approx(2e-7)
    assert replace(ADDER, unit="uW/kB").dimension == "W/kB"
    assert replace(ADDER, unit="1").si == Band(0.1, 0.05, 0.2)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"low": 0.2}, "value, low, high"),
        ({"high": 0.05}, "value, low, high"),
        ({"value": float("nan")}, "value, low, high"),
        ({"low": -1.0}, "value, low, high"),
        ({"value": True}, "value, low, high"),
        ({"unit": "pj"}, "unit"),
        ({"unit": "k1"}, "unit"),
        ({"unit": 5}, "unit"),
        ({"includes": " "}, "includes"),
        ({"source": ""}, "source"),
        ({"evidence": "guessed"}, "evidence"),
    ],
)
def test_a_bad_constant_names_its_field(change: dict, field: str) -> None:
    with pytest.raises(ConstantError) as caught:
        replace(ADDER, **change)
    assert caught.value.field == field
    assert caught.value.remedy


def test_grades_are_ordered_and_weak_ones_never_priced() -> None:
    names = ("unstated", "recalled", "projected", "derived", "simulated", "measured")
    assert [grade.rank for grade in map(Evidence, names)] == [0, 1, 2, 3, 4, 5]
    for name in names[2:]:
        replace(ADDER, evidence=name).require_priceable("adder")
    for name in names[:2]:
        with pytest.raises(UnpricedError, match="adder"):
            replace(ADDER, evidence=name).require_priceable("adder")


@pytest.mark.parametrize(("row", "at"), HOROWITZ_PJ)
def test_horowitz_rows_are_the_published_ones(row: str, at: int) -> None:
    constant = load_table("horowitz_2014_45nm").constant(row, at)
    assert constant.si.value == pytest.approx(HOROWITZ_PJ[row, at] * 1e-12, rel=1e-12)
    assert (constant.node_nm, constant.vdd) == (45, 0.9)


@pytest.mark.parametrize("kilobytes", CACTI_LSTP_PJ)
def test_cacti_rows_are_the_published_ones(kilobytes: int) -> None:
    for column, row in enumerate(("read", "write")):
        constant = load_table("cacti7_sram_45nm").constant(row, kilobytes)
        assert constant.evidence == "simulated"
        assert constant.value == pytest.approx(CACTI_LSTP_PJ[kilobytes][column], abs=0.0051)
        assert constant.low == pytest.approx(CACTI_LOP_PJ[kilobytes][column], abs=0.0051)


def test_the_high_bound_of_an_sram_bank_is_horowitz_line() -> None:
    access = load_table("horowitz_2014_45nm").rows["sram_access"]
    for kilobytes in (8, 32, 64, 128, 256, 1024):
        for row in ("read", "write"):
            high = load_table("cacti7_sram_45nm").constant(row, kilobytes).high
            assert high == pytest.approx(access.at(kilobytes).value, rel=2e-3)


@pytest.mark.parametrize("name", available_tables())
def test_every_row_of_every_table_is_complete(name: str) -> None:
    for row, curve in load_table(name).rows.items():
        for _, constant in curve.points:
            assert constant.includes and constant.band and constant.node_nm and constant.vdd, row
            assert "doi:" in constant.source
            assert constant.evidence.rank >= Evidence.PROJECTED.rank


def test_a_curve_is_straight_in_log_log() -> None:
    square = Curve("square", "bits", tuple((x, replace(ADDER, value=x * x, low=x, high=x**3)) for x in (2.0, 8.0)))
    middle = square.at(4.0)
    assert (middle.value, middle.low, middle.high) == pytest.approx((16.0, 4.0, 64.0))
    assert middle.evidence == "derived", "what lies between two measured points is not itself measured"


def test_below_the_smallest_point_its_price_holds_and_above_the_largest_nothing_is_priced() -> None:
    table = load_table("cacti7_sram_45nm")
    assert table.constant("read", 0.25) == table.constant("read", 1)
    with pytest.raises(ConstantError, match="1024 kB"):
        table.constant("read", 2048)
    with pytest.raises(ConstantError, match="curve over kB"):
        table.constant("read")


def test_unknown_tables_and_rows_are_named() -> None:
    with pytest.raises(ConstantError, match="cacti7_sram_45nm"):
        load_table("cacti6")
    with pytest.raises(ConstantError, match="read, write"):
        load_table("cacti7_sram_45nm").constant("erase", 8)
