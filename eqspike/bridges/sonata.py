"""Spikes as SONATA reports: a population for each layer, times in milliseconds, in order of time.

References
----------
Dai et al., PLoS Comput. Biol. 16(2):e1007696, 2020, doi:10.1371/journal.pcbi.1007696.
"""

from __future__ import annotations

import io
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eqspike.bridges.nir_file import inspect_hdf5
from eqspike.bridges.tables import Recording, Segment, recording_of
from eqspike.core.errors import ModelError
from eqspike.recording.files import check_output, write_atomically

if TYPE_CHECKING:
    from eqspike.substrates.spiking.simulation import Simulation
    from eqspike.training.run import Run

_MAGIC, _VERSION = 0x0A7A, (0, 1)
_SORTING = {"none": 0, "by_id": 1, "by_time": 2}
_PER_SECOND = {"milliseconds": 1e3, "ms": 1e3, "seconds": 1.0, "s": 1.0}


def write_sonata(
    path: str | PathLike, source: Run | Simulation | Recording, *, segment: int = 0, overwrite: bool = False
) -> None:
    """Write the spikes of a ``segment`` (a run's presentation; a simulation has one) as a SONATA spike report.

    Raises
    ------
    ModelError
        if there is no such segment, a layer's name is no name of an HDF5 group, or ``source`` holds no spikes.
    ProbeError
        if the run recorded no spikes.
    OutputError
        if the file exists and ``overwrite`` is false, or cannot be written.
    """
    import h5py

    check_output(path, overwrite=overwrite)
    recording = recording_of(source)
    if not 0 <= segment < len(recording.segments):
        raise ModelError(
            f"there is no segment {segment} of {len(recording.segments)}.", field="segment", remedy="Count from 0."
        )
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        file.attrs["magic"], file.attrs["version"] = np.uint32(_MAGIC), np.array(_VERSION, np.uint32)
        for layer, (t, i) in recording.segments[segment].spikes.items():
            if not layer or "/" in layer or layer in (".", "..") or "\0" in layer:
                raise ModelError("it is no name of a population.", field=f"layer {layer!r}", remedy="Rename the layer.")
            group, order = file.create_group(f"spikes/{layer}"), np.lexsort((i, t))
            kind = h5py.enum_dtype(_SORTING, basetype="u1")
            group.attrs.create("sorting", _SORTING["by_time"], dtype=kind)
            times = group.create_dataset("timestamps", data=np.asarray(t, np.float64)[order] * 1e3)
            times.attrs["units"] = "milliseconds"
            group.create_dataset("node_ids", data=np.asarray(i)[order].astype(np.uint64))
    write_atomically(path, held.getvalue(), overwrite=overwrite)


def read_sonata(path: str | PathLike) -> Recording:
    """Return the spikes of a SONATA report; the largest neuron of a population says how many it has.

    Everything is looked at before it is read: links, objects, data kept elsewhere and huge arrays are refused.

    Raises
    ------
    ModelError
        if there is no such file, or it is not a spike report that is safe to read.
    """
    import h5py

    where = str(path)
    if not Path(path).is_file():
        raise ModelError("there is no such file.", field=where, remedy="Check the path.")
    inspect_hdf5(where, "spikes", "a simulator of SONATA")
    with h5py.File(where, "r") as file:
        spikes = {layer: _population(group, f"{where}: spikes/{layer}") for layer, group in file["spikes"].items()}
    sizes = {layer: int(i.max(initial=-1)) + 1 for layer, (_, i) in spikes.items()}
    end = max((t.max(initial=0.0) for t, _ in spikes.values()), default=0.0)
    return Recording(Path(path).stem, sizes, (Segment(float(end), spikes),))


def _population(group: object, where: str) -> tuple[np.ndarray, np.ndarray]:
    import h5py

    members = [group.get(name) if isinstance(group, h5py.Group) else None for name in ("timestamps", "node_ids")]
    fits = all(isinstance(member, h5py.Dataset) and member.ndim == 1 for member in members)
    if not fits or members[0].shape != members[1].shape:
        raise ModelError(
            "it does not hold timestamps and node_ids, one a spike.", field=where, remedy="Write the report again."
        )
    unit = members[0].attrs.get("units", "milliseconds")
    unit = unit.decode("utf-8", "replace") if isinstance(unit, bytes) else unit
    for wrong, problem in (
        (not isinstance(unit, str) or unit not in _PER_SECOND, f"times are in {unit!r}."),
        (members[0].dtype.kind not in "fiu" or members[1].dtype.kind not in "iu", "times or neurons are no numbers."),
    ):
        if wrong:
            raise ModelError(problem, field=where, remedy="Store milliseconds and whole numbers.")
    times, ids = members[0][()].astype(np.float64) / _PER_SECOND[unit], members[1][()]
    for wrong, problem in (
        (not np.isfinite(times).all() or times.min(initial=0) < 0, "a time is before 0, or no time."),
        (ids.size and (int(ids.min()) < 0 or int(ids.max()) >= 2**31), "a neuron has a number out of range."),
    ):
        if wrong:
            raise ModelError(problem, field=where, remedy="Check the report.")
    order = np.lexsort((ids, times))
    return times[order], ids.astype(np.int64)[order]
