"""A placement as a figure: the cores of the mesh by how full they are, and the traffic between them."""

from __future__ import annotations

from os import PathLike

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from eqspike.core.errors import ConfigError
from eqspike.plots.style import BLUE, GREY, LABEL, ORANGE, TICK, TITLE, new_figure, save_figure
from hw_models.mapping import Placement

_KEYS = {
    "neurons_per_core": ("neurons", "neurons"),
    "synapse_bits_per_core": ("synapse_bits", "synaptic memory"),
    "axons_in_per_core": ("axons_in", "input axons"),
    "axons_out_per_core": ("axons_out", "output axons"),
}
_MAP = LinearSegmentedColormap.from_list("filling", ["#F2F7FB", BLUE, "#00304D"])
_LINES = 400  # pairs of cores that are drawn, the busiest
_MOST_ROUTERS = 65_536


def draw(placement: Placement, title: str = "") -> Figure:
    """Return the figure: left the fullest limit of every core on the mesh, right the busiest ways between cores.

    Raises
    ------
    ConfigError
        if there are more routers than a figure can show.
    """
    mesh = placement.mesh
    columns, rows = int(mesh.chip_x.max() + 1) * mesh.width, int(mesh.chip_y.max() + 1) * mesh.height
    if columns * rows > _MOST_ROUTERS:
        raise ConfigError(
            f"{columns} x {rows} cores are too many to draw.", field="--figure", remedy="Leave the option out."
        )
    figure, (left, right) = new_figure(10.6, 4.3, panels=2, caption=_caption(placement))
    filled, said = _filling(placement)
    table = np.full((rows, columns), np.nan)
    for x, y, share in zip(mesh.x, mesh.y, filled, strict=True):
        table[y, x] = np.nanmax([table[y, x], share])
    shown = left.imshow(table, cmap=_MAP, vmin=0, vmax=max(1.0, float(np.nanmax(table))), origin="lower", zorder=1)
    bar = figure.colorbar(shown, ax=left, fraction=0.046, pad=0.03)
    bar.set_label(said, fontsize=TICK)
    bar.ax.tick_params(labelsize=TICK)
    _draw_traffic(figure, right, placement)
    for axes in (left, right):
        _draw_ground(axes, columns, rows, mesh.width, mesh.height)
    left.set_title("How full the cores are", fontsize=TITLE, loc="left")
    right.set_title("Spikes between cores", fontsize=TITLE, loc="left")
    if title:
        figure.suptitle(title, fontsize=TITLE, x=0.5, y=0.995)
    return figure


def save(placement: Placement, path: str | PathLike, title: str = "", *, overwrite: bool = False) -> None:
    """Write the figure of :func:`draw` to ``path``."""
    save_figure(draw(placement, title), path, overwrite=overwrite)


def _filling(placement: Placement) -> tuple[np.ndarray, str]:
    """Return each core's share of the limit that is fullest over all cores, and what it is a share of."""
    for one in placement.constraints:
        if one.name in _KEYS and one.limit:
            key, said = _KEYS[one.name]
            return placement.per_core[key] / one.limit, f"share of its {said}"
    neurons = placement.per_core["neurons"]
    return neurons / max(1, neurons.max()), "neurons, share of the fullest core"


def _draw_traffic(figure: Figure, axes: Axes, placement: Placement) -> None:
    mesh, (source, target, spikes) = placement.mesh, placement.between
    arriving = placement.traffic.inflow + placement.traffic.outside
    size = 26 if len(mesh.x) <= 256 else 6
    if len(source):
        busiest = np.argsort(spikes)[-_LINES:]
        ends = np.stack(
            [
                np.stack([mesh.x[source[busiest]], mesh.y[source[busiest]]], axis=1),
                np.stack([mesh.x[target[busiest]], mesh.y[target[busiest]]], axis=1),
            ],
            axis=1,
        )
        strength = spikes[busiest] / spikes[busiest].max()
        axes.add_collection(
            LineCollection(ends, linewidths=0.4 + 2.6 * strength, colors=ORANGE, alpha=0.25 + 0.5 * strength, zorder=2)
        )
    dots = axes.scatter(
        mesh.x, mesh.y, c=arriving, cmap=_MAP, s=size, edgecolors=GREY, linewidths=0.4, zorder=3, vmin=0
    )
    bar = figure.colorbar(dots, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label("spikes into the core, a presentation", fontsize=TICK)
    bar.ax.tick_params(labelsize=TICK)


def _draw_ground(axes: Axes, columns: int, rows: int, width: int, height: int) -> None:
    """Draw the borders of chips, and equal squares."""
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(-0.6, rows - 0.4)
    axes.set_aspect("equal")
    for x in range(0, columns + 1, width):
        axes.axvline(x - 0.5, color=GREY, lw=0.8, zorder=1.5)
    for y in range(0, rows + 1, height):
        axes.axhline(y - 0.5, color=GREY, lw=0.8, zorder=1.5)
    axes.set_xlabel("column of the mesh", fontsize=LABEL)
    axes.set_ylabel("row of the mesh", fontsize=LABEL)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.get_major_locator().set_params(integer=True)


def _caption(placement: Placement) -> str:
    chips = f"{placement.chips} chip{'s' if placement.chips > 1 else ''}"
    placed = f"{placement.graph.neurons:,} neurons on {placement.cores:,} cores of {chips}"
    sent = f"{placement.intercore_spikes:,.0f} spikes of a presentation go from core to core"
    several = " Where several cores share a router, the fullest is shown." if placement.mesh.depth > 1 else ""
    known = "" if placement.graph.spikes_known else " One spike per neuron and presentation was assumed."
    lines = f" Lines: the {_LINES} busiest pairs of cores at most, the wider the more spikes."
    return (
        f"{placement.graph.neurons:,} neurons on {placement.cores:,} cores of {chips}; {sent}.{lines}{several}{known}"
    )
