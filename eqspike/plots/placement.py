"""A placement as a figure: the cores of the mesh by how full they are, and the traffic over its links."""

from __future__ import annotations

from os import PathLike

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from eqspike.core.errors import ConfigError
from eqspike.core.units import engineering
from eqspike.plots.style import BLUE, GREY, LABEL, ORANGE, TICK, TITLE, new_figure, save_figure
from hw_models.mapping import Placement

_KEYS = {
    "neurons_per_core": ("neurons", "neurons"),
    "synapse_bits_per_core": ("synapse_bits", "synaptic memory"),
    "axons_in_per_core": ("axons_in", "input axons"),
    "axons_out_per_core": ("axons_out", "output axons"),
}
_FILLING = LinearSegmentedColormap.from_list("filling", ["#E3EEF6", BLUE, "#00304D"])
_LOAD = LinearSegmentedColormap.from_list("load", ["#FBE3D3", ORANGE, "#5A2600"])
_MOST_ROUTERS, _SMALL_MESH = 65_536, 256
_BAR_IN, _GAP_IN, _ROOM_IN = 0.14, 0.12, 1.05  # the colour bar beside a panel, and the room for it with its words
_WIDTH_IN, _PANEL_IN, _LEAST_IN, _MOST_IN = 10.6, 3.3, 1.2, 4.2  # of the figure; of a panel's sides


def draw(placement: Placement, title: str = "") -> Figure:
    """Return the figure: left the fullest limit of every core on the mesh, right the spikes over each link of it.

    Raises
    ------
    ConfigError
        if there are more routers than a figure can show.
    """
    mesh = placement.mesh
    columns, rows = _shown(placement)
    if columns * rows > _MOST_ROUTERS:
        raise ConfigError(
            f"{columns} x {rows} cores are too many to draw.", field="--figure", remedy="Leave the option out."
        )
    figure, (left, right) = new_figure(_WIDTH_IN, _height(columns, rows), panels=2, caption=_caption(placement))
    for axes in (left, right):
        _draw_ground(axes, columns, rows, mesh.width, mesh.height)
    _draw_filling(left, placement, columns, rows)
    _draw_links(right, placement, columns, rows)
    left.set_title(title or "How full the cores are", fontsize=TITLE, loc="left")
    right.set_title("Spikes over the links of the mesh", fontsize=TITLE, loc="left")
    return figure


def save(placement: Placement, path: str | PathLike, title: str = "", *, overwrite: bool = False) -> None:
    """Write the figure of :func:`draw` to ``path``."""
    save_figure(draw(placement, title), path, overwrite=overwrite)


def _shown(placement: Placement) -> tuple[int, int]:
    """Return the columns and rows up to the last core in use, the whole of a small mesh."""
    mesh = placement.mesh
    columns, rows = int(mesh.x.max()) + 1, int(mesh.y.max()) + 1
    whole = mesh.width * mesh.height <= _SMALL_MESH
    return (max(columns, mesh.width), max(rows, mesh.height)) if whole else (columns, rows)


def _height(columns: int, rows: int) -> float:
    """Return the height of panels whose width shows the columns of the mesh as squares."""
    return float(np.clip(_PANEL_IN * (rows + 0.2) / (columns + 0.2), _LEAST_IN, _MOST_IN))


def link_loads(placement: Placement, columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the spikes of a presentation over each link: (rows, columns - 1) along rows, (rows - 1, columns) across.

    A spike goes along its row first, then along the column, once for each core that it reaches.
    """
    mesh, (source, target, spikes) = placement.mesh, placement.between
    along, across = np.zeros((rows, columns + 1)), np.zeros((rows + 1, columns))
    x, u, y, v = mesh.x[source], mesh.x[target], mesh.y[source], mesh.y[target]
    np.add.at(along, (y, np.minimum(x, u)), spikes)
    np.add.at(along, (y, np.maximum(x, u)), -spikes)
    np.add.at(across, (np.minimum(y, v), u), spikes)
    np.add.at(across, (np.maximum(y, v), u), -spikes)
    return np.cumsum(along, axis=1)[:, : columns - 1], np.cumsum(across, axis=0)[: rows - 1]


def _draw_filling(axes: Axes, placement: Placement, columns: int, rows: int) -> None:
    filled, said = _filling(placement)
    table = np.full((rows, columns), np.nan)
    for x, y, share in zip(placement.mesh.x, placement.mesh.y, filled, strict=True):
        table[y, x] = np.nanmax([table[y, x], share])
    sides = np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5
    shown = axes.pcolormesh(*sides, table, cmap=_FILLING, vmin=0, vmax=max(1.0, float(np.nanmax(table))))
    _bar(axes, shown, said)


def _filling(placement: Placement) -> tuple[np.ndarray, str]:
    """Return each core's share of the limit that is fullest over all cores, and what it is a share of."""
    for one in placement.constraints:
        if one.name in _KEYS and one.limit:
            key, said = _KEYS[one.name]
            return placement.per_core[key] / one.limit, f"share of its {said}"
    neurons = placement.per_core["neurons"]
    return neurons / max(1, neurons.max()), "neurons, share of the fullest core"


def _draw_links(axes: Axes, placement: Placement, columns: int, rows: int) -> None:
    along, across = link_loads(placement, columns, rows)
    segments = [((x, y), (x + 1, y)) for y in range(rows) for x in range(columns - 1)]
    segments += [((x, y), (x, y + 1)) for y in range(rows - 1) for x in range(columns)]
    loads = np.concatenate([along.reshape(-1), across.reshape(-1)])
    thick = np.clip(90 / max(columns, rows), 0.8, 7.0)
    axes.plot(placement.mesh.x, placement.mesh.y, "s", color=GREY, ms=thick, zorder=3, mew=0)
    if not len(loads) or not loads.max() > 0:
        axes.text(0.5, 0.7, "no spike crosses a link", transform=axes.transAxes, ha="center", fontsize=LABEL)
        return
    used = loads > 0
    lines = LineCollection(np.array(segments)[used], array=loads[used], cmap=_LOAD, linewidths=thick, zorder=2)
    lines.set_clim(0, loads.max())
    axes.add_collection(lines)
    _bar(axes, lines, "spikes of a presentation").formatter = FuncFormatter(lambda load, _: engineering(load, ""))


def _bar(axes: Axes, shown, said: str):
    """Draw a colour bar beside the axes."""
    width = axes.figure.get_size_inches()[0]
    place = axes.get_position()
    beside = axes.figure.add_axes([place.x1 + _GAP_IN / width, place.y0, _BAR_IN / width, place.height])
    bar = axes.figure.colorbar(shown, cax=beside)
    bar.set_label(said, fontsize=TICK)
    bar.ax.tick_params(labelsize=TICK)
    return bar


def _draw_ground(axes: Axes, columns: int, rows: int, width: int, height: int) -> None:
    """Draw the borders of chips, and equal squares, as large as the room beside a colour bar allows."""
    place, (across, up) = axes.get_position(), axes.figure.get_size_inches()
    side = min((place.width * across - _ROOM_IN) / (columns + 0.2), place.height * up / (rows + 0.2))
    wide, high = max(side * (columns + 0.2), _LEAST_IN), max(side * (rows + 0.2), _LEAST_IN)
    axes.set_position([place.x0, place.y1 - high / up, wide / across, high / up])
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(-0.6, rows - 0.4)
    for x in range(0, columns + 1, width):
        axes.axvline(x - 0.5, color=GREY, lw=0.8, zorder=1.5)
    for y in range(0, rows + 1, height):
        axes.axhline(y - 0.5, color=GREY, lw=0.8, zorder=1.5)
    axes.set_xlabel("column of the mesh", fontsize=LABEL)
    axes.set_ylabel("row of the mesh", fontsize=LABEL)
    axes.set_xticks(range(0, columns, max(1, columns // 8)))
    axes.set_yticks(range(0, rows, max(1, rows // 8)))


def _caption(placement: Placement) -> str:
    mesh = placement.mesh
    several = f"{placement.chips} chips" if placement.chips > 1 else "one chip"
    cores = f"{placement.cores:,} cores" if placement.cores > 1 else "one core"
    parts = [
        f"{placement.graph.neurons:,} neurons on {cores} of {several} ({mesh.width} x {mesh.height} routers each); "
        f"{placement.intercore_spikes:,.0f} spikes of a presentation go from core to core.",
        "Each goes along its row first, then along the column, once for each core that it reaches.",
    ]
    if mesh.depth > 1:
        parts.append("Where several cores share a router, the fullest is shown.")
    if not len(placement.between[0]) and placement.intercore_spikes:
        parts.append("There are too many pairs of cores to draw their traffic.")
    if not placement.graph.spikes_known:
        parts.append("One spike per neuron and presentation was assumed.")
    return " ".join(parts)
