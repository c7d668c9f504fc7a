"""The energy of an event against rate, beside arithmetic by hand."""

from __future__ import annotations

import pytest

from hw_models import load_chip
from hw_models.estimator import event_energy, published_events

NEURONS = 4096 * 256


def test_truenorth_at_twenty_hertz_has_its_headline() -> None:
    made = event_energy(load_chip("truenorth"), 20, neurons=NEURONS, fan_out=128)
    by_hand = 64.43e-3 / (NEURONS * 20 * 128) + 2.297e-12
    assert made.all_in.value == pytest.approx(by_hand, rel=1e-9)
    assert made.all_in.value == pytest.approx(26e-12, rel=0.02)  # Merolla et al. 2014
    assert made.marginal.value == pytest.approx(2.297e-12, rel=1e-9)


def test_only_the_static_share_falls_with_the_rate() -> None:
    slow, fast = (event_energy(load_chip("truenorth"), rate, neurons=NEURONS, fan_out=128) for rate in (5, 50))
    shares = [made.all_in.value - made.marginal.value for made in (slow, fast)]
    assert shares[0] == pytest.approx(10 * shares[1], rel=1e-9)


def test_published_points_stand_at_their_rates() -> None:
    points = published_events(load_chip("truenorth"), neurons=NEURONS, fan_out=128)
    assert (11.58, 68e-3 / (NEURONS * 11.58 * 128)) in [pytest.approx(point, rel=1e-6) for point in points]
    assert published_events(load_chip("truenorth"), neurons=7, fan_out=128) == []


def test_another_tick_leaves_the_rate_and_so_the_static_share_as_they_are() -> None:
    chip = load_chip("truenorth")
    slow, fast = (event_energy(one, 20, neurons=NEURONS, fan_out=128) for one in (chip, chip.at(tick_s=1e-4)))
    assert fast.all_in.value == pytest.approx(slow.all_in.value, rel=1e-9)
