"""A tiny version of every claim: its cases on a few digits, and accuracies and directions on all of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from eqspike.claims.catalogue import claim_folders
from eqspike.claims.runner import run_claim
from eqspike.claims.schema import CLAIM_FILE, read_claim

FOLDERS = claim_folders(Path(__file__).parents[2] / "experiments")
TINY = """
[quick.settings]
data = { name = "digits", validation = 0, train_limit = 60, test_limit = 40 }
network.hidden = [12]
training.epochs = 1
"""
NO_IMAGES = """
images = { size = 8, crop_padding = 0, flip = false, mean = [], std = [] }
optimiser.learning_rates = [0.1, 0.1]
dynamics = { free_steps = 15, nudged_steps = 5 }
"""
TWO_TASKS = 'tasks = { kind = "permuted", count = 2, datasets = [] }'
TINIER = {"scaling_ep": NO_IMAGES, "seven_algorithms": NO_IMAGES, "metaplasticity": TWO_TASKS}
QUICK = "[quick.settings]"


@pytest.fixture
def tiny(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a claim with its quick settings replaced by tiny ones."""
    folder = shutil.copytree(FOLDERS[request.param], tmp_path / request.param)
    text = (folder / CLAIM_FILE).read_text("utf-8")
    before, _, after = text.partition(QUICK)
    settings = TINY.lstrip() + TINIER.get(request.param, "")
    (folder / CLAIM_FILE).write_text(f"{before}{settings}\n{after[after.index('[[cases]]') :]}", "utf-8")
    return folder


@pytest.mark.parametrize("tiny", FOLDERS, indirect=True)
def test_every_case_runs_learns_and_is_counted(tiny: Path) -> None:
    document = run_claim(tiny, quick=True)
    claim = read_claim(tiny)
    assert list(document["cases"]) == [case.name for case in claim.cases]
    for name, case in document["cases"].items():
        (run,) = case["runs"].values()
        assert run["status"] == "complete", f"{name}: {run.get('error')}"
        assert sum(run["results"][f"{events}_per_inference"] for events in ("spikes", "synaptic_events", "macs")) > 0
        counts = run["counts"]["training_sample"]  # a binary weight may gather for long before it flips
        changed = [counts.get(kind, {}).get("input->hidden", 0) for kind in ("weight_writes", "accumulator_writes")]
        assert max(changed) > 0
        assert case["verdict"] == "not compared"


SPIKING = """
encoding = { kind = "regular", max_rate = 0.3 }
phases.free_ticks = 100
network.projections.0 = { learning_rate = 0.4, commit = "COMMIT", tau_synapse_ticks = 10 }
"""
FIXED = """
rule = { tau_ticks = 8, delay_ticks = 8 }
network.fixed_point = { weight_bits = 4, accumulator_bits = 8 }
"""
CASES = {  # name: settings, the case that it is compared with, bound
    "static": ("", None, "at_least = 0.92"),
    "no-random-sign": ("rule.random_sign = false", "static", "below = 0.0"),
    "short-free-phase": ("phases = { free_ticks = 20, readout_ticks = 10 }", "static", "below = 0.0"),
    "fixed-point": (FIXED, "static", "at_least = -0.01"),
    "hard-reset": ('network.neuron.reset = "hard"', "static", "below = 0.0"),
    "spiking": (SPIKING.replace("COMMIT", "end_of_phase"), None, "at_least = 0.91"),
    "spiking-immediate": (SPIKING.replace("COMMIT", "immediate"), "spiking", "below = 0.0"),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Verdicts of both claims on the whole digits, four epochs, three seeds."""
    folder = tmp_path_factory.mktemp("digits")
    parts = ['title = "t"\nstatement = "s"\nsource.reference = "r"']
    for name, (settings, compare, bound) in CASES.items():
        parts += ["[[cases]]", f'name = "{name}"', 'recipe = "eqspike-digits"', "seeds = [1, 2, 3]"]
        parts += ["[cases.settings]", "training.epochs = 4", settings, "[[cases.expect]]", bound]
        parts += [f'compare = "{compare}"'] if compare else []
    (folder / CLAIM_FILE).write_text("\n".join(parts), "utf-8")
    return {name: case["verdict"] for name, case in run_claim(folder)["cases"].items()}


@pytest.mark.parametrize("name", CASES)
def test_on_digits_the_claim_is_met(verdicts: dict[str, str], name: str) -> None:
    assert verdicts[name] == "met"
