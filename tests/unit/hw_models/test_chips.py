"""Chips: the shipped ones, a user's own, and errors that name key and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw_models.chips import available_chips, load_chip, parse_chip
from hw_models.errors import ChipError, ConstantError, HardwareError
from hw_models.report import PARTS
from hw_models.technology import Evidence
from hw_models.workload import COUNTERS, base_counter

# The chip file that generic-45nm was before components built it.
GENERIC = Path(__file__).with_name("bottom_up.toml").read_text(encoding="utf-8")
NAMES = [chip.name for chip in available_chips()]
BUILT = [name for name in NAMES if name.startswith(("generic-", "eqspike-"))]


def test_the_list_says_what_each_chip_is() -> None:
    assert {"eqspike-analog-65nm", "generic-45nm"} <= set(NAMES)
    for info in available_chips():
        assert info.title and info.description and info.device and info.node_nm > 0


@pytest.mark.parametrize("name", BUILT)
def test_a_preset_declares_everything(name: str) -> None:
    chip = load_chip(name)
    assert chip.name == name
    assert set(chip.parts) == set(PARTS)
    assert chip.not_modelled
    priced = set(chip.actions) | set(chip.free)
    assert not [counter for counter in COUNTERS if counter not in priced and base_counter(counter) not in priced]


@pytest.mark.parametrize("name", NAMES)
def test_every_constant_of_a_preset_is_published_and_says_where_its_band_comes_from(name: str) -> None:
    chip = load_chip(name)
    for key in chip.constants:
        constant = chip.constant(key, 32)
        assert constant.evidence.rank >= Evidence.PROJECTED.rank, key
        assert constant.band and constant.source, key


def test_an_unknown_chip_gets_the_list_and_a_guess() -> None:
    with pytest.raises(ChipError) as caught:
        load_chip("generic-45mn")
    assert "Did you mean 'generic-45nm'?" in caught.value.remedy
    assert all(name in caught.value.remedy for name in NAMES)


def test_a_users_chip_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GENERIC.replace('name = "generic-45nm"', 'name = "mine"'), encoding="utf-8")
    assert load_chip(path).name == "mine"
    assert load_chip(str(path)).constants == load_chip(path).constants


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChipError, match=r"absent\.toml"):
        load_chip(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("node_nm = 45\n", "node_nm = \n", ["line 6", "not valid TOML"]),
        ("node_nm = 45\n", "", ["node_nm", "Add the key"]),
        ("node_nm = 45\n", "node_nm = -45\n", ["node_nm", "greater than 0"]),
        ("word_bits = 64", 'word_bits = "wide"', ["word_bits", "'wide'"]),
        ("word_bits = 64", "wordbits = 64", ["line 9: wordbits", "spelling"]),
        ('policy = "duplicate"', 'policy = "magic"', ["transposition.policy", "or 'crossbar'", "line 27"]),
        ('price = "hop"', 'price = "hope"', ["actions.spikes.0.price", "no constant", "leakage"]),
        ('price = "hop"', 'price = "leakage"', ["actions.spikes.0.price", "uW/kB", "Needed: J"]),
        ('price = "hop"', 'price = "multiply"', ["actions.spikes.0.price", "weight's bits"]),
        ('price = "leakage"', 'price = "hop"', ["static.0.price", "pJ"]),
        ('overhead = "control_overhead"', 'overhead = "hop"', ["overhead", "Needed: 1"]),
        ("[[actions.spikes]]", "[[actions.sneezes]]", ["actions.sneezes", "weight_writes"]),
        ('share = "trace"', 'share = "weight"', ["actions.trace_updates.0", "share in a synapse"]),
        ('saturations = "', 'spikes = "', ["actions.spikes", "not both"]),
        ('\nperiphery = "', '\nsurroundings = "', ["parts.surroundings", "periphery"]),
        ("schema = 1", "schema = 2", ["schema", "2"]),
        ("times = 2", "times = 0", ["actions.neuron_updates.2.times"]),
    ],
)
def test_a_bad_file_gets_its_key_and_a_remedy(old: str, new: str, words: list[str]) -> None:
    assert old in GENERIC
    with pytest.raises(ChipError) as caught:
        parse_chip(GENERIC.replace(old, new, 1) if old != 'share = "trace"' else GENERIC.replace(old, new), "mine.toml")
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('unit = "uW/kB"', 'unit = "micro"', ["constants.leakage.unit", "W/kB"]),
        ('unit = "uW/kB"\n', "", ["constants.leakage", "'unit' is missing"]),
        ("low = 0.76", "low = 2.76", ["constants.leakage", "low <= value"]),
        ("low = 0.76", "lowest = 0.76", ["constants.leakage", "'lowest'"]),
        ('evidence = "simulated"', 'evidence = "sure"', ["constants.hop.evidence", "unstated"]),
        ('row = "int_mult"', 'row = "int_div"', ["horowitz_2014_45nm", "int_mult"]),
        ('table = "horowitz_2014_45nm"', 'table = "horowitz"', ["'horowitz'", "crossbars"]),
    ],
)
def test_a_bad_constant_gets_its_key_and_a_remedy(old: str, new: str, words: list[str]) -> None:
    assert old in GENERIC
    with pytest.raises(ConstantError) as caught:
        parse_chip(GENERIC.replace(old, new, 1), "mine.toml")
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize("text", ["", "constants = 3", "[constants]\nadd = 0.1", "\x00"])
def test_nonsense_is_refused_by_name(text: str) -> None:
    with pytest.raises(HardwareError):
        parse_chip(text, "mine.toml")


EVERY_KEY = Path(__file__).with_name("every_key.toml").read_text(encoding="utf-8")


def test_every_key_of_the_schema_is_read() -> None:
    chip = parse_chip(EVERY_KEY, "all.toml")
    assert [name for name, _ in chip.limits.items()] == ["cores", "fan_in", "queue_depth"]
    assert chip.limits.value("fan_in") == 256 and chip.limits.value("fan_out") is None
    assert chip.limits.mesh == (2, 2) and chip.limits.trees and chip.limits.multicast
    assert chip.operating_points[0].measured_si() == pytest.approx(477e-6)
    assert chip.constant("idle").si.value == pytest.approx(1.78e-12)
    assert chip.constant("macro").si.value == pytest.approx(1e-7)
    assert chip.transposition.choices == ("column_walk", "duplicate", "transposable")


def test_the_default_s_band_covers_the_chip_s_variants() -> None:
    event = parse_chip(EVERY_KEY, "all.toml").constant("event")
    assert (event.value, event.low, event.high) == (2, 1, 36)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('kind = "wall"', 'kind = "fence"', ["line 20: limits.cores.kind", "'wall' or 'budget'"]),
        ("value = 256", "value = -1", ["limits.fan_in.value", "greater than or equal"]),
        ("fan_in =", "fan_inn =", ["line 21: limits.fan_inn", "spelling"]),
        ('allowed = ["column_walk", ', "allowed = [", ["transposition", "not among"]),
        ("transposable_cell =", "transposable_cel =", ["transposable_cell"]),
        ("synaptic_events = 37.5e6", "sneezes = 1", ["operating_points.0.rates", "sneezes"]),
        ("synaptic_events = 37.5e6", "macs = 1", ["operating_points.0.rates.macs", "no price"]),
        ('unit = "uW"', 'unit = "uJ"', ["unit", "power_w"]),
        (
            'unit = "pJ", includes = "x", evidence = "derived"',
            'unit = "pW", includes = "x", evidence = "derived"',
            ["variants.board.constants.event", "Needed: J"],
        ),
        ('unit = "mm2/kB"', 'unit = "mW"', ["area.0.price", "m2/kB"]),
        ('time = "busy"', 'time = "event"', ["actions.synaptic_events.0.time", "Needed: s or 1"]),
        ('kind = "periphery"', 'kind = "periphery"\ntime = "busy"', ["actions.hops.0.time", "routing is not modelled"]),
        ('hops = "mean_hops"', 'hops = "hop"', ["routing.hops", "no constant"]),
        ('price = "core"', 'price = "event"', ["line 47: static.1.price", "Needed: W or"]),
        ('name = "all-keys"', 'name = "x"\nunpriced = "no energy is published"', ["unpriced", "has prices too"]),
        ('name = "all-keys"', 'name = "x"\nknobs = 3', ["knobs"]),
        ('scaling = "logic"', 'scaling = "magic"', ["constants.event.scaling", "sram"]),
    ],
)
def test_a_bad_key_is_refused_with_its_line(old: str, new: str, words: list[str]) -> None:
    assert old in EVERY_KEY
    with pytest.raises(HardwareError) as caught:
        parse_chip(EVERY_KEY.replace(old, new, 1), "all.toml")
    assert all(word in str(caught.value) for word in ("all.toml", *words)), str(caught.value)
    assert caught.value.remedy


def test_a_chip_without_prices_has_limits_only() -> None:
    text = EVERY_KEY[: EVERY_KEY.index("[parts]")].replace('clock = "clock"', 'unpriced = "nothing is published"')
    text = text.replace('tick = "tick"', "") + "[limits]\ncores = { value = 4, kind = 'wall', source = 'paper' }\n"
    chip = parse_chip(text, "limits.toml")
    assert chip.unpriced == "nothing is published" and chip.limits.value("cores") == 4


def test_power_per_hertz_needs_a_clock() -> None:
    text = EVERY_KEY.replace('clock = "clock"\n', "").replace('time = "busy"\n', "")
    with pytest.raises(ChipError, match=r"line 41: static.0: .* needs a clock"):
        parse_chip(text, "all.toml")


ODD = ("3", "-1", '"x"', "[]", "{}", "true", "nan", "1e400", "[{}]", '"{node}"')


def test_a_key_that_holds_something_odd_is_read_or_refused_by_name() -> None:
    lines, refused = EVERY_KEY.splitlines(), 0
    for number, line in enumerate(lines):
        key, equals, _ = line.partition(" = ")
        odd = [f"{key} = {value}" for value in ODD] if equals else [line.replace("[", "[[").replace("]", "]]"), ""]
        for other in odd:
            try:
                parse_chip("\n".join([*lines[:number], other, *lines[number + 1 :]]), "odd.toml")
            except HardwareError as error:
                refused += 1
                assert error.remedy and "odd.toml" in error.field, other
    assert refused > 5 * len([line for line in lines if " = " in line])
