"""Calibration: constants come back from noisy measurements, as surely as the fit says, or are refused by name."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest

from hw_models import price
from hw_models.calibration import Measurement, calibrate, fitted_chip_text, read_measurements
from hw_models.chips import parse_chip
from hw_models.errors import ConstantError, HardwareError, UnpricedError, WorkloadError
from hw_models.toml import to_toml

LEAK_W, IDLE_J, EVENT_J = 27.3e-6, 1.78e-12, 8.43e-12  # as of ODIN: uW, uW/MHz, pJ
NOISE = 0.03
KNOWN = 'low = 0, high = 100, includes = "x", evidence = "measured", source = "a paper", year = 2019'
CHIP = f"""
schema = 1
name = "odin-like"
title = "A chip of affine power"
description = "Leakage, clock and events."
device = "digital"
node_nm = 28
clock = "clock"
max_weight_bits = 4
not_modelled = ["input and output"]
[parts]
static = "leakage and clock"
dynamic = "synaptic operations"
periphery = "none: inside the others"
[transposition]
policy = "duplicate"
reason = "one direction only"
[constants]
leak = {{ value = 1, unit = "uW", {KNOWN.replace("measured", "unstated")} }}
idle = {{ value = 1, unit = "uW/MHz", {KNOWN.replace("measured", "unstated")} }}
event = {{ value = 1, unit = "pJ", {KNOWN.replace("measured", "unstated")} }}
update = {{ value = 2, unit = "pJ", {KNOWN} }}
factor = {{ value = 1, unit = "1", {KNOWN} }}
hop = {{ value = 3, unit = "pJ", {KNOWN} }}
clock = {{ value = 75, unit = "MHz", {KNOWN} }}
[[static]]
component = "leakage"
price = "leak"
[[static]]
component = "clock tree"
price = "idle"
[[actions.synaptic_events]]
component = "synapse"
price = "event"
[[actions.neuron_updates]]
component = "neuron"
price = "update"
[[actions.hops]]
component = "router"
price = "hop"
"""
NAMES = ("leak", "idle", "event")
TRUE = {"leak": 27.3, "idle": 1.78, "event": 8.43}


def measured(seed: int, n: int = 20, noise: float = NOISE) -> list[Measurement]:
    """Runs of random length, clock and rate, their joules by the three published constants, times 1 + noise."""
    draw = np.random.default_rng(seed)
    runs = []
    for _ in range(n):
        seconds, clock = draw.uniform(0.1, 10), draw.uniform(1e6, 100e6)
        events, updates = (int(seconds * draw.uniform(0, 20e6)) for _ in range(2))
        joules = LEAK_W * seconds + IDLE_J * clock * seconds + EVENT_J * events + 2e-12 * updates
        counts = {"synaptic_events": events, "neuron_updates": updates}
        runs.append(Measurement(seconds, joules * (1 + noise * draw.normal()), counts, clock))
    return runs


@pytest.fixture(scope="module")
def chip():
    return parse_chip(CHIP, "odin-like.toml")


def test_without_noise_the_constants_come_back_exactly(chip) -> None:
    fit = calibrate(chip, measured(1, noise=0.0))
    assert {one.name: one.value for one in fit.constants} == pytest.approx(TRUE, rel=1e-9)
    assert fit.residual_rms < 1e-12 and fit.degrees_of_freedom == 17


def test_an_interval_holds_the_truth_as_often_as_it_says(chip) -> None:
    seeds, inside, widths = 150, 0, []
    for seed in range(seeds):
        for one in calibrate(chip, measured(seed, n=10)).constants:
            inside += one.low <= TRUE[one.name] <= one.high
            widths.append((one.high - one.low) / one.value)
    assert 0.92 < inside / (3 * seeds) < 0.98  # 450 trials at 95 %: standard error 1 %
    assert 0.05 < np.median(widths) < 1.0, "wide intervals would hold anything"


def test_what_trades_against_each_other_is_said(chip) -> None:
    fit = {one.name: one for one in calibrate(chip, measured(3)).constants}
    assert fit["leak"].correlation["idle"] < -0.3, "both are paid for the same seconds"
    assert fit["leak"].correlation["idle"] == pytest.approx(fit["idle"].correlation["leak"])


def test_a_fitted_chip_prices_what_was_measured(chip) -> None:
    runs = measured(4, noise=0.0)
    text = fitted_chip_text(CHIP, calibrate(chip, runs), name="mine", data="bench.csv")
    mine = parse_chip(text, "mine")
    assert mine.name == "mine" and mine.constants["leak"].evidence == "derived"
    assert "bench.csv" in mine.constants["leak"].source and "correlation" in mine.constants["leak"].band
    for run in runs[:3]:
        report = price(run.workload(4), mine.at(clock_hz=run.clock_hz), run.seconds)
        assert report.energy().value == pytest.approx(run.joules)


def test_a_fitted_file_keeps_everything_else() -> None:
    before = tomllib.loads(CHIP)
    fit = calibrate(parse_chip(CHIP, "x"), measured(4), ["event", "leak", "idle"])
    after = tomllib.loads(fitted_chip_text(CHIP, fit, name="mine", data="d"))
    for name in NAMES:
        assert after["constants"].pop(name)["includes"] == before["constants"].pop(name)["includes"]
    assert after == before | {"name": "mine"}


def test_no_constant_falls_below_zero(chip) -> None:
    runs = [Measurement(s, s * 30e-6 * (1 + 0.01 * (-1) ** k), {"synaptic_events": int(1e3 * s)}, 1e6)
            for k, s in enumerate(np.linspace(1, 2, 8))]  # fmt: skip
    known = parse_chip(CHIP.replace('"unstated"', '"measured"'), "x")
    fit = calibrate(known, runs + measured(1, 3), ["leak", "event"])
    assert all(0 <= one.low <= one.value <= one.high for one in fit.constants)


def test_time_is_what_was_measured_though_the_chip_would_be_busy_longer() -> None:
    busy = CHIP.replace('price = "event"', 'price = "event"\ntime = "slow"').replace(
        "clock = {", f'slow = {{ value = 1e9, unit = "1", {KNOWN.replace("100", "2e9")} }}\nclock = {{'
    )
    runs = measured(1, noise=0.0)
    assert calibrate(parse_chip(busy, "x"), runs).constants == calibrate(parse_chip(CHIP, "x"), runs).constants


def test_cores_in_use_are_those_measured() -> None:
    text = CHIP.replace('"uW"', '"uW/core"').replace("unstated", "measured")
    runs = [Measurement(1.0, n * 5e-6 + 75e-6, cores=n) for n in (1, 2, 5)]
    (leak,) = calibrate(parse_chip(text, "x"), runs, ["leak"]).constants
    assert leak.value == pytest.approx(5)


def test_hops_count_as_measured() -> None:
    known = parse_chip(CHIP.replace('"unstated"', '"measured"'), "x")
    runs = [
        Measurement(s, s * (1e-6 + 75e-6) + 7e-12 * n, {"hops": n}) for s, n in ((1, 10**6), (2, 10**7), (3, 10**5))
    ]
    (hop,) = calibrate(known, runs, ["hop"]).constants
    assert hop.value == pytest.approx(7)


@pytest.mark.parametrize(
    ("runs", "names", "error", "words"),
    [
        (measured(1, 3), None, WorkloadError, ("3 measurements cannot fix 3", "at least 4")),
        (measured(1), ["leek"], ConstantError, ("'leek' is not a constant", "leak, idle")),
        (measured(1), ["factor", "leak", "idle", "event"], ConstantError, ("--fit: factor", "plays no part")),
        ([Measurement(s, s, {"synaptic_events": s}, 75e6) for s in (1, 2, 3, 4, 5)], None, ConstantError,
         ("leak and idle and event cannot be told apart", "in step")),
        ([Measurement(s, s, {"synaptic_events": s * s}, 75e6) for s in (1, 2, 3, 4, 5)], None, ConstantError,
         ("leak and idle cannot be told apart",)),
        (measured(1), ["leak"], UnpricedError, ("constants.",)),
    ],
)  # fmt: skip
def test_data_that_do_not_decide_are_refused_by_name(chip, runs, names, error, words) -> None:
    with pytest.raises(error) as caught:
        calibrate(chip, runs, names)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_constants_that_multiply_each_other_are_refused() -> None:
    text = CHIP.replace("max_weight_bits = 4", 'max_weight_bits = 4\noverhead = "factor"')
    with pytest.raises(ConstantError, match=r"(event and factor|factor and event) multiply"):
        calibrate(parse_chip(text, "x"), measured(1), ["leak", "idle", "event", "factor"])


def test_a_chip_without_unknowns_asks_what_to_fit() -> None:
    with pytest.raises(ConstantError, match="--fit"):
        calibrate(parse_chip(CHIP.replace('"unstated"', '"measured"'), "x"), measured(1))


def test_measurements_are_read_from_csv(tmp_path) -> None:
    path = tmp_path / "bench.csv"
    path.write_text(
        "seconds, joules, synaptic_events, hops, neurons, clock_hz\n1.5,2e-6,1e6,3,256,75e6\n2,3e-6,7,,,\n\n"
    )
    first, second = read_measurements(path)
    assert first == Measurement(1.5, 2e-6, {"synaptic_events": 10**6, "hops": 3}, 75e6, neurons=256)
    assert second == Measurement(2.0, 3e-6, {"synaptic_events": 7})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seconds,spikes\n1,2\n", ("'joules' is missing",)),
        ("seconds,joules,spike\n1,2,3\n", ("'spike'", "spikes")),
        ("seconds,joules,joules\n1,2,3\n", ("twice",)),
        ("seconds,joules\n", ("no measurements",)),
        ("", ("'seconds' is missing",)),
        ("seconds,joules\n1\n", ("line 2", "1 cells under 2 columns")),
        ("seconds,joules\n0,1\n", ("line 2: seconds", "above zero")),
        ("seconds,joules\n1,\n", ("line 2: joules", "above zero")),
        ("seconds,joules,spikes\n1,1,-4\n", ("spikes", "'-4'", "whole number")),
        ("seconds,joules,spikes\n1,1,1.5\n", ("'1.5'", "whole number")),
        ("seconds,joules,spikes\n1,1,nan\n", ("'nan'",)),
    ],
)
def test_a_bad_table_is_refused_with_its_line(tmp_path, text, words) -> None:
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(HardwareError) as caught:
        read_measurements(tmp_path / "bad.csv")
    assert all(word in str(caught.value) for word in ("bad.csv", *words)), str(caught.value)


def test_plain_data_survive_as_toml() -> None:
    document = {
        "text": 'a "quoted"\nline \\ ü', "number": 1e-12, "count": 3, "flag": True, "list": [1, 2.5], "empty": [],
        "none": {}, "deep": {"a->b": {"x": 1}, "inline": {"y": [{"z": 1}, {"z": 2, "sub": {"k": "v"}}]}},
    }  # fmt: skip
    assert tomllib.loads(to_toml(document | {"left out": None})) == document
