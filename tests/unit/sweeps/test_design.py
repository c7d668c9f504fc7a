"""Sweep files: what runs they ask for, and how their mistakes are named."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from eqspike.core.errors import ConfigError
from eqspike.sweeps.plan import make_plan
from eqspike.sweeps.reading import read_design
from eqspike.sweeps.sampling import Distribution

HEAD = 'recipe = "eqspike-digits"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "sweep.toml"
    path.write_text(text)
    return path


def all_settings(path: Path) -> list[dict]:
    design = read_design(path)
    return [design.settings(place) for place in range(len(design))]


def test_a_grid_is_every_combination_the_last_field_fastest(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + '[grid]\n"training.epochs" = [1, 2]\nseed = [5, 6, 7]\n')
    assert all_settings(path) == [{"training.epochs": e, "seed": s} for e in (1, 2) for s in (5, 6, 7)]


def test_a_list_is_its_rows_and_tables_multiply(tmp_path: Path) -> None:
    text = HEAD + '[list]\n"rule.beta" = [1.0, 2.0]\n"network.hidden" = [[10], [20, 5]]\n[grid]\nseed = [1, 2]\n'
    found = all_settings(written(tmp_path, text))
    rows = [(1.0, [10]), (2.0, [20, 5])]
    assert found == [{"seed": s, "rule.beta": b, "network.hidden": h} for s in (1, 2) for b, h in rows]


def test_fields_may_be_written_with_plain_dots(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "[grid]\ntraining.epochs = [3]\n[random]\nsamples = 1\nrule.beta = [1.5]\n")
    assert all_settings(path) == [{"training.epochs": 3, "rule.beta": 1.5}]


def test_random_samples_stay_when_more_are_asked_for_or_fields_added(tmp_path: Path) -> None:
    text = HEAD + '[random]\nsamples = 3\n"rule.beta" = {low = 0.1, high = 10.0, log = true}\n'
    few = all_settings(written(tmp_path, text))
    more = all_settings(written(tmp_path, text.replace("= 3", "= 5") + '"rule.tau_ticks" = [5, 10]\n'))
    other = all_settings(written(tmp_path, text.replace("= 3", "= 3\nsampler_seed = 2")))
    assert [row["rule.beta"] for row in more[:3]] == [row["rule.beta"] for row in few]
    assert all(a["rule.beta"] != b["rule.beta"] for a, b in zip(few, other, strict=True))


def test_distributions_spread_as_they_say() -> None:
    shares = [(place + 0.5) / 1000 for place in range(1000)]
    log = sorted(Distribution.parse({"low": 1e-3, "high": 10.0, "log": True})(share) for share in shares)
    assert log[500] == pytest.approx(0.1, rel=0.01) and log[0] >= 1e-3 and log[-1] <= 10.0
    dice = [Distribution.parse({"low": 1, "high": 6, "integer": True})(share) for share in shares]
    assert all(abs(dice.count(face) - 1000 / 6) < 2 for face in range(1, 7))
    halves = [Distribution.parse(["a", "b"])(share) for share in shares]
    assert halves.count("a") == halves.count("b") == 500
    assert Distribution.parse({"low": 1, "high": 1000, "log": True, "integer": True})(0.999999) == 1000
    even = [Distribution.parse({"low": -1.0, "high": 1.0})(share) for share in shares]
    assert math.fsum(even) == pytest.approx(0.0, abs=1e-9)


def test_chip_fields_multiply_prices_not_runs(tmp_path: Path) -> None:
    plain = make_plan(read_design(written(tmp_path, HEAD + "[grid]\nseed = [1, 2]\n")), tmp_path)
    text = HEAD + '[grid]\nseed = [1, 2]\nchip = ["loihi", "generic-45nm"]\n"chip.vdd" = [0.8, 0.9, 1.0]\n'
    priced = make_plan(read_design(written(tmp_path, text)), tmp_path)
    assert list(priced.places) == list(plain.places)
    assert len(priced.document()["prices"]) == 6
    assert priced.document()["prices"][1] == {"chip": "loihi", "knobs": {"vdd": 0.9}}
    assert plain.document()["prices"] == [] and priced.document()["fields"] == ["seed"]


def test_chips_of_a_list_price_all_its_runs(tmp_path: Path) -> None:
    text = HEAD + '[list]\nseed = [1, 2, 1]\nchip = ["loihi", "loihi", "generic-45nm"]\n'
    plan = make_plan(read_design(written(tmp_path, text)), tmp_path)
    assert len(plan.places) == 2
    assert [price["chip"] for price in plan.document()["prices"]] == ["loihi", "generic-45nm"]


def test_equal_runs_are_one(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "[list]\nseed = [1, 2, 1]\n")
    assert len(make_plan(read_design(path), tmp_path).places) == 2


def test_a_recipe_lies_beside_the_sweep_file(tmp_path: Path) -> None:
    recipe = 'name = "own"\n[network]\nhidden = [5]\n[[network.projections]]\nlearning_rate = 0.1\n'
    (tmp_path / "own.toml").write_text(
        recipe + "[[network.projections]]\nlearning_rate = 0.1\n[phases]\nreadout_ticks = 20\n"
    )
    path = written(tmp_path, 'recipe = "own.toml"\n[grid]\nseed = [4]\n"data.name" = ["my.npz"]\n')
    spec = read_design(path).spec(0)
    assert (spec.name, spec.seed, spec.data.name) == ("own", 4, str(tmp_path / "my.npz"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('recipe = "eqspike-digit"\n', "line 1: recipe: there is no recipe 'eqspike-digit'. Did you mean 'eqs"),
        ("[grid]\nseed = [1]\n", "recipe: name the recipe to sweep"),
        (HEAD, "there is nothing to sweep"),
        (HEAD + "[grids]\nseed = [1]\n", "line 2: grids: there is no such key. Did you mean 'grid'"),
        (HEAD + '[grid]\nseed = [1]\n"training.epoch" = [1]\n',
         "line 4: training.epoch: there is no such setting. Did you mean 'epochs'"),
        (HEAD + '[grid]\n"trainig.epochs" = [1]\n', "line 3: trainig.epochs: .* Did you mean 'training'"),
        (HEAD + '[grid]\ntraining.epochs = [1, "two"]\n', "line 3: training.epochs: Input should be a valid integer"),
        (HEAD + '[grid]\n\n"rule.beta" = 2\n', r"line 4: grid.rule.beta: .* For example: \[2\]"),
        (HEAD + "[grid]\nseed = []\n", "line 3: grid.seed: this must be a list of values"),
        (HEAD + "grid = 3\n", "line 2: grid: this must be a table"),
        (HEAD + '[list]\nseed = [1, 2]\n"rule.beta" = [1]\n', "line 4: list.rule.beta: 1 values beside 2 of 'seed'"),
        (HEAD + "[list]\nseed = [1]\n[grid]\nseed = [2]\n", "line 3: list.seed: 'seed' is swept twice. See also .*5"),
        (HEAD + "[random]\nseed = [1, 2]\n", "random.samples: this must be a whole number from 1, not None"),
        (HEAD + "[random]\nsamples = 2\nsampler_seed = -1\nseed = [1]\n", "line 4: random.sampler_seed"),
        (HEAD + '[random]\nsamples = 2\n"rule.beta" = {low = 2, high = 1}\n', r"line 4: random.rule.beta: low \(2\)"),
        (HEAD + '[random]\nsamples = 2\n"rule.beta" = {low = 0, high = 1, log = true}\n', "must be above 0 where log"),
        (HEAD + '[random]\nsamples = 2\n"rule.beta" = {low = 0, high = 1, logg = true}\n', "there is no 'logg' here"),
        (HEAD + '[grid]\nchip = ["generic-45mn"]\n', "line 3: chip: .*generic-45"),
        (HEAD + '[grid]\nchip = ["loihi"]\n"chip.vddd" = [1]\n', "line 4: chip.vddd: .* Did you mean 'vdd'"),
        (HEAD + '[grid]\n"chip.vdd" = [1.0]\n', "line 3: chip.vdd: the knobs of which chip"),
        (HEAD + '[grid]\nchip = ["loihi"]\n"chip.vdd" = [-1]\n', "line 4: chip.vdd: -1 is not a number above zero"),
        (HEAD + "[grid\n", r"this is not valid TOML: .*line 2"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        make_plan(read_design(written(tmp_path, text)), tmp_path)
    assert str(tmp_path / "sweep.toml") in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.toml: there is no such file"):
        read_design(tmp_path / "none.toml")


def test_very_many_runs_want_a_yes(tmp_path: Path) -> None:
    seeds = list(range(101))
    design = read_design({"recipe": "eqspike-digits", "grid": {"seed": seeds, "rule.tau_ticks": list(range(1, 101))}})
    with pytest.raises(ConfigError, match=r"10,100 runs \(101 x 100\)\. If that is meant, add --yes"):
        design.check_size(yes=False)
    design.check_size(yes=True)


def test_the_documented_sweep_is_sound(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "sweeps.md").read_text("utf-8")
    block = text.split("```toml\n")[1].split("```")[0]
    plan = make_plan(read_design(written(tmp_path, block)), tmp_path)
    assert len(plan.places) == 2 * 3 * 2 * 4 and len(plan.design.prices) == 4
