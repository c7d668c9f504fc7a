"""Constants and published tables: what they hold, how curves are read, what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hw_models.errors import ConstantError, KnobError, UnpricedError
from hw_models.report import Band
from hw_models.technology import (
    Constant,
    Evidence,
    available_tables,
    load_table,
    logic_factor,
    nominal_vdd,
    plan,
    sram_factor,
)
from hw_models.technology.curve import Curve
from hw_models.technology.packets import packet_bits
from hw_models.technology.scaling.nodes import gate_energy
from hw_models.technology.sram import FLAVOURS, nodes, sizes
from hw_models.technology.units import split_unit

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
            assert constant.includes and constant.band and constant.node_nm, row
            assert "doi:" in constant.source or "arXiv:" in constant.source, row
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


# ------------------------------------------------------------------------------------------------ SRAM at every node

# CACTI 7, 8 kB bank: (flavour, node) -> read and write, to the two decimals of its printout.
BANK_PJ = {
    ("itrs-lstp", 22): (1.59, 1.77),
    ("itrs-lstp", 90): (20.75, 27.53),
    ("itrs-lop", 22): (1.40, 1.03),
    ("itrs-lop", 65): (5.90, 6.50),
    ("itrs-hp", 32): (2.91, 3.43),
    ("itrs-hp", 90): (15.90, 21.14),
}


def bank(flavour: str, node: float, row: str, kilobytes: float) -> Constant:
    suffix = "" if flavour == "itrs-lstp" else "_" + flavour.removeprefix("itrs-")
    return load_table(f"cacti7_sram_{node}nm{suffix}").constant(row, kilobytes)


def test_a_hundred_and_twenty_banks_were_run() -> None:
    assert len(nodes()) * len(sizes()) * len(FLAVOURS) == 120
    for node in nodes():
        for flavour in FLAVOURS:
            for kilobytes in sizes():
                read = bank(flavour, node, "read", kilobytes)
                assert 0 < read.low <= read.value <= read.high


@pytest.mark.parametrize(("flavour", "node"), BANK_PJ)
def test_banks_of_other_nodes_and_flavours_are_the_published_ones(flavour: str, node: int) -> None:
    for column, row in enumerate(("read", "write")):
        assert bank(flavour, node, row, 8).value == pytest.approx(BANK_PJ[flavour, node][column], abs=0.0051)


def test_the_supply_of_a_bank_is_that_of_its_flavour() -> None:
    assert [bank(flavour, 45, "read", 8).vdd for flavour in FLAVOURS] == [1.0, 0.7, 1.1]


def test_the_disagreement_at_45_nm_is_kept_at_other_nodes() -> None:
    at_45, at_65 = (bank("itrs-lstp", node, "read", 32) for node in (45, 65))
    assert at_65.high / at_65.value == pytest.approx(at_45.high / at_45.value)
    assert at_65.low == bank("itrs-lop", 65, "read", 32).value


# ------------------------------------------------------------------------------------------------ node and supply


def test_the_model_of_a_gate_is_the_published_one() -> None:
    # Corrected example of the paper: 65 nm at 1.3 V to 32 nm at 0.9 V.
    assert gate_energy(32, 0.9) / gate_energy(65, 1.3) == pytest.approx(0.1756, rel=1e-3)
    assert gate_energy(7) / gate_energy(45, 0.9) == pytest.approx(0.0684, rel=1e-3)
    assert nominal_vdd(28) == pytest.approx(0.9)


def test_neighbours_follow_the_model_and_far_nodes_lie_between_both_publications() -> None:
    near = logic_factor(45, 32)
    assert near.value == near.low == pytest.approx(gate_energy(32) / gate_energy(45))
    far = logic_factor(45, 7)
    # The unit that gained least in products: 32-bit floating-point multiplication, 3.7 to 1.31 pJ.
    assert far.high == pytest.approx(1.31 / 3.7)
    assert far.low == pytest.approx(gate_energy(7) / gate_energy(45))
    assert far.value == pytest.approx((far.low * far.high) ** 0.5)
    back = logic_factor(7, 45)
    assert back.value == pytest.approx(1 / far.value)
    assert (logic_factor(45, 45).low, logic_factor(45, 45).high) == (1, 1)


def test_memory_follows_the_table_where_there_is_one() -> None:
    factor = sram_factor(65, 32)
    assert factor.value == pytest.approx(
        bank("itrs-lstp", 32, "read", 8).value / bank("itrs-lstp", 65, "read", 8).value
    )
    assert factor.low <= factor.value < factor.high
    assert sram_factor(45, 7) == logic_factor(45, 7)


def test_only_what_scales_is_moved() -> None:
    move = plan(45, 0.9, 32, 0.7)
    logic, memory, leakage, fixed = (
        move(replace(ADDER, scaling=scaling, unit=unit))
        for scaling, unit in (("logic", "pJ"), ("sram", "pJ"), ("leakage", "uW/kB"), ("none", "pJ"))
    )
    kept = 0.9 * 0.9 / 1.0
    square = (0.7 / kept) ** 2
    assert logic.value == pytest.approx(0.1 * logic_factor(45, 32).value * square)
    assert memory.value == pytest.approx(0.1 * sram_factor(45, 32).value * square)
    assert leakage.value == pytest.approx(0.1 * 0.7 / kept) and leakage.low == pytest.approx(0.05 * (0.7 / kept) ** 3)
    assert fixed == replace(ADDER, scaling="none")
    assert logic.evidence == "derived" and "0.7 V" in logic.band and "Stillmaker" in logic.band
    assert plan(45, 0.9, 7, None)(replace(ADDER, scaling="logic")).evidence == "projected"


def test_time_and_area_are_not_moved() -> None:
    move = plan(45, 0.9, 32, None)
    for unit in ("ns", "mm2/kB"):
        assert move(replace(ADDER, scaling="logic", unit=unit)) == replace(ADDER, scaling="logic", unit=unit)


@pytest.mark.parametrize(
    ("asked", "words"),
    [((45, 0.9, None, 0.59), "0.6 V"), ((45, None, None, 0.8), "no supply"), ((45, 0.9, 3, None), "7 to 130")],
)
def test_what_no_publication_covers_is_refused(asked: tuple, words: str) -> None:
    with pytest.raises(KnobError, match=words):
        plan(*asked)


@pytest.mark.parametrize(("neurons", "bits"), [(1, 1), (2, 1), (3, 2), (256, 8), (257, 9), (2**20, 20)])
def test_an_address_has_as_many_bits_as_name_every_neuron(neurons: int, bits: int) -> None:
    assert packet_bits(neurons) == bits
    assert packet_bits(neurons, 8) == bits + 8
    with pytest.raises(ConstantError):
        packet_bits(0)


@pytest.mark.parametrize(
    ("unit", "dimension", "factor"),
    [
        ("uW/MHz", "W/Hz", 1e-12),
        ("mW/core", "W/core", 1e-3),
        ("mm2", "m2", 1e-6),
        ("um2/neuron", "m2/neuron", 1e-12),
        ("MHz", "Hz", 1e6),
        ("ms", "s", 1e-3),
        ("mm2/kB", "m2/kB", 1e-6),
    ],
)
def test_units_have_a_dimension_and_a_factor(unit: str, dimension: str, factor: float) -> None:
    assert split_unit(unit) == (dimension, pytest.approx(factor))
    for wrong in (f"{unit}/kg", f"k{unit}", ""):
        with pytest.raises(ConstantError):
            split_unit(wrong)
