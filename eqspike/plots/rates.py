"""What a synaptic event costs against the mean rate of a network that fills a chip."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from eqspike.plots.style import BLACK, BLUE, LABEL, ORANGE, TITLE, new_figure
from hw_models.estimator import EventEnergy

_PJ = 1e12


def draw_event_energy(
    curve: Sequence[EventEnergy], published: Sequence[tuple[float, float]], *, title: str, caption: str
) -> Figure:
    """Return a figure of the energy of an event, all-in and marginal with their bands, beside published points.

    Parameters
    ----------
    curve : energies at rising rates.
    published : (rate in Hz, joules of an event, all-in).
    """
    figure, (axes,) = new_figure(7.0, 4.0, caption=caption)
    rates = [point.rate_hz for point in curve]
    for name, colour in (("all_in", BLUE), ("marginal", ORANGE)):
        bands = [getattr(point, name) for point in curve]
        label = {"all_in": "all-in: every part over the events", "marginal": "marginal: one event more"}[name]
        axes.plot(rates, [_PJ * band.value for band in bands], color=colour, label=label)
        low, high = ([_PJ * getattr(band, key) for band in bands] for key in ("low", "high"))
        axes.fill_between(rates, low, high, color=colour, alpha=0.18, linewidth=0)
    if published:
        x, y = zip(*published, strict=True)
        axes.plot(x, [_PJ * each for each in y], "o", color=BLACK, markersize=5, label="published")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(rates[0], rates[-1])
    axes.set_xlabel("mean rate (Hz)", fontsize=LABEL)
    axes.set_ylabel("energy of a synaptic event (pJ)", fontsize=LABEL)
    axes.set_title(title, fontsize=TITLE, loc="left", pad=8)
    axes.legend(frameon=False, fontsize=LABEL - 1)
    return figure
