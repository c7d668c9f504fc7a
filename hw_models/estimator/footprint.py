"""How much a network takes on a chip: kilobytes, neurons, synapses, cores and chips."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from hw_models.chips import Chip
from hw_models.workload import ProjectionShape, Workload

BITS_PER_KB = 8 * 1024


@dataclass(frozen=True)
class Footprint:
    """Sizes that static power and area need; a kB is 1024 bytes.

    Parameters
    ----------
    kb : memory of weights with their copies, neuron state and, while learning, accumulators and traces.
    cell_kb : the part of ``kb`` that stands in the larger, transposable cells.
    neurons, synapses : stateful neurons; stored weights with their copies.
    cores, chips : cores in use on all chips, and chips.
    """

    kb: float
    cell_kb: float
    neurons: int
    synapses: int
    cores: int
    chips: int


def weight_bits(chip: Chip, projection: ProjectionShape) -> int:
    """Return the bits in which the chip stores a weight: those asked of it, else the network's, up to its widest."""
    asked = chip.knobs.weight_bits or projection.weight_bits
    widest = [bits for bits in (chip.max_weight_bits, chip.limits.value("weight_bits")) if bits]
    return min(asked, *widest) if widest else asked


def in_cells(chip: Chip, bidirectional: bool) -> bool:
    """Return whether the weights stand in transposable cells."""
    return bidirectional and chip.transposition.policy == "transposable"


def footprint_kb(workload: Workload, chip: Chip, *, learning: bool) -> float:
    """Return the kB (1024 bytes) that the network takes: weights with their copies and neuron state.

    While learning also the accumulators of plastic projections and the traces of the neurons at their ends. Weights
    in transposable cells count for as many plain ones as they take the room of.
    """
    plain, cells = _kilobytes(workload, chip, learning)
    return plain + cells * (chip.constant("transposable_cell").value if cells else 1.0)


def footprint(workload: Workload, chip: Chip, *, learning: bool, placement: object | None = None) -> Footprint:
    """Return the sizes of ``workload``; cores and chips from ``placement``, else the fewest that hold it."""
    plain, cells = _kilobytes(workload, chip, learning)
    neurons = sum(layer.neurons for layer in workload.layers if layer.stateful)
    synapses = sum(p.synapses * chip.copies(p.bidirectional) for p in workload.projections)
    summary = placement.summary() if placement is not None else {}
    cores = summary.get("cores") or _fewest_cores(chip, neurons, workload, learning)
    chips = summary.get("chips") or ceil(cores / (chip.limits.value("cores") or cores))
    return Footprint(plain + cells, cells, neurons, synapses, cores, chips)


def _kilobytes(workload: Workload, chip: Chip, learning: bool) -> tuple[float, float]:
    """Return kB in plain memory and kB of weights in transposable cells."""
    bits, cells, traced = 0, 0, set()
    for projection in workload.projections:
        width = weight_bits(chip, projection) * chip.copies(projection.bidirectional)
        if in_cells(chip, projection.bidirectional):
            cells += projection.synapses * width
            width = 0
        if learning and projection.plastic:
            width += projection.accumulator_bits
            traced |= {projection.pre, projection.post}
        bits += projection.synapses * width
    for layer in workload.layers:
        bits += layer.neurons * (chip.state_bits * layer.stateful + chip.trace_bits * (layer.name in traced))
    return bits / BITS_PER_KB, cells / BITS_PER_KB


def _fewest_cores(chip: Chip, neurons: int, workload: Workload, learning: bool) -> int:
    """Return the cores that neurons and synapses need at least, one where the chip states no such limit."""
    held = chip.limits.value("neurons_per_core"), chip.limits.value("synapse_bits_per_core")
    stored = sum(
        p.synapses * (chip.room(p.bidirectional) * weight_bits(chip, p) + p.accumulator_bits * (learning and p.plastic))
        for p in workload.projections
    )
    return max([1, *(ceil(need / room) for need, room in zip((neurons, stored), held, strict=True) if room)])
