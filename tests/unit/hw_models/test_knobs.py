"""Knobs: what they do to a chip, worked by hand, and how a chip that cannot be had is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw_models import LayerShape, PhaseCounts, ProjectionShape, Workload, load_chip, price
from hw_models.chips import parse_chip
from hw_models.errors import KnobError

CHIP = parse_chip(Path(__file__).with_name("every_key.toml").read_text(encoding="utf-8"), "every_key.toml")


def test_a_chip_is_never_changed_by_its_knobs() -> None:
    chip = load_chip("generic-45nm")
    before = dict(chip.constants)
    assert chip.at(vdd=0.7, overhead=2, transposition="column_walk") is not chip
    assert chip.constants == before and chip.transposition.policy == "duplicate"


def test_the_supply_acts_by_its_square_on_what_scales_and_not_on_the_rest() -> None:
    moved = CHIP.at(vdd=0.64)
    assert moved.vdd == 0.64
    assert moved.constant("event").value == pytest.approx(2 * 0.8**2)
    assert moved.constant("event").evidence == "derived"
    assert moved.constant("idle") == CHIP.constant("idle")


def test_a_variant_takes_its_constants_at_the_node_asked_for() -> None:
    plain, moved = CHIP.at(variant="board"), CHIP.at(variant="board", node_nm=20)
    assert plain.constant("event").value == 35
    assert moved.constant("event").value / 35 == pytest.approx(CHIP.at(node_nm=20).constant("event").value / 2)


def test_the_band_covers_the_variants_at_every_node_and_supply() -> None:
    moved = CHIP.at(node_nm=20, vdd=0.7)
    assert moved.constant("event").high == pytest.approx(moved.at(variant="board").constant("event").high)
    assert moved.at(variant="board").constant("event").low > moved.constant("event").low


def test_a_published_chip_keeps_its_ratio_to_the_nominal_supply_when_its_node_changes() -> None:
    # Nominal supplies: 0.9 V between 32 and 20 nm, 0.8 V at 14 nm.
    assert CHIP.at(node_nm=14).vdd == pytest.approx(0.8 * 0.8 / 0.9)
    assert CHIP.at(node_nm=14, vdd=0.7).vdd == 0.7


def test_a_built_chip_is_built_anew_at_its_node() -> None:
    chip = load_chip("generic-45nm").at(node_nm=22)
    assert (chip.name, chip.node_nm) == ("generic-22nm", 22)
    assert chip.constants.keys() == load_chip("generic-22nm").constants.keys()
    for name in chip.constants:
        assert chip.constant(name, 8) == load_chip("generic-22nm").constant(name, 8)


def test_what_was_given_is_graded_as_such() -> None:
    chip = CHIP.at(clock_hz=1e6, overhead=2)
    assert chip.constant("clock").si.value == 1e6 and chip.constant(chip.overhead).value == 2
    assert chip.constant("clock").source == "given" and chip.constant("clock").evidence == "projected"


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"node_nm": -1}, ["node_nm", "above zero"]),
        ({"node_nm": 5}, ["node_nm", "7 to 130 nm"]),
        ({"vdd": 0.5}, ["vdd", "0.6 V"]),
        ({"vdd": 5.0}, ["vdd", "far above"]),
        ({"vdd": float("nan")}, ["vdd"]),
        ({"weight_bits": 0}, ["weight_bits", "whole number"]),
        ({"weight_bits": 2.5}, ["weight_bits"]),
        ({"tick_s": 0.0}, ["tick_s"]),
        ({"overhead": float("inf")}, ["overhead"]),
        ({"transposition": "crossbar"}, ["transposition", "column_walk"]),
        ({"variant": "bord"}, ["variant", "board"]),
        ({"clock_hz": -1.0}, ["clock_hz"]),
    ],
)
def test_what_cannot_be_had_is_refused(knobs: dict, words: list[str]) -> None:
    with pytest.raises(KnobError) as caught:
        CHIP.at(**knobs)
    assert all(word in str(caught.value) for word in ("all-keys", *words)), str(caught.value)
    assert caught.value.remedy and caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "knobs", "words"),
    [
        ("generic-45nm", {"node_nm": 7}, ["not known at 7 nm", "22, 28, 32"]),
        ("generic-45nm", {"weight_bits": 33}, ["at most 32"]),
        ("generic-45nm", {"clock_hz": 1e6}, ["clock"]),
        ("eqspike-analog-65nm", {"node_nm": 28}, ["none of its energies"]),
        ("eqspike-analog-28nm", {"node_nm": 65}, ["none of its energies"]),
        ("memristor-crossbar", {"node_nm": 22}, ["none of its energies"]),
        ("eqspike-analog-65nm", {"vdd": 0.8}, ["states no supply"]),
        ("eqspike-analog-65nm", {"transposition": "duplicate"}, ["crossbar"]),
    ],
)
def test_what_a_chip_s_constants_do_not_allow_is_refused(name: str, knobs: dict, words: list[str]) -> None:
    with pytest.raises(KnobError) as caught:
        load_chip(name).at(**knobs)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_built_chip_keeps_its_variant_at_another_node() -> None:
    text = (Path(__file__).parent / "../../../hw_models/chips/presets/generic-digital.toml").read_text(encoding="utf-8")
    leaky = (
        '\n[variants.leaky]\ntitle = "t"\nreason = "r"\n'
        "[variants.leaky.constants.leakage]\nvalue = 9\nlow = 9\nhigh = 9\n"
        'unit = "uW/kB"\nincludes = "x"\nevidence = "measured"\nsource = "p"\nyear = 2020\n'
    )
    chip = parse_chip(text + leaky, "mine.toml").at(variant="leaky", node_nm=22)
    assert (chip.constant("leakage").value, chip.node_nm, dict(chip.variants)) == (9, 22, {})


@pytest.mark.parametrize(
    ("name", "knobs", "words"),
    [
        ("loihi", {"weight_bits": 4}, "depends on the width"),
        ("seneca", {"tick_s": 1e-4}, "time follows the tick"),
        ("brainscales2", {"overhead": 2}, "moves nothing"),
    ],
)
def test_a_knob_that_moves_no_energy_says_so(name: str, knobs: dict, words: str) -> None:
    shapes = (LayerShape("a", 10),), (ProjectionShape("w", "a", "a", 100, 6, False, False),)
    counted = Workload("x", *shapes, (PhaseCounts("inference", 1, 10, {("w", "synaptic_events_forward"): 50}),), 1e-3)
    still, turned = (price(counted, chip) for chip in (load_chip(name), load_chip(name).at(**knobs)))
    assert turned.energy() == still.energy()
    assert any(words in warning for warning in turned.warnings) and not any(words in one for one in still.warnings)
    moved = price(counted, load_chip("generic-45nm").at(**knobs))
    assert moved.energy() != price(counted, load_chip("generic-45nm")).energy()
    assert not any(words in warning for warning in moved.warnings)
