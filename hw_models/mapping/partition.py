"""Networks whose synapses are known one by one: neurons to cores, contiguously, at random, or to lower packets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hw_models.mapping.bounds import UNLIMITED, Bounds
from hw_models.mapping.growth import COLUMNS, GAIN, GROUP, LEVELS, SCALE, fill, grow, stream
from hw_models.mapping.moves import deliver, settle
from hw_models.mapping.wires import Wires

_EXACT_SYNAPSES, _EXACT_WORK = 5_000_000, 400_000_000  # up to here packets are lowered themselves, beyond their proxy
_EXACT_PASSES, _STREAM_WORK = 16, 400_000_000
_SLACK = 0.97  # clusters grow to this share of a core, so that neurons can move between them
_LEAST_SHARE = 0.02  # of synapses inside clusters, below which a large network has nothing to gain from them
_POOL = 1 << 24
_ROUNDS = 24


class NeuronTooLarge(Exception):
    """A neuron alone passes what a core holds."""

    def __init__(self, neuron: int) -> None:
        self.neuron = neuron
        super().__init__(f"neuron {neuron}")


def partition(wires: Wires, bounds: Bounds, strategy: str, seed: int) -> np.ndarray:
    """Return the core of every neuron, -1 of inputs from outside; cores are numbered from 0.

    ``auto`` grows clusters most of whose synapses lie inside, then moves neurons between cores: of smaller networks by
    the packets that it saves, of larger ones to where most of its spikes come from and go to.

    Raises
    ------
    NeuronTooLarge
        If a neuron alone passes what a core holds.

    References
    ----------
    Stanton and Kliot, KDD 2012, doi:10.1145/2339530.2339722; Tsourakakis, Gkantsidis, Radunovic and Vojnovic, WSDM
    2014, doi:10.1145/2556195.2556213; Nishimura and Ugander, KDD 2013, doi:10.1145/2487575.2487696 (streams, again).
    """
    order = np.flatnonzero(wires.weight)
    if strategy == "random":
        order = np.random.default_rng(seed).permutation(order)
    natural = _split_senders(wires, bounds, _filled(wires, bounds, order))
    if strategy != "auto":
        return natural
    found = [natural, *_candidates(wires, bounds, natural, seed)]
    found = [found[0], *(_split_senders(wires, bounds, core) for core in found[1:])]
    if len(found) == 1:
        return natural
    return min(found, key=lambda core: (int(core.max()) >= bounds.cores, packets_of(wires, core)))


def packets_of(wires: Wires, core: np.ndarray) -> float:
    """Return the packets of a presentation, one per spike and other core that it reaches."""
    return float((_reached(wires, core) * wires.spikes).sum())


def _candidates(wires: Wires, bounds: Bounds, natural: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    cores = int(natural.max()) + 1
    if cores == 1:
        return
    if len(wires.targets) <= _EXACT_SYNAPSES and len(wires.targets) * (cores + 1) <= _EXACT_WORK:
        plain = _without_repeats(wires)
        grown = _filled(wires, bounds, *_ordered(wires, _grown(wires, bounds, seed)))
        for start in (grown, natural):
            yield _filled(wires, bounds, *_ordered(wires, _settled(plain, bounds, start, seed)))
        return
    roomy = replace(bounds, neurons=max(1, int(bounds.neurons * _SLACK)), bits=int(bounds.bits * _SLACK))
    if len(np.flatnonzero(wires.weight)) / roomy.neurons > 0.99 * bounds.cores:
        roomy = bounds  # the chip has no core to spare
    try:
        group = _grown(wires, roomy, seed, _LEAST_SHARE)
    except NeuronTooLarge:
        group = _grown(wires, bounds, seed, _LEAST_SHARE)
    if group is None:
        return
    yield _filled(wires, bounds, *_ordered(wires, _streamed(wires, bounds, group)))


def _filled(wires: Wires, bounds: Bounds, order: np.ndarray, group: np.ndarray | None = None) -> np.ndarray:
    core = np.full(wires.neurons, -1, np.int32)
    heard, tried = np.full(wires.neurons, -1, np.int64), np.full(wires.neurons, -1, np.int64)
    group = np.zeros(wires.neurons, np.int32) if group is None else group
    order = order.astype(np.int64, copy=False)
    number = fill(
        wires.in_starts, wires.sources, order, group, wires.weight, wires.bits, *bounds.kernel, core, heard, tried
    )
    if number < 0:
        raise NeuronTooLarge(-1 - number)
    return core


def _grown(wires: Wires, bounds: Bounds, seed: int, least_share: float = 0.0) -> np.ndarray | None:
    """Return the cluster of every neuron, None where the first clusters hold too small a share of their synapses."""
    n = wires.neurons
    degree = np.maximum(np.diff(wires.starts) + np.diff(wires.in_starts), 1)
    members = min(n, bounds.neurons + 1)
    pool = int(min(_POOL, np.partition(degree, n - members)[n - members :].sum()))
    nodes = np.full((n, COLUMNS), -1, np.int32)
    nodes[:, GAIN], nodes[:, SCALE] = 0, ((LEVELS - 1) << 16) // degree
    number = grow(
        wires.starts, wires.targets, wires.in_starts, wires.sources, wires.weight, wires.bits, _seeds(wires, seed),
        *bounds.kernel, least_share, nodes, np.empty(LEVELS, np.int32), np.empty(pool, np.int32),
        np.empty(pool, np.int32),
    )  # fmt: skip
    if number < 0:
        raise NeuronTooLarge(-1 - number)
    return nodes[:, GROUP].copy() if number else None


def _seeds(wires: Wires, seed: int) -> np.ndarray:
    """Return the neurons in the order in which they may begin a cluster: placed ones at random, then inputs."""
    placed = np.flatnonzero(wires.weight)
    inputs = np.flatnonzero(wires.weight == 0)
    return np.concatenate([np.random.default_rng(seed).permutation(placed), inputs])


def _ordered(wires: Wires, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (placed neurons cluster by cluster, the clusters)."""
    placed = np.flatnonzero(wires.weight)
    return placed[np.argsort(group[placed], kind="stable")], group


def _streamed(wires: Wires, bounds: Bounds, group: np.ndarray) -> np.ndarray:
    group, number = group.copy(), int(group.max()) + 1
    neurons = np.bincount(group, wires.weight, minlength=number).astype(np.int64)
    memory = np.bincount(group, wires.bits, minlength=number).astype(np.int64)
    score, touched = np.zeros(number), np.empty(number, np.int64)
    spikes = wires.spikes + max(1e-6, 1e-3 * wires.spikes.mean())  # silent neurons stay near those that they join
    order = np.argsort(group, kind="stable")
    for _ in range(max(1, min(8, _STREAM_WORK // (2 * len(wires.targets) + 1)))):
        moved = stream(
            wires.starts, wires.targets, wires.in_starts, wires.sources, order, spikes, wires.weight, wires.bits,
            bounds.neurons, bounds.bits, group, neurons, memory, score, touched,
        )  # fmt: skip
        if moved < 1e-3 * wires.neurons:
            break
    return group


def _without_repeats(wires: Wires) -> Wires:
    """Return the wires with each pair of neurons joined once, and none to itself: all that packets depend on."""
    n = wires.neurons
    pre = np.repeat(np.arange(n), np.diff(wires.starts))
    pairs = np.unique((pre * n + wires.targets)[pre != wires.targets])
    pre, post = pairs // n, pairs % n
    back = np.argsort(post, kind="stable")

    def begins(ends: np.ndarray) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=n))]).astype(np.int64)

    return replace(
        wires,
        starts=begins(pre),
        targets=post.astype(np.int32),
        in_starts=begins(post),
        sources=pre[back].astype(np.int32),
    )


def _settled(plain: Wires, bounds: Bounds, core: np.ndarray, seed: int) -> np.ndarray:
    """Return ``core`` after moves that lower packets, as long as they do."""
    core, number, n = core.copy(), int(core.max()) + 1, plain.neurons
    pre = np.repeat(np.arange(n), np.diff(plain.starts))
    pins = np.bincount(pre * number + core[plain.targets], minlength=n * number).reshape(n, number).astype(np.int32)
    order = np.flatnonzero(plain.weight)
    neurons = np.bincount(core[order], minlength=number)
    memory = np.bincount(core[order], plain.bits[order], minlength=number).astype(np.int64)
    axons = (pins > 0).sum(axis=0)
    state = np.array([seed * 2 + 0x9E3779B97F4A7C1 & 0x7FFFFFFFFFFFFFFF], np.int64)
    rng = np.random.default_rng(seed)
    before = packets_of(plain, core)
    for _ in range(_EXACT_PASSES):
        saved = settle(
            plain.in_starts, plain.sources, rng.permutation(order), plain.spikes, plain.weight, plain.bits,
            *bounds.kernel, core, pins, neurons, memory, axons, np.empty(number), state,
        )  # fmt: skip
        before -= saved
        if saved <= 1e-4 * before:
            break
    return core


def _reached(wires: Wires, core: np.ndarray) -> np.ndarray:
    """Return how many other cores each neuron reaches."""
    number, n = int(core.max()) + 1, wires.neurons
    zeros, packets, hops = np.zeros(number, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    seen, reached = np.full(number, -1, np.int64), np.full(number, -1, np.int64)
    borders, inflow, outside = np.zeros(n, np.int64), np.zeros(number), np.zeros(number)
    tile = np.arange(number)
    deliver(
        wires.starts, wires.targets, core, wires.spikes, tile, zeros, zeros, zeros, zeros, seen, reached, packets, hops,
        borders, inflow, outside, np.zeros(number, np.int64),
    )  # fmt: skip
    return packets


def _split_senders(wires: Wires, bounds: Bounds, core: np.ndarray) -> np.ndarray:
    """Halve the cores that send to more destinations than a core may, until none does or halving no longer helps."""
    for _ in range(_ROUNDS if bounds.axons_out < UNLIMITED else 0):
        placed = core >= 0
        sent = np.bincount(core[placed], _reached(wires, core)[placed])
        over = sent > bounds.axons_out
        if not over.any():
            return core
        core, fresh = core.copy(), int(core.max()) + 1
        for number in np.flatnonzero(over):
            members = np.flatnonzero(core == number)
            if len(members) == 1:
                raise NeuronTooLarge(int(members[0]))
            core[members[len(members) // 2 :]] = fresh
            fresh += 1
        if fresh > 4 * bounds.cores:
            return core
    return core
