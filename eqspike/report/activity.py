"""What happens inside the network of a run: spikes, rates, weights, and the window of its rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from eqspike.core.html import table, whole
from eqspike.core.units import engineering
from eqspike.report.section import Section, picture, scrolled
from eqspike.report.source import Source

if TYPE_CHECKING:
    from eqspike.training.run import Run

_LAYERS = 8  # drawn at most
_TITLES = {"raster": "Spikes of a sample", "rates": "Rates", "weights": "Weights", "window": "Spike timing"}


def raster(source: Source) -> Section:
    """Return the spikes of the first test sample, presented once more as in training."""
    run = source.run
    if run.spec.substrate != "spiking":
        return _missing("raster", f"The states of a {run.spec.substrate} network are no spikes over time.")
    if isinstance(source.exam, str):
        return _missing("raster", source.exam)
    from eqspike.plots.inside import SHOWN, draw_sample

    test, phases = source.exam.samples, run.spec.phases
    if not len(test.y_test):
        return _missing("raster", "The data set has no test samples.")
    record = run.substrate.observe(test.x_test, test.y_test, 0, states=False)
    spikes = []
    for layer in run.network.layers[:_LAYERS]:
        when, who = np.nonzero(record.raster[:, run.substrate.compiled.block(layer.name)])
        if len(when) or layer.kind != "static":
            spikes.append((layer.name, layer.size, when, who))
    counts = ", ".join(f"{len(when):,} in {name}" for name, _, when, _ in spikes)
    span = engineering(len(record.raster) * run.spec.tick_s, "s")
    said = (
        f"The first test sample, class '{_name(test, int(test.y_test[0]))}', presented as in training: "
        f"{len(record.raster)} ticks, which emulate {span}. Spikes: {counts}. At most {SHOWN} neurons of a layer are "
        "shown."
    )
    figure = draw_sample(spikes, len(record.raster), phases.free_ticks)
    return Section("raster", _TITLES["raster"], (picture(figure, f"Spike raster. {said}", said, kind="png"),))


def _name(samples, label: int) -> str:
    return samples.class_names[label] if samples.class_names else str(label)


def rates(source: Source) -> Section:
    """Return how much every neuron fires in a presentation."""
    from eqspike.plots.inside import draw_rates

    if not source.each:
        return _missing("rates", "No spikes of single neurons were counted.")
    what = "flips" if source.run.spec.substrate == "binary" else "spikes"
    phase = next(name for name in ("inference", "free", "nudged") if name in source.each)
    drawn = dict(list(source.each[phase].items())[:_LAYERS])
    rows = [
        (f"{phase}, {name}", *(f"{number:.3g}" for number in (each.mean(), np.median(each), each.max())), _silent(each))
        for phase, layers in source.each.items()
        for name, each in layers.items()
    ]
    columns = ("phase and layer", "mean", "median", "most", "silent neurons")
    numbers = scrolled(table(f"{what.capitalize()} of a neuron and presentation", columns, rows), f"{what} in numbers")
    said = f"Histograms of {what} of a neuron and presentation, phase {phase}; the dashed line is the mean."
    return Section("rates", _TITLES["rates"], (picture(draw_rates(drawn, what), said, said), numbers))


def _silent(each: np.ndarray) -> str:
    return f"{np.mean(each == 0):.1%}"


def weights(source: Source) -> Section:
    """Return weights of the first projection as pictures, and of all as histograms."""
    from eqspike.plots.inside import PICTURES, draw_fields, draw_weights

    run = source.run
    stored = run.weights
    learnt = {p.name: stored[p.name] for p in run.network.projections[:_LAYERS]}
    rows = [
        (
            name,
            whole(values.size),
            *(f"{number:.3g}" for number in (values.min(), values.mean(), values.max(), values.std())),
        )
        for name, values in learnt.items()
    ]
    columns = ("projection", "weights", "least", "mean", "most", "standard deviation")
    shown = [
        picture(draw_weights(learnt), "Histograms of the weights of every projection, logarithmic.", kind="png"),
        scrolled(table("Weights of every projection", columns, rows), "weights in numbers"),
    ]
    name, pictures = _fields(run, learnt)
    if pictures is not None:
        said = (
            f"Weights of {min(PICTURES, len(pictures))} of {len(pictures)} neurons or channels, {name}: blue negative, "
        )
        said += "orange positive, each scaled by its own largest."
        shown.insert(0, picture(draw_fields(pictures), f"Weight maps. {said}", said, kind="png"))
    return Section("weights", _TITLES["weights"], tuple(shown))


def _fields(run: Run, learnt: Mapping[str, np.ndarray]) -> tuple[str, np.ndarray | None]:
    """Return the first projection's weights as pictures (n, height, width), where what they come from is an image."""
    name, values = next(iter(learnt.items()))
    if values.ndim == 4:
        return name, np.moveaxis(values.mean(axis=2), 2, 0)
    shape = tuple(run.data.get("image_shape", ()))
    if len(shape) not in (2, 3) or int(np.prod(shape)) != len(values):
        return name, None
    pictures = values.T.reshape(-1, *shape)
    return name, pictures if len(shape) == 2 else pictures.mean(axis=3)


def window(source: Source) -> Section:
    """Return the rule's window of spike-timing-dependent plasticity."""
    spec = source.run.spec
    if spec.substrate != "spiking":
        return _missing("window", f"A {spec.substrate} network has no rule that pairs spike times.")
    from eqspike.analysis.stdp import rate_ramp
    from eqspike.plots.stdp import draw

    found = rate_ramp(spec.rule, tick_s=spec.tick_s)
    crossing = f" It crosses zero at {engineering(found.crossing.difference_s, 's')}." if found.crossing else ""
    said = f"Weight change against the time between a pre and a post spike, rule {found.rule}.{crossing}"
    return Section(
        "window", _TITLES["window"], (picture(draw(found), f"{said} {found.caption}", said, kind="png", wide=True),)
    )


def _missing(name: str, reason: str) -> Section:
    return Section(name, _TITLES[name], reason=reason)
