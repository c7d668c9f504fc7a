"""Does a network fit a chip: every limit weighed, every neuron placed, budgets passed no further than needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np

from hw_models.chips import Chip
from hw_models.constraints import Constraint, Demand, Need, Violation, check, weigh
from hw_models.errors import WorkloadError
from hw_models.mapping.arcs import Needs, arcs_of, mean_fans, needs_of, stored_bits
from hw_models.mapping.bounds import STRETCHES, Bounds, bounds_of, has_budgets
from hw_models.mapping.graph import NetworkGraph
from hw_models.mapping.packing import Packed, Packer
from hw_models.mapping.partition import NeuronTooLarge
from hw_models.mapping.placement import Placement
from hw_models.mapping.trees import Grafted, with_trees

STRATEGIES = ("auto", "contiguous", "random")


@dataclass(frozen=True, eq=False)
class Verdict:
    """Whether a network fits a chip: ``placement`` is there where it does; ``walls`` are those that it meets."""

    chip: str
    placement: Placement | None
    constraints: tuple[Constraint, ...]
    walls: tuple[Violation, ...]
    budgets: tuple[Violation, ...]
    chips_needed: int | None
    demand: Demand

    @property
    def fits(self) -> bool:
        return not self.walls


def judge(
    graph: NetworkGraph, chip: Chip, strategy: str = "auto", seed: int = 0, *, chips: int = 1, learning: bool = True
) -> Verdict:
    """Return whether ``graph`` fits ``chip``, and where it lies.

    Parameters
    ----------
    strategy : ``auto`` lowers the packets between cores; ``contiguous`` fills cores layer by layer; ``random`` fills
        them with neurons in random order.
    seed : of what is random.
    chips : how many chips there are, side by side.
    learning : whether plastic synapses hold their accumulators too.

    Raises
    ------
    WorkloadError
        If the strategy is unknown.
    """
    if strategy not in STRATEGIES:
        raise WorkloadError(f"{strategy!r} is unknown.", field="strategy", remedy=f"Known: {', '.join(STRATEGIES)}.")
    if chips < 1:
        raise WorkloadError(f"{chips} chips are none.", field="chips", remedy="Give at least 1.")
    return _Case(graph, chip, strategy, seed, chips, learning).verdict()


@dataclass(eq=False)
class _Case:
    """One network before one chip."""

    given: NetworkGraph
    chip: Chip
    strategy: str
    seed: int
    chips: int
    learning: bool

    def __post_init__(self) -> None:
        self.limits = self.chip.limits
        self.grafted = Grafted(self.given, {})
        most = self.limits.value("fan_in")
        if self.limits.trees and most is not None:
            self.grafted = with_trees(self.given, most)
        self.graph = self.grafted.graph
        copies, room = self.chip.copies(True), self.chip.room(True)
        self.arcs = arcs_of(self.graph, copies, learning=self.learning, room=room)
        self.needs = needs_of(self.graph, self.arcs)
        self.bits = {
            name: stored_bits(self.graph, arcs_of(self.graph, copies, learning=flag, room=room))
            for name, flag in (("inference", False), ("training", True))
        }

    def verdict(self) -> Verdict:
        known = _known(self.graph, self.needs)
        early = [one for one in check(self._demand(known), self.limits) if one.kind == "wall"]
        if any(one.name != "weight_bits" for one in early):
            return self._refused(known, early)
        packer = Packer(self.graph, self.arcs, self.needs, self.limits, self.strategy, self.seed)
        stretches = STRETCHES if has_budgets(self.limits) else STRETCHES[:1]
        for stretch in stretches:
            bounds = bounds_of(self.limits, self._available(), stretch)
            try:
                packed = packer.pack(bounds)
            except NeuronTooLarge as error:
                failed = known | self._too_large(packer.layer_of(error), bounds)
                continue
            failed = known | self._packed_needs(packed)
            walls = [one for one in check(self._demand(failed), self._limits_at_hand()) if one.kind == "wall"]
            if not walls:
                return self._placed(packed, failed)
        walls = [one for one in check(self._demand(failed), self._limits_at_hand()) if one.kind == "wall"]
        return self._refused(failed, walls)

    def _available(self) -> int:
        cores = self.limits.cores
        if cores is None or cores.kind == "budget":
            return Bounds().cores
        return cores.value * self.chips

    def _limits_at_hand(self):
        """Return the limits with the cores of all chips at hand."""
        cores = self.limits.cores
        if cores is None:
            return self.limits
        return self.limits.model_copy(update={"cores": cores.model_copy(update={"value": cores.value * self.chips})})

    def _demand(self, needs: Mapping[str, Need]) -> Demand:
        return Demand(needs, {f"synapse_bits_{name}": bits for name, bits in self.bits.items()})

    def _too_large(self, where: tuple[str, int], bounds: Bounds) -> dict[str, Need]:
        """Return what a neuron needs that alone passes what a core holds."""
        layer, neuron = where
        memory = int(self.needs.bits[layer][neuron])
        if memory > bounds.bits:
            return {"synapse_bits_per_core": Need(memory, f"one neuron of {layer}")}
        heard = int(self.needs.fan_in[layer][neuron])
        if heard > bounds.axons_in:
            return {"axons_in_per_core": Need(heard, f"one neuron of {layer}")}
        if bounds.neurons < 1:
            return {"neurons_per_core": Need(1, layer)}
        return {"axons_out_per_core": Need(bounds.axons_out + 1, f"one neuron of {layer}")}

    def _packed_needs(self, packed: Packed) -> dict[str, Need]:
        """Return what the placed network needs of a core, of the chip and of its queues."""
        per_core = self._per_core(packed)
        found = {"cores": Need(packed.cores, "the network")}
        names = {"neurons": "neurons_per_core", "synapse_bits": "synapse_bits_per_core"}
        names |= {"axons_in": "axons_in_per_core", "axons_out": "axons_out_per_core"}
        for key, name in names.items():
            core = int(per_core[key].argmax())
            found[name] = Need(int(per_core[key][core]), f"core {core}")
        if self.graph.spikes_known:
            arriving = per_core["spikes_in"] / self.graph.ticks
            found["queue_depth"] = Need(float(arriving.max()), f"core {int(arriving.argmax())}")
        return found

    def _per_core(self, packed: Packed) -> dict[str, np.ndarray]:
        neurons, memory = np.zeros(packed.cores, np.int64), np.zeros(packed.cores, np.int64)
        for layer in self.graph.placed:
            core = packed.core[layer.name]
            neurons += np.bincount(core, minlength=packed.cores)
            memory += np.bincount(core, self.needs.bits[layer.name], minlength=packed.cores).astype(np.int64)
        traffic = packed.traffic
        return {
            "neurons": neurons,
            "synapse_bits": memory,
            "axons_in": traffic.axons_in,
            "axons_out": traffic.axons_out,
            "spikes_in": traffic.inflow + traffic.outside,
        }

    def _placed(self, packed: Packed, needs: Mapping[str, Need]) -> Verdict:
        limits, demand = self._limits_at_hand(), self._demand(needs)
        constraints, budgets = tuple(weigh(demand, limits)), tuple(check(demand, limits))
        placement = Placement(
            chip=self.chip.name,
            strategy=self.strategy,
            graph=self.graph,
            serves=self.grafted.serves,
            core=packed.core,
            mesh=packed.mesh,
            traffic=packed.traffic,
            between=packed.between,
            per_core=self._per_core(packed),
            demand=demand,
            constraints=constraints,
            violations=budgets,
            queue_depth=self.limits.value("queue_depth"),
            fans={c.name: mean_fans(self.given, c) for c in self.given.connections},
            notes=tuple(self._notes()),
        )
        return Verdict(self.chip.name, placement, constraints, (), budgets, packed.mesh.chips, demand)

    def _refused(self, needs: Mapping[str, Need], walls: list[Violation]) -> Verdict:
        limits, demand = self._limits_at_hand(), self._demand(needs)
        budgets = tuple(one for one in check(demand, limits) if one.kind == "budget")
        cores = self.limits.value("cores")
        chips = ceil(needs["cores"].amount / cores) if cores and "cores" in needs else None
        return Verdict(self.chip.name, None, tuple(weigh(demand, limits)), tuple(walls), budgets, chips, demand)

    def _notes(self) -> list[str]:
        graph, notes = self.graph, []
        if not list(self.limits.items()):
            notes.append(f"the file of {self.chip.name} states no limits: everything fits one core")
        if any(c.bidirectional for c in graph.connections):
            copies = "twice, at either end" if self.chip.copies(True) > 1 else "once, at the post neuron's core"
            room = self.chip.room(True) / self.chip.copies(True)
            cells = f" in cells that take the room of {room:g}" if room != 1 else ""
            policy = self.chip.transposition.policy
            notes.append(f"weights that act in both directions are stored {copies}{cells} ({policy})")
        if self.grafted.serves:
            notes.append(
                f"{self.grafted.relays} relay neurons sum parts of wide fan-ins and fire as often as the neurons that "
                "they serve; the accuracy was not re-evaluated"
            )
        if not graph.spikes_known:
            notes.append("spikes are not known of every layer: one per neuron and presentation was taken")
        if graph.connections:
            notes.append("every synapse stores a weight of its own, those of convolutions too")
        return notes


def _known(graph: NetworkGraph, needs: Needs) -> dict[str, Need]:
    """Return what is needed wherever the network lies: the widest of each kind."""
    found: dict[str, Need] = {}

    def widest(name: str, amounts: dict[str, int]) -> None:
        where = max(amounts, key=lambda each: amounts[each])
        if amounts[where]:
            found[name] = Need(amounts[where], where)

    widest("fan_in", {layer.name: int(needs.fan_in[layer.name].max()) for layer in graph.placed})
    widest("fan_out", {layer.name: int(needs.fan_out[layer.name].max()) for layer in graph.placed})
    widest("state_bits", {layer.name: layer.state_bits for layer in graph.placed})
    if graph.connections:
        widest("weight_bits", {c.name: c.weight_bits for c in graph.connections})
        widest("delay_ticks", {c.name: c.delay_ticks for c in graph.connections})
    return found
