"""A slow twin of what a placement counts: every synapse one by one, in sets and dictionaries; and networks to place."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from hw_models import Chip, load_chip
from hw_models.chips.limits import Limit, Limits
from hw_models.mapping import Connection, GraphLayer, NetworkGraph, Placement

SWITCHES = ("trees", "mesh", "multicast")


def chip(policy: str = "duplicate", **limits) -> Chip:
    """Return a chip with these limits: a number is a wall, (number, "budget") a budget."""
    given = {}
    for name, value in limits.items():
        if name not in SWITCHES:
            amount, kind = value if isinstance(value, tuple) else (value, "wall")
            value = Limit(value=amount, kind=kind, source="made up for a test")
        given[name] = value
    base = load_chip("generic-45nm")
    transposition = base.transposition.model_copy(update={"policy": policy})
    return base.model_copy(update={"name": "made-up", "limits": Limits(**given), "transposition": transposition})


def sparse(pre: str, post: str, pres: np.ndarray, posts: np.ndarray, n_pre: int, **settings) -> Connection:
    """Return the connection that joins ``pres[k]`` to ``posts[k]``."""
    order = np.lexsort((posts, pres))
    starts = np.concatenate([[0], np.cumsum(np.bincount(pres, minlength=n_pre))]).astype(np.int64)
    return Connection(pre, post, "sparse", starts, np.asarray(posts)[order].astype(np.int32), **settings)


def synapses(graph: NetworkGraph, *, copies: int, learning: bool):
    """Yield (pre layer, pre neuron, post layer, post neuron, stored bits) of every direction of every synapse."""
    for c in graph.connections:
        n_pre, n_post = graph.layer(c.pre).neurons, graph.layer(c.post).neurons
        if c.kind == "dense":
            pairs = [(i, j) for i in range(n_pre) for j in range(n_post)]
        elif c.kind == "one-to-one":
            pairs = [(i, i) for i in range(n_pre)]
        else:
            pairs = [(i, int(j)) for i in range(n_pre) for j in c.targets[c.starts[i] : c.starts[i + 1]]]
        held = c.accumulator_bits if learning and c.plastic else 0
        for i, j in pairs:
            yield c.pre, i, c.post, j, c.weight_bits + held
            if c.bidirectional:
                yield c.post, j, c.pre, i, c.weight_bits if copies == 2 else 0


def recount(placement: Placement, made_up: Chip, *, learning: bool = True) -> dict:
    """Return what ``placement`` should say: packets, hops, borders, spikes between cores, and what each core holds."""
    graph, limits = placement.graph, made_up.limits
    core = {name: cores.tolist() for name, cores in placement.core.items()}
    spikes = {layer.name: layer.spikes_per_neuron() for layer in graph.layers}
    width, height = placement.mesh.width, placement.mesh.height
    place = list(zip(placement.mesh.x.tolist(), placement.mesh.y.tolist(), strict=True))
    reached, heard = defaultdict(set), defaultdict(set)
    held: dict[str, defaultdict] = {key: defaultdict(int) for key in ("neurons", "synapse_bits")}
    for layer in graph.placed:
        for own in core[layer.name]:
            held["neurons"][own] += 1
            held["synapse_bits"][own] += layer.bias_bits
    for pre, i, post, j, bits in synapses(graph, copies=made_up.copies(True), learning=learning):
        there = core[post][j]
        held["synapse_bits"][there] += bits
        heard[there].add((pre, i))
        if there != core[pre][i]:
            reached[pre, i].add(there)
    found = {"packets": 0.0, "hops": 0.0, "borders": 0.0, "intercore": 0.0, "sent": defaultdict(int)}
    arriving = defaultdict(float)
    for (pre, i), cores in reached.items():
        own, fired = core[pre][i], spikes[pre][i]
        x, y = place[own] if own >= 0 else (0, 0)
        targets = {place[there] for there in cores} if limits.multicast else [place[there] for there in cores]
        found["packets"] += fired * len(targets)
        found["hops"] += fired * sum(abs(x - u) + abs(y - v) for u, v in targets)
        found["borders"] += fired * sum(
            abs(x // width - u // width) + abs(y // height - v // height) for u, v in targets
        )
        if own >= 0:
            found["sent"][own] += len(targets)
            found["intercore"] += fired * len(cores)
        for there in cores:
            arriving[there] += fired
    numbers = range(placement.cores)
    sent = found.pop("sent")
    return found | {
        "axons_out": [sent[k] for k in numbers],
        "neurons": [held["neurons"][k] for k in numbers],
        "synapse_bits": [held["synapse_bits"][k] for k in numbers],
        "axons_in": [len(heard[k]) for k in numbers],
        "spikes_in": [arriving[k] for k in numbers],
    }


def fields(hidden: int = 300, side: int = 28, size: int = 7, seed: int = 0) -> NetworkGraph:
    """Return 784-300-10 with a receptive field of 7 x 7 pixels for each hidden neuron, all layers on the chip."""
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, side - size + 1, (hidden, 2))
    within = np.arange(size)
    pixels = (corners[:, 0, None, None] + within[:, None]) * side + corners[:, 1, None, None] + within
    layers = (GraphLayer("input", side * side), GraphLayer("hidden", hidden), GraphLayer("output", 10))
    onto = np.repeat(np.arange(hidden), size * size)
    connections = (sparse("input", "hidden", pixels.reshape(-1), onto, side * side), Connection("hidden", "output"))
    return NetworkGraph(layers, connections, name="fields")


def clustered(n: int = 2000, clusters: int = 20, inside: float = 0.2, across: float = 0.004) -> NetworkGraph:
    """Return a recurrent network of clusters whose neurons are numbered at random."""
    rng = np.random.default_rng(1)
    label = rng.permutation(n) % clusters
    joined = rng.random((n, n)) < np.where(label[:, None] == label, inside, across)
    np.fill_diagonal(joined, False)
    pre, post = np.nonzero(joined)
    return NetworkGraph((GraphLayer("neurons", n),), (sparse("neurons", "neurons", pre, post, n),), name="clustered")


def ring(n: int = 2000, neighbours: int = 20, rewired: float = 0.1) -> NetworkGraph:
    """Return a small world (Watts and Strogatz, Nature 393:440, 1998) whose neurons are numbered at random."""
    rng = np.random.default_rng(2)
    number, half = rng.permutation(n), neighbours // 2
    pre = np.repeat(np.arange(n), neighbours)
    post = (pre + np.tile(np.r_[-half:0, 1 : half + 1], n)) % n
    astray = rng.random(len(post)) < rewired
    post[astray] = rng.integers(0, n, astray.sum())
    apart = pre != post
    synapses = sparse("neurons", "neurons", number[pre[apart]], number[post[apart]], n)
    return NetworkGraph((GraphLayer("neurons", n),), (synapses,), name="ring")
