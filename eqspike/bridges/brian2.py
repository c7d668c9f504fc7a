"""Networks of the spiking substrate as Brian2 scripts: readable, runnable, with what they need beside them.

References
----------
Stimberg, Brette and Goodman, eLife 8:e47314, 2019, doi:10.7554/eLife.47314.
"""

from __future__ import annotations

import io
import re
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eqspike.bridges.brian2_script import script_text
from eqspike.core.errors import DataError, ModelError, OutputError
from eqspike.core.rng import Purpose
from eqspike.kernels import encoders
from eqspike.kernels.philox import uniforms
from eqspike.recording.files import check_output, write_atomically
from eqspike.training.spiking_spec import SpikingSpec

if TYPE_CHECKING:
    from eqspike.network.description import Network
    from eqspike.training.run import Run

_KINDS = {"regular": encoders.REGULAR, "poisson": encoders.POISSON}


def require_brian2() -> None:
    """Refuse to go on without Brian2.

    Raises
    ------
    ModelError
        if it is not installed.
    """
    if find_spec("brian2") is None:
        raise ModelError(
            "there is no package brian2.", field="brian2", remedy="Install it with: pip install 'eqspike[brian2]'."
        )


def write_brian2(
    run: Run, images: np.ndarray, labels: np.ndarray, out: str | PathLike, *, overwrite: bool = False
) -> tuple[Path, Path]:
    """Write ``run`` as the Brian2 script ``out`` and, beside it, an .npz of what it reads; return both paths.

    The script shows ``images`` (n, n_pixels) to the network as it stands, or with ``--learn`` learns from them with
    ``labels`` (n,) as EqSpike does; nudge signs and input spikes are those of the emulator's first n presentations.
    Brian2 is not needed to write it.

    Raises
    ------
    ModelError
        if the run is not of the spiking substrate, or computes in a chip's integers.
    DataError
        if the samples do not fit the network.
    OutputError
        if the name does not end in .py or has odd characters, or a file exists and ``overwrite`` is false.
    """
    script = Path(out)
    check_spiking(run)
    for wrong, problem, remedy in (
        (script.suffix != ".py", "the script is a Python file.", "End the name in .py."),
        (
            re.fullmatch(r"[\w. -]+", script.name) is None,
            "a script is called by its name.",
            "Use letters, digits and . - _ alone.",
        ),
    ):
        if wrong:
            raise OutputError(problem, field=str(out), remedy=remedy)
    beside = script.with_suffix(".npz")
    for path in (script, beside):
        check_output(path, overwrite=overwrite)
    arrays = arrays_of(run, images, labels)
    text = script_text(run.spec, run.network, script.name)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_atomically(beside, buffer.getvalue(), overwrite=overwrite)
    write_atomically(script, text.encode("utf-8"), overwrite=overwrite)
    return script, beside


def check_spiking(run: Run) -> None:
    """Refuse a run that Brian2 has no words for.

    Raises
    ------
    ModelError
        if it is not of the spiking substrate, or computes in a chip's integers.
    """
    for wrong, problem, remedy in (
        (
            not isinstance(run.spec, SpikingSpec),
            f"networks of the substrate '{getattr(run.spec, 'substrate', '?')}' do not spike.",
            "Give a run of the spiking substrate.",
        ),
        (
            isinstance(run.spec, SpikingSpec) and run.spec.network.fixed_point is not None,
            "the integers of a chip are not written.",
            "Give a network without network.fixed_point.",
        ),
    ):
        if wrong:
            raise ModelError(problem, field=run.spec.name, remedy=remedy)


def arrays_of(run: Run, images: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return what the script reads, by name: weights, biases, images, labels, nudge signs, input spikes."""
    network, spec = run.network, run.spec
    images, labels = np.asarray(images, np.float64), np.asarray(labels, np.int64)
    sizes = network.layers[0].size, network.layers[-1].size
    for wrong, problem in (
        (images.shape != (len(labels), sizes[0]), f"images of shape {images.shape} for {len(labels)} labels."),
        (len(labels) == 0, "there is none."),
        (labels.size and not (labels.min() >= 0 and labels.max() < sizes[1]), "a label is no output."),
        (not np.isfinite(images).all(), "a pixel is not a finite number."),
    ):
        if wrong:
            raise DataError(problem, field="samples", remedy=f"Give (n, {sizes[0]}) images and n labels.")
    weights, biases = run.substrate.get_weights()
    found = {"images": images, "labels": labels, "signs": _signs(spec, len(labels))}
    found |= {f"weights/{name}": values for name, values in weights.items()}
    found |= {f"biases/{name}": values for name, values in biases.items()}
    return found | (_input_spikes(spec, network, images) if network.layers[0].kind == "source" else {})


def _signs(spec: SpikingSpec, n: int) -> np.ndarray:
    """Return the sign of the nudge of each of the first ``n`` presentations."""
    if not spec.rule.random_sign:
        return np.ones(n)
    purpose = int(Purpose.NUDGE_SIGN)
    return np.array([-1.0 if uniforms(spec.seed, purpose, k, 0)[0] > 0.5 else 1.0 for k in range(n)])


def _input_spikes(spec: SpikingSpec, network: Network, images: np.ndarray) -> dict[str, np.ndarray]:
    """Return the input spikes of each presentation, a row each: sample, tick, neuron."""
    ticks, size = spec.phases.free_ticks + spec.phases.nudged_ticks, network.layers[0].size
    starts, ids = np.zeros(ticks + 1, np.int64), np.zeros(size * ticks, np.int32)
    scratch, rows = np.zeros((2, size * ticks), np.int32), []
    kind, rate = _KINDS[spec.encoding.kind], float(spec.encoding.max_rate)
    for sample, image in enumerate(images):
        n = encoders.encode(
            image, kind, rate, ticks, int(spec.seed), int(Purpose.INPUT_SPIKES), sample, starts, ids, scratch
        )
        tick = np.repeat(np.arange(ticks), np.diff(starts))
        rows.append(np.stack([np.full(n, sample), tick, ids[:n]]))
    columns = np.concatenate(rows, axis=1)
    return {f"input/{name}": columns[k] for k, name in enumerate(("sample", "tick", "neuron"))}
