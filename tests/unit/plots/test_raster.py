"""The raster of a simulation."""

from __future__ import annotations

import numpy as np

from eqspike.plots.raster import draw_raster


def test_layers_stand_above_each_other_and_rates_are_per_neuron() -> None:
    t = np.linspace(0, 2, 400, endpoint=False)
    spikes = {"few": (t[::40], np.zeros(10, int)), "many": (t, np.arange(400) % 200)}
    raster, rates = draw_raster(spikes, {"few": 1, "many": 200}, 2.0, title="two").axes
    few, many = raster.lines
    assert few.get_xdata().min() >= 1, "the last second is shown"
    assert set(few.get_ydata()) == {0}
    assert many.get_ydata().min() > 0 and len(many.get_ydata()) == 100, "100 of 200 neurons, half of the time"
    np.testing.assert_allclose(rates.lines[1].get_ydata(), 1.0)
    np.testing.assert_allclose(rates.lines[0].get_ydata().mean(), 5.0)
