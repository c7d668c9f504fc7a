"""The benchmark of binary networks: what it compares, that the peer computes the same, and what it says where not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eqspike.bench import binary
from eqspike.core.errors import ConfigError
from eqspike.data import load_dataset
from eqspike.training.api import resolve
from eqspike.training.run import new_run

SMALL = {
    "binary-ep-a-4096": {"data.name": "digits", "network.hidden": [70], "training.batch": 16},
    "binary-ep-b-8192": {"data.name": "digits", "network.hidden": [70], "network.expand": 4, "training.batch": 16},
}
RECIPES = tuple(SMALL)


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


@pytest.fixture(scope="module")
def peer():
    return binary.load_peer(Path(__file__).parent)


@pytest.fixture(autouse=True)
def few_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"_WARM": 8, "_OURS": 4, "_THEIRS": 2, "_ANSWERED": 300, "_ANSWERED_THEIRS": 100}.items():
        monkeypatch.setattr(binary, name, value)


def learnt(recipe: str, digits):
    run = new_run(resolve(recipe, SMALL[recipe]), digits)
    run.substrate.train(digits.x_train, digits.y_train, np.arange(128), 0, 128, scale=1.0, offset=0)
    return run


@pytest.mark.parametrize("cached_input", [False, True])
def test_with_binary_activations_the_peer_ends_in_the_same_states_and_learns_the_same(
    digits, peer, cached_input
) -> None:
    run = learnt("binary-ep-b-8192", digits)
    said = binary.agreement(run, binary.twin_of(run, peer, cached_input=cached_input), digits)
    assert said == "states, signs and accumulators equal bit for bit"


def test_with_real_activations_the_peer_agrees_to_rounding(digits, peer) -> None:
    run = learnt("binary-ep-a-4096", digits)
    said = binary.agreement(run, binary.twin_of(run, peer, cached_input=False), digits)
    worst = float(said.split()[3].rstrip(","))
    assert 0 < worst < 1e-5
    assert said.endswith(" 0 of 5180 signs differ")


def test_a_peer_of_other_weights_or_other_accumulators_is_told_from_the_same(digits, peer) -> None:
    run = learnt("binary-ep-b-8192", digits)
    twin = binary.twin_of(run, peer, cached_input=False)
    twin.signs[0][0, 0] *= -1
    assert " 1 of 7280 signs differ" in binary.agreement(run, twin, digits)
    run = learnt("binary-ep-b-8192", digits)
    twin = binary.twin_of(run, peer, cached_input=False)
    twin.flips[1].momentum[3, 2] += 1e-9
    assert "bit for bit" not in binary.agreement(run, twin, digits)


def test_a_ratio_is_how_many_times_less_we_take_for_as_much(digits, peer, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = dict(zip(["ours", *binary.PEERS], [0.5, 8.0, 2.0], strict=True))
    monkeypatch.setattr(binary, "in_turn", lambda works, repeats, clock: {name: seconds[name] for name in works})
    recipe = RECIPES[1]
    every, once = binary.training("t", recipe, digits, peer, 1, SMALL[recipe])
    assert every.ours == once.ours == pytest.approx(0.5 * 60_000 / 64)  # 4 mini-batches of 16
    assert every.peer_value == pytest.approx(8 * 60_000 / 32)
    assert (every.ratio, once.ratio) == pytest.approx((32, 8))
    every, once = binary.inference("i", recipe, digits, peer, 1, SMALL[recipe])
    assert (every.ours, every.peer_value) == pytest.approx((600, 100 / 8))
    assert (every.ratio, once.ratio) == pytest.approx((48, 12))
    assert "100 of 100 answers equal" in every.note


@pytest.mark.parametrize("recipe", RECIPES)
def test_timings_are_taken_of_both_peers(recipe: str, digits, peer) -> None:
    rows = list(binary.training("t", recipe, digits, peer, 1, SMALL[recipe]))
    assert [row.peer for row in rows] == list(binary.PEERS)
    assert all(row.ours > 0 and row.peer_value > 0 for row in rows)


def test_outside_a_checkout_the_missing_peer_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tests/reference/binary\.py .*Run this in a checkout"):
        binary.load_peer(tmp_path)
