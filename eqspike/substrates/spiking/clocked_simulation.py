"""A network in continuous time run in ticks, in real numbers or in a chip's integers, on one thread or several."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from eqspike.core.errors import ConfigError
from eqspike.core.ledger import LAYER_COUNTERS, PROJECTION_COUNTERS, Ledger, PhaseCounts
from eqspike.core.rng import Purpose
from eqspike.kernels import simulation_layout as layout
from eqspike.kernels.simulation import run_cached, run_uncached
from eqspike.kernels.simulation_plasticity import NoRule
from eqspike.network.description import Layer, Network
from eqspike.network.inputs import Input, SpikeList
from eqspike.substrates.spiking.clocks import Clocked, FixedPoint, Outcome, Spikes
from eqspike.substrates.spiking.display import simulation_html
from eqspike.substrates.spiking.simulation_program import (
    Part,
    build_part,
    delay_ticks,
    layer_counts,
    listed_spikes,
    shares,
)
from eqspike.substrates.spiking.units import units_of
from eqspike.substrates.spiking.wiring import check_bounds, stored_synapses, wire

WINDOW = 200  # ticks between looks at rates and potentials, and of a chunk on one thread
_SHORTEST = 5  # ticks of delay that make threads worth while


class ClockedSimulation:
    """A network on the clock ``Clocked`` or ``FixedPoint`` (see :func:`eqspike.simulate`)."""

    def __init__(
        self,
        network: Network,
        clock: Clocked | FixedPoint,
        inputs: Mapping[str, Input],
        *,
        seed: int,
        rule=None,
        initial: Mapping[str, np.ndarray] | None = None,
        threads: int = 1,
        max_rate_hz: float | None = None,
    ) -> None:
        self.network, self.clock, self.inputs, self.seed, self.rule = network, clock, dict(inputs), seed, rule
        wirings = [wire(network, p, k, seed, spread=p.plastic) for k, p in enumerate(network.projections)]
        for projection, wiring in zip(network.projections, wirings, strict=True):
            check_bounds(projection, wiring, rule)
        ticks = [delay_ticks(p, w, clock.tick_s) for p, w in zip(network.projections, wirings, strict=True)]
        self._shortest, self._longest = min(int(t.min()) for t in ticks), max(int(t.max()) for t in ticks)
        self.synapses = {
            p.name: stored_synapses(network, p, w) for p, w in zip(network.projections, wirings, strict=True)
        }
        splits = all(wiring.kind != "convolution" for wiring in wirings) and self._shortest >= _SHORTEST
        self._shares = shares(network, threads if splits else 1)
        self.parts = [build_part(network, clock, inputs, wirings, s, rule, initial or {}) for s in self._shares]
        own = rule is not None and not type(rule.parameters).__module__.startswith("eqspike.")
        self._run = run_uncached if own else run_cached
        units = units_of(network, clock)
        self._parameters = NoRule(units.dtype.type(0)) if rule is None else units.parameters(rule)
        self._limits = [self._limit(layer, max_rate_hz) for layer in network.layers]
        n_layers = len(network.layers)
        self._chunk = WINDOW if len(self.parts) == 1 else min(self._shortest, WINDOW)
        self._logs = [_new_log(part.room, self._chunk, n_layers) for part in self.parts]
        self._past = _new_log(max(part.room for part in self.parts), self._longest + self._chunk, n_layers)
        self._listed = [
            listed_spikes(layer, self.inputs[layer.name], clock.tick_s)
            for layer in network.layers
            if isinstance(self.inputs.get(layer.name), SpikeList)
        ]
        self._recorded: list[tuple[int, np.ndarray, np.ndarray]] = []
        self._spikes, self._seen = np.zeros(n_layers, np.int64), np.zeros(n_layers, np.int64)
        self.ticks, self.outcome = 0, Outcome("completed", 0.0)

    def _repr_html_(self) -> str:
        return simulation_html(self)

    @property
    def time_s(self) -> float:
        """The emulated time that has passed."""
        return self.ticks * self.clock.tick_s

    def run(self, duration_s: float) -> Outcome:
        """Go on for ``duration_s`` in whole ticks, at least one if it is not 0; return how that ended.

        Raises
        ------
        ConfigError
            if the duration is negative or not finite.
        """
        if not 0 <= duration_s < np.inf:
            raise ConfigError(f"{duration_s} s is no duration.", field="duration_s", remedy="Give 0 s or more.")
        ticks = max(1, round(duration_s / self.clock.tick_s)) if duration_s > 0 else 0
        self.outcome = self._run_ticks(self.ticks + ticks)
        return self.outcome

    def _run_ticks(self, last: int) -> Outcome:
        """Run until ``last`` ticks have passed, or something is wrong."""
        programs = [part.program._replace(**self._given(last, k == 0)) for k, part in enumerate(self.parts)]
        with ThreadPoolExecutor(len(self.parts)) as pool:
            while self.ticks < last:
                window_end = (self.ticks // WINDOW + 1) * WINDOW
                ticks = min(self._chunk, last - self.ticks, window_end - self.ticks)
                self._advance(pool, programs, ticks)
                if self.ticks == window_end:
                    outcome = self._fast(self._spikes - self._seen) or self._not_finite()
                    self._seen = self._spikes.copy()
                    if outcome is not None:
                        return outcome
        return self._not_finite() or Outcome("completed", self.time_s)

    def _advance(self, pool: ThreadPoolExecutor, programs: list, ticks: int) -> None:
        """Run all parts for ``ticks``, in which no spike reaches another part, and put their spikes together."""
        n_layers, first = len(self.network.layers), self._longest
        if len(self.parts) == 1:
            self._past = self._run_part(0, programs[0], self._past, self._past, first, ticks)
        else:
            jobs = [
                pool.submit(self._run_part, k, program, self._past, self._logs[k], 0, ticks)
                for k, program in enumerate(programs)
            ]
            self._logs = [job.result() for job in jobs]
            self._past = _merged(self._past, self._logs, first, ticks)
        log, end = self._past, first + ticks
        begins = log.starts[first:end].copy()
        ids = log.ids[begins[0, 0] : begins[-1, n_layers]].copy()
        self._recorded.append((self.ticks, begins - begins[0, 0], ids))
        self._spikes += np.diff(begins, axis=1).sum(axis=0)
        self.ticks += ticks
        keep = log.starts[end - first : end].copy()  # the last ticks, whose spikes are still under way
        kept = log.ids[keep[0, 0] : keep[-1, n_layers]].copy()
        log.ids[: kept.size] = kept
        log.starts[:first] = keep - keep[0, 0]

    def _run_part(
        self, k: int, program: layout.Program, past: layout.Log, own: layout.Log, row: int, ticks: int
    ) -> layout.Log:
        """Run one part, with more room for its spikes whenever that is needed; return its log."""
        part, done = self.parts[k], 0
        at = int(own.starts[row - 1, -1]) if row else 0
        shared = past is own
        scratch = np.zeros(part.room, np.int32)
        streams = (int(Purpose.SOURCES) << 16, int(Purpose.BACKGROUND) << 16, int(Purpose.SYNAPSE_ROUNDING) << 16)
        while True:
            rows = (self.ticks + done, self._longest + done, row + done, at)
            code, ran, at = self._run(
                program, part.state, part.counts, part.traces, self._parameters, past, own, rows, ticks - done,
                int(self.seed), streams, scratch,
            )  # fmt: skip
            done += ran
            if code == layout.DONE:
                return own
            own = own._replace(ids=np.concatenate([own.ids, np.zeros(own.ids.size + part.room, np.int32)]))
            past = own if shared else past

    def _limit(self, layer: Layer, max_rate_hz: float | None) -> float:
        """Return the rate from which a layer counts as running away."""
        if layer.kind != "lif":
            return np.inf
        tick = self.clock.tick_s
        pause = units_of(self.network, self.clock).ticks(layer.neuron.refractory_s) * tick
        # without a pause, neurons that excite each other over a delay of one tick fire in every other tick
        return max_rate_hz or (0.8 / (pause + tick) if pause > 0 else 0.4 / tick)

    def _fast(self, spikes: np.ndarray) -> Outcome | None:
        """Return the first layer that ran away by its spikes of the last window."""
        for k, (layer, limit) in enumerate(zip(self.network.layers, self._limits, strict=True)):
            rate = spikes[k] / (layer.size * WINDOW * self.clock.tick_s)
            if rate > limit:
                said = f"layer {layer.name} fires at {rate:.4g} Hz, over the limit of {limit:.4g} Hz"
                return Outcome("runaway", self.time_s, layer.name, said)
        return None

    def _not_finite(self) -> Outcome | None:
        """Return the first layer with a potential that is no number any more."""
        for k, layer in enumerate(self.network.layers):
            for part, (_, size) in zip(self.parts, (share[k] for share in self._shares), strict=True):
                start = part.program.layers[k, layout.START]
                if layer.kind == "lif" and not np.isfinite(part.state.v[start : start + size].sum()):
                    said = f"a potential of layer {layer.name} is not finite"
                    return Outcome("not-finite", self.time_s, layer.name, said)
        return None

    def _given(self, last: int, first_part: bool) -> dict[str, np.ndarray]:
        """Return the listed spikes of all ticks up to ``last``."""
        if not first_part or not self._listed:
            return {"given_starts": np.zeros((len(self._listed), last + 1), np.int64), "given": np.zeros(0, np.int32)}
        offsets = np.cumsum([0, *(ticks.size for ticks, _ in self._listed)])
        starts = [
            offset + np.searchsorted(ticks, np.arange(last + 1))
            for offset, (ticks, _) in zip(offsets[:-1], self._listed, strict=True)
        ]
        return {"given_starts": np.array(starts, np.int64), "given": np.concatenate([ids for _, ids in self._listed])}

    @property
    def spikes(self) -> dict[str, Spikes]:
        """Spikes by layer; a spike of a tick is at the tick's end."""
        found = {}
        for k, layer in enumerate(self.network.layers):
            ticks, ids = [], []
            for first, starts, fired in self._recorded:
                counts = starts[:, k + 1] - starts[:, k]
                ticks.append(np.repeat(first + 1 + np.arange(len(starts)), counts))
                places = np.repeat(starts[:, k] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
                ids.append(fired[places + np.arange(counts.sum())])
            t = np.concatenate(ticks) if ticks else np.zeros(0, np.int64)
            found[layer.name] = Spikes(t * self.clock.tick_s, np.concatenate(ids) if ids else np.zeros(0, np.int32))
        return found

    def potentials(self) -> dict[str, np.ndarray]:
        """Return the potentials now, by layer, in the user's unit."""
        units, found = units_of(self.network, self.clock), {}
        for k, layer in enumerate(self.network.layers):
            if layer.kind == "lif":
                pieces = [_potentials_of(part, k) for part in self.parts]
                found[layer.name] = units.real_potential(layer, np.concatenate(pieces))
        return found

    def weights(self) -> dict[str, np.ndarray]:
        """Return the weights by projection, in the user's unit: in the connectivity's shape, of pairs in row order."""
        units, found = units_of(self.network, self.clock), {}
        for k, projection in enumerate(self.network.projections):
            pieces = [_weights_of(part, k) for part in self.parts]
            whole = _put_together(pieces, self.parts, k, self.network, projection)
            found[projection.name] = units.real_weights(projection, self.network.layer(projection.post), whole)
        return found

    def ledger(self) -> Ledger:
        """Return the counted events: phase ``inference``, or ``free`` where a rule learns."""
        layers = tuple(layer.name for layer in self.network.layers)
        driven = [k for k, layer in enumerate(self.network.layers) if layer.kind == "lif" and layer.name in self.inputs]
        names = tuple(p.name for p in self.network.projections)
        ledger = Ledger(layers, names + tuple(f"poisson->{layers[k]}" for k in driven))
        counts, n = [part.counts for part in self.parts], len(names)
        rows = []
        for k, layer in enumerate(self.network.layers):
            updates = layer.size * self.ticks if layer.kind == "lif" else 0
            row = layer_counts(counts, k, int(self._spikes[k]), updates)
            rows.append(row)
        trace_updates = LAYER_COUNTERS.index("trace_updates")
        traced = self.ticks * len(self.rule.taus_s) if self.rule is not None else 0
        for projection in self.network.projections if traced else ():
            for end in (projection.pre, projection.post) if projection.plastic else ():
                rows[layers.index(end)][trace_updates] += traced * self.network.layer(end).size
        table = sum(one.projections for one in counts)[[*range(n), *(n + k for k in driven)]]
        filled = np.zeros((len(table), len(PROJECTION_COUNTERS)), np.int64)
        for column, name in enumerate(
            ("synaptic_events_forward", "weight_writes", "suppressed_updates", "saturations")
        ):
            filled[:, PROJECTION_COUNTERS.index(name)] = table[:, column]
        phase = "inference" if self.rule is None else "free"
        ledger.phases[phase] += PhaseCounts(np.array(rows), filled, self.ticks, 1)
        return ledger


def _new_log(room: int, rows: int, n_layers: int) -> layout.Log:
    return layout.Log(np.zeros(max(2 * room, 1 << 16), np.int32), np.zeros((rows, n_layers + 1), np.int64))


def _merged(past: layout.Log, logs: list[layout.Log], first: int, ticks: int) -> layout.Log:
    """Return ``past`` with the spikes of all parts in its rows from ``first`` on, ordered by tick, layer and neuron."""
    width = past.starts.shape[1] - 1
    counts = [np.diff(log.starts[:ticks], axis=1).reshape(-1) for log in logs]
    keys = np.concatenate([np.repeat(np.arange(ticks * width), count) for count in counts])
    ids = np.concatenate([log.ids[: log.starts[ticks - 1, -1]] for log in logs])[np.argsort(keys, kind="stable")]
    at = int(past.starts[first - 1, -1])
    ends = at + np.cumsum(sum(counts)).reshape(ticks, width)
    past.starts[first : first + ticks, 1:] = ends
    past.starts[first : first + ticks, 0] = np.concatenate([[at], ends[:-1, -1]])
    room = past.ids
    if at + ids.size > room.size:
        room = np.concatenate([room, np.zeros(room.size + ids.size, np.int32)])
    room[at : at + ids.size] = ids
    return past._replace(ids=room)


def _potentials_of(part: Part, layer: int) -> np.ndarray:
    """Return the potentials of a layer within a part; of those that rest, without the arrivals they will forget."""
    mine = slice(part.program.layers[layer, layout.START], part.program.layers[layer, layout.START] + part.size[layer])
    return np.where(part.state.pause[mine] > 0, part.program.neurons[layer, layout.RESET], part.state.v[mine])


def _weights_of(part: Part, index: int) -> np.ndarray:
    """Return the stored weights of a projection within a part."""
    return part.state.weights[part.places[index]]


def _put_together(pieces: list[np.ndarray], parts: list[Part], index: int, network: Network, projection) -> np.ndarray:
    """Return the weights of all parts in the order of the whole projection."""
    row = parts[0].program.projections[index]
    pre = network.layer(projection.pre)
    if row[layout.UNIFORM]:
        return pieces[0]
    if row[layout.WIRING] == layout.CONVOLUTION:
        return pieces[0].reshape(network.stored(projection))
    if row[layout.WIRING] == layout.ONE_TO_ONE:
        return np.concatenate(pieces)
    if row[layout.WIRING] == layout.DENSE:
        sizes = [part.size[row[layout.POST]] for part in parts]
        blocks = [p.reshape(pre.size, -1)[:, :size] for p, size in zip(pieces, sizes, strict=True)]
        return np.concatenate(blocks, axis=1)
    pres = []
    for part in parts:
        at = part.program.projections[index, layout.STARTS]
        pres.append(np.repeat(np.arange(pre.size), np.diff(part.program.starts[at : at + pre.size + 1])))
    return np.concatenate(pieces)[np.argsort(np.concatenate(pres), kind="stable")]
