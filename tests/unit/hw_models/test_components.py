"""Components: constants and terms of each kind, a chip built of them, and mistakes in their tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw_models import LayerShape, PhaseCounts, ProjectionShape, Workload, load_chip, operating_points, price
from hw_models.chips import parse_chip
from hw_models.components import KINDS, Technology, expand
from hw_models.errors import ChipError
from hw_models.workload import COUNTERS, LAYER_COUNTERS, PROJECTION_COUNTERS, ROUTING_COUNTERS, base_counter

AT_45 = Technology(45, 0.9)
EXAMPLES = {
    "sram_bank": {"kb": 8, "holds": ["weights"]},
    "adder": {"bits": 16, "actions": {"spikes": 2}},
    "multiplier": {"bits": 8},
    "digital_neuron": {"kb": 1},
    "analog_neuron": {"design": "besrour_2024_28nm", "standby": "sourikopoulos_2017_65nm"},
    "digital_synapse_array": {"kb": 8},
    "memristive_synapse_array": {"rows": 128, "columns": 128, "cells": 2},
    "router": {"design": "truenorth_28nm"},
    "offchip_link": {},
    "converter": {"actions": {"spikes": 1}},
}


def built(kind: str, technology: Technology = AT_45, **parameters):
    return expand({"part": {"kind": kind, **parameters}}, technology)


def test_there_is_an_example_of_every_kind() -> None:
    assert EXAMPLES.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_terms_are_named_after_the_ledger_and_priced_by_the_component_s_own_constants(kind: str) -> None:
    made = built(kind, **EXAMPLES[kind])
    counters = {*COUNTERS, *map(base_counter, COUNTERS), *ROUTING_COUNTERS}
    assert made.actions and set(made.actions) <= counters
    for terms in made.actions.values():
        assert {term["price"] for term in terms} <= made.constants.keys()


def test_an_sram_bank_at_45_nm() -> None:
    made = built("sram_bank", kb=8, holds=["weights"], area=True)
    assert made.constants["part_read"].value == pytest.approx(6.137)
    assert made.constants["part_write"].value == pytest.approx(7.8781)
    assert [term["price"] for term in made.actions["weight_writes"]] == ["part_read", "part_write"]
    assert all(term["per_copy"] for term in made.actions["weight_writes"])
    assert "neuron_updates" not in made.actions
    assert made.constants["part_area"].value == pytest.approx(0.0264 / 8, rel=0.01)
    assert made.constants["part_area"].unit == "mm2/kB"


def test_arithmetic_at_another_node_follows_the_published_scaling() -> None:
    adder = built("adder", bits=32, actions={"spikes": 1}).constants["add_32"]
    assert (adder.value, adder.low, adder.high) == (0.1, 0.1, 0.1)
    finer = built("adder", Technology(32, 0.9), bits=32, actions={"spikes": 1}).constants["add_32"]
    # Stillmaker and Baas: 0.8367 V^2 - 0.4341 V + 0.1701 at 0.9 V over 1.018 V^2 - 0.3107 V + 0.1539 at 0.9 V.
    assert finer.value == pytest.approx(0.1 * 0.45715 / 0.69885, rel=1e-3)
    assert finer.low == finer.value < finer.high
    assert finer.evidence == "derived" and finer.node_nm == 32


def test_a_memristive_array_pays_for_devices_drivers_converters_and_programming() -> None:
    made = built("memristive_synapse_array", rows=64, columns=32, cells=2, write="program_verify")
    (write,) = made.actions["weight_writes"]
    assert made.constants[write["price"]].value == 387 and write["per_copy"]
    macs = {term["price"].removeprefix("part_"): term["times"] for term in made.actions["macs"]}
    assert macs == {"cell_read": 16, "row_drive": 8 / 16, "conversion_8bit": 8 / 64}
    without = built("memristive_synapse_array", convert=False)
    assert "neuron_updates" not in without.actions and "part_conversion_8bit" not in without.constants


@pytest.mark.parametrize(("neurons", "bits"), [({}, 32), ({"neurons": 1000}, 10)])
def test_a_router_pays_for_its_wires_bit_by_bit(neurons: dict, bits: int) -> None:
    made = built("router", design="truenorth_28nm", wire_mm=0.5, **neurons)
    hop, wire = made.actions["hops"]
    assert made.constants[hop["price"]].value == 2.3
    # 0.3 fJ per bit and micrometre (Merolla et al. 2014): 0.15 pJ a bit over half a millimetre.
    assert made.constants[wire["price"]].value * wire["times"] == pytest.approx(bits * 0.15)


def test_an_analog_neuron_stays_as_published_at_every_node() -> None:
    made = [built("analog_neuron", Technology(node), **EXAMPLES["analog_neuron"]) for node in (22, 90)]
    assert made[0].constants == made[1].constants
    assert made[0].constants["part_spike"].value == 1.61
    assert made[0].constants["part_area"].si.value == pytest.approx(34e-12)


OLD = parse_chip(Path(__file__).with_name("bottom_up.toml").read_text(encoding="utf-8"), "bottom_up.toml")
PROJECTION = ProjectionShape("weights", "input", "output", 100, 16, True, True, 24)
COUNTS = {("output", counter): 700 + 31 * i for i, counter in enumerate(LAYER_COUNTERS)} | {
    ("weights", counter): 900 + 17 * i for i, counter in enumerate(PROJECTION_COUNTERS)
}


@pytest.mark.parametrize("counted", [[key] for key in COUNTS] + [list(COUNTS)])
@pytest.mark.parametrize("bits", [3, 16])
def test_the_chip_built_of_components_prices_as_the_one_written_term_by_term(counted: list, bits: int) -> None:
    phase = PhaseCounts("nudged", 10, 100, {key: COUNTS[key] for key in counted}, learning=True)
    layers = (LayerShape("input", 20), LayerShape("output", 5))
    shape = ProjectionShape("weights", "input", "output", 100, bits, True, True, 24)
    done = Workload("w", layers, (shape,), (phase,), 1e-3)
    before, after = price(done, OLD), price(done, load_chip("generic-45nm"))
    for part in ("static", "dynamic", "periphery"):
        old, new = before.energy(part=part), after.energy(part=part)
        assert (new.value, new.low) == pytest.approx((old.value, old.low), rel=1e-12)
        assert new.high == pytest.approx(old.high, rel=2e-3)


def test_the_band_of_an_interpolated_node_says_so() -> None:
    chip = load_chip("generic-28nm")
    assert "interpolated log-log between 22 and 32 nm" in chip.constant("weight_read").band
    below, above = (load_chip(f"generic-{node}nm").constant("weight_read").value for node in (22, 32))
    assert below < chip.constant("weight_read").value < above


PARTS = """
schema = 1
name = "mine"
title = "mine"
description = "mine"
device = "digital"
node_nm = 32
not_modelled = ["all else"]
constants = {}
actions = {}
[transposition]
policy = "duplicate"
reason = "rows"
[components.array]
kind = "digital_synapse_array"
kb = 4
"""


def test_a_users_chip_of_components_is_a_few_lines() -> None:
    chip = parse_chip(PARTS, "mine.toml")
    assert chip.constant("array_read").value == pytest.approx(2.66, abs=0.005)
    assert {"macs", "weight_writes", "synaptic_events"} <= set(chip.actions)


def test_a_chip_s_own_constant_stands_for_that_of_a_component() -> None:
    known = 'unit = "pJ", includes = "x", evidence = "measured", source = "p", year = 2020'
    own = f"{{ value = 1, low = 1, high = 1, {known} }}"
    chip = parse_chip(PARTS.replace("constants = {}", f"constants = {{ array_read = {own} }}"), "mine.toml")
    assert chip.constant("array_read").value == 1 and chip.constant("array_write").value > 1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'kind = "digital_synapse_array"',
            'kind = "flux_capacitor"',
            ["line 15", "components.array.kind", "sram_bank"],
        ),
        ('kind = "digital_synapse_array"', "", ["components.array.kind", "Kinds:"]),
        ("kb = 4", "kb = -4", ["line 16", "components.array.kb", "greater than 0"]),
        ("kb = 4", "kb = 4096", ["components.array.kb", "1024"]),
        ("kb = 4", "kbs = 4", ["line 16", "components.array.kbs", "kb, bits"]),
        ("node_nm = 32", "node_nm = 7", ["components.array", "7 nm", "22 to 90 nm"]),
        ('kind = "digital_synapse_array"\nkb = 4', 'kind = "router"\ndesign = "x"', ["components.array", "x_hop"]),
        ('kind = "digital_synapse_array"\nkb = 4', 'kind = "adder"\nbits = 8\nactions = { sneezes = 1 }', ["sneezes"]),
        (
            'kind = "digital_synapse_array"\nkb = 4',
            'kind = "sram_bank"\nkb = 4\nholds = ["ink"]',
            ["components.array.holds"],
        ),
    ],
)
def test_a_mistake_in_a_component_gets_its_line(old: str, new: str, words: list[str]) -> None:
    assert old in PARTS
    with pytest.raises(ChipError) as caught:
        parse_chip(PARTS.replace(old, new), "mine.toml")
    assert all(word in str(caught.value) for word in ("mine.toml", *words)), str(caught.value)
    assert caught.value.remedy


def test_a_chip_built_from_the_bottom_up_meets_published_ones_at_their_node() -> None:
    points = {point.name.split(",")[0]: point for point in operating_points(load_chip("generic-90nm"))}
    # TrueNorth by hand at 28 nm: 1 uW per kB; events, updates and hops of a second at the chip's own constants.
    chip = load_chip("generic-28nm")
    read, write, bank, add = (
        chip.constant(name).value for name in ("state_read", "state_write", "weight_read", "add_32")
    )
    state = (read + write) / 2
    event, update = 3 * (bank / 64 + state + add), 3 * (state + 2 * add)
    watts = 1e-6 * 52224 + 1e-12 * (2.68435456e9 * event + 1.048576e9 * update + 8.93386752e8 * 5.3)
    assert points["TrueNorth"].modelled == pytest.approx(watts)
    assert abs(points["TrueNorth"].residual) < 0.05
    assert abs(points["SENECA"].residual) < 0.5
    assert points["Tianjic"].residual > 1 and points["ODIN"].residual < -0.3


def test_an_analog_core_without_periphery_is_far_from_a_whole_system() -> None:
    for name in ("eqspike-analog-65nm", "eqspike-analog-28nm"):
        measured, whole = operating_points(load_chip(name))[0], operating_points(load_chip(name))[-1]
        assert measured.modelled == pytest.approx(2.8e-12 + 11e-15)
        assert whole.residual < -0.99 and "none of them in this one" in whole.note
