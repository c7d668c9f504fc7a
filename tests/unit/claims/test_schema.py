"""What claim.toml may say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from eqspike import open_run, resolve, train
from eqspike.claims.schema import GRADIENT_QUANTITIES, TRAINING_QUANTITIES, flattened, read_claim
from eqspike.core.errors import ConfigError


def test_a_claim_is_read_with_its_settings_as_dotted_keys(folder: Path) -> None:
    claim = read_claim(folder)
    assert [case.name for case in claim.cases] == ["base", "short"]
    assert claim.cases[1].settings["phases.free_ticks"] == 30
    assert claim.cases[0].settings["data.train_limit"] == 60
    assert claim.cases[0].expect[0].bounds == {"at_least": 0.0}
    assert claim.quick.settings == {"data.train_limit": 20}


def test_places_in_lists_are_keys_like_others() -> None:
    nested = {"network": {"projections": {"0": {"commit": "immediate"}}, "hidden": [3]}, "rule.beta": 1.0}
    assert flattened(nested) == {
        "network.projections.0.commit": "immediate",
        "network.hidden": [3],
        "rule.beta": 1.0,
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[quick.settings]", "[quik.settings]", "quik.*Did you mean 'quick'"),
        ("at_least = 0.0", "at_leest = 0.0", "at_leest.*Did you mean 'at_least'"),
        ("at_least = 0.0", "aim = inf", "aim.*finite"),
        ('published_grade = "recalled"', "", "published_grade"),
        ('compare = "base"', 'compare = "bass"', "'short' is compared with 'bass'"),
        ('compare = "base"', 'compare = "short"', "'short' is compared with 'short'"),
        ('compare = "base"\n', "", "ratio needs compare"),
        ("spikes_per_inference", "spikes_per_inferense", "quantity"),
        ("spikes_per_inference", "energy_per_inference_j", "needs a chip: .*generic-45nm"),
        ("spikes_per_inference", 'spikes_per_inference"\nchip = "generic-45nm', "spikes_per_inference has no chip"),
        ('title = "Digits are learnt"', 'title = "t"\nfigure = "error"', "figure"),
        ('name = "short"', 'name = "base"', "same name"),
        ('name = "short"', 'name = "Short one"', "cases.1.name"),
        ('name = "short"', 'name = "short"\nmeasure = "gradient"', "cases.1.measure"),
        ("seeds = [1, 2]", "seeds = [2, 2]", "seeds must be different"),
        ("seeds = [1, 2]", "seeds = []", "seeds"),
        ('title = "Digits are learnt"', "", "title.*missing"),
        ("[source]", "[source", "not valid TOML"),
    ],
)
def test_a_mistake_is_named(folder: Path, claim_text: str, old: str, new: str, said: str) -> None:
    assert old in claim_text
    (folder / "claim.toml").write_text(claim_text.replace(old, new, 1))
    with pytest.raises(ConfigError, match=f"claim.toml.*{said}"):
        read_claim(folder)


def test_a_folder_without_a_claim_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"claim\.toml: there is no such file"):
        read_claim(tmp_path)


def test_the_quantities_are_the_results_of_a_run(tmp_path: Path) -> None:
    spec = resolve("eqspike-digits", {"training.epochs": 1, "data.train_limit": 10, "data.test_limit": 5})
    train(spec, out=tmp_path / "run.h5")
    assert set(open_run(tmp_path / "run.h5").results) == set(TRAINING_QUANTITIES)


def test_gradients_are_measured_where_a_case_asks_for_it(folder: Path, claim_text: str) -> None:
    assert [case.measure for case in read_claim(folder).cases] == ["training", "training"]
    for quantity in GRADIENT_QUANTITIES:
        asked = claim_text.replace("spikes_per_inference", quantity)
        (folder / "claim.toml").write_text(asked)
        with pytest.raises(ConfigError, match=f"{quantity} needs measure = 'gradients'"):
            read_claim(folder)
        (folder / "claim.toml").write_text(asked.replace('name = "short"', 'name = "short"\nmeasure = "gradients"'))
        assert read_claim(folder).cases[1].measure == "gradients"
