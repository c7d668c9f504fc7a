"""From the nodes of a NIR graph to synapses: every linear path between what fires and what it reaches.

Signals flow along edges. Input and neurons are sources, neurons are targets; what lies between is linear: Linear,
Affine, Scale, Conv2d, Flatten and Delay. Sums over several paths are several projections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from eqspike.core.errors import ModelError

NEURONS = ("LIF", "IF", "CubaLIF", "LI", "CubaLI")
LINEAR = ("Linear", "Affine", "Scale", "Conv2d", "Flatten", "Delay")
MOST_SYNAPSES = 1 << 27  # of one path
MOST_NEURONS = 1 << 24  # of a node: an Input's shape is not backed by any data
_MOST_PATHS, _LONGEST = 10_000, 64


@dataclass(frozen=True, eq=False)
class Path:
    """A linear map from a source: y = W x + b, delayed.

    Exactly one of ``diagonal`` (n,), ``dense`` (n_in, n_out) and ``pairs`` (pre, post, weight) is given. ``shape`` is
    that of y, ``bias`` its constant part (n_out,), ``stored`` the number of weights that the nodes hold, ``inputs`` is
    n_in.
    """

    source: str
    shape: tuple[int, ...]
    bias: np.ndarray
    delay_s: np.ndarray
    diagonal: np.ndarray | None = None
    dense: np.ndarray | None = None
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    stored: int = 0
    inputs: int = 0
    nodes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Length of y."""
        return prod(self.shape)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return W ``values``, the bias left out."""
        if self.diagonal is not None:
            return values * self.diagonal
        if self.dense is not None:
            return values @ self.dense
        pre, post, weights = self.pairs
        return np.bincount(post, values[pre] * weights, minlength=self.size)

    def fan_out(self) -> np.ndarray:
        """Return how many weights each source value meets, (n_in,)."""
        if self.diagonal is not None:
            return np.ones(len(self.diagonal), np.int64)
        if self.dense is not None:
            return np.full(len(self.dense), self.size)
        return np.bincount(self.pairs[0], minlength=self.inputs)

    def scaled(self, factors: np.ndarray) -> Path:
        """Return the path with every y multiplied by its factor, and its bias too."""
        if self.diagonal is not None:
            found = replace(self, diagonal=self.diagonal * factors)
        elif self.dense is not None:
            found = replace(self, dense=self.dense * factors)
        else:
            pre, post, weights = self.pairs
            found = replace(self, pairs=(pre, post, weights * factors[post]))
        return replace(found, bias=self.bias * factors)


def paths_to_neurons(graph: Any) -> dict[str, list[Path]]:
    """Return the paths into every neuron node, by its name.

    Raises
    ------
    ModelError
        if a node is of another kind, shapes do not fit, or linear nodes form a circle.
    """
    for name, node in graph.nodes.items():
        if kind(node) not in (*NEURONS, *LINEAR, "Input", "Output"):
            refuse(name, f"{kind(node)} cannot run here", f"Runs: {', '.join((*NEURONS, *LINEAR))}.")
    following: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for pre, post in graph.edges:
        if pre not in following or post not in following:
            refuse(f"{pre} -> {post}", "the edge joins a node that does not exist", "Mend the graph.")
        if post in following[pre]:
            refuse(f"{pre} -> {post}", "the edge is there twice", "Remove one.")
        following[pre].append(post)
    found: dict[str, list[Path]] = {name: [] for name, node in graph.nodes.items() if kind(node) in NEURONS}
    for name, node in graph.nodes.items():
        if kind(node) in (*NEURONS, "Input"):
            shape = node_shape(name, node)
            n = prod(shape)
            start = Path(name, shape, np.zeros(n), np.zeros(1), diagonal=np.ones(n), inputs=n)
            for target, path in _walk(graph.nodes, following, start, name):
                found[target].append(path)
                if sum(map(len, found.values())) > _MOST_PATHS:
                    refuse(name, f"there are more than {_MOST_PATHS:,} paths between neurons", "Join linear nodes.")
    return found


def kind(node: Any) -> str:
    """Return the name of a node's type."""
    return type(node).__name__


def refuse(field: str, problem: str, remedy: str) -> None:
    """Raise a ModelError that names a node."""
    raise ModelError(f"{problem}.", field=field, remedy=remedy)


def node_shape(name: str, node: Any) -> tuple[int, ...]:
    """Return the shape of an Input's or a neuron's signal, no larger than a layer may be."""
    given = node.input_type["input"] if kind(node) == "Input" else np.shape(node.r)
    try:
        shape = tuple(int(extent) for extent in np.atleast_1d(given)) if given is not None else ()
    except (TypeError, ValueError, OverflowError):
        shape = (-1,)
    shape = shape or (1,)
    if min(shape) < 1 or prod(shape) > MOST_NEURONS:
        refuse(name, f"a shape of {given} is no layer", f"Give 1 to {MOST_NEURONS:,} neurons.")
    return shape


def numbers(name: str, node: Any, key: str) -> np.ndarray:
    """Return a node's array of finite numbers as float64."""
    try:
        values = np.asarray(getattr(node, key), np.float64)
    except (TypeError, ValueError):
        refuse(f"{name}.{key}", "it does not hold numbers", "Give an array of numbers.")
    if not np.isfinite(values).all():
        refuse(f"{name}.{key}", "a number is not finite", "Check the array.")
    return values


def _walk(nodes: Mapping[str, Any], following: Mapping, path: Path, at: str) -> Iterator[tuple[str, Path]]:
    for name in following[at]:
        node = nodes[name]
        if len(path.nodes) > _LONGEST:
            refuse(name, f"more than {_LONGEST} linear nodes follow each other", "Join them.")
        if name in path.nodes:
            refuse(name, "linear nodes form a circle without a neuron", "Put a neuron into the loop.")
        if kind(node) in NEURONS:
            if prod(node_shape(name, node)) != path.size:
                refuse(name, f"{path.shape} values reach {node_shape(name, node)} neurons", "Mend the shapes.")
            yield name, path
        elif kind(node) == "Output":
            if path.nodes:
                refuse(name, "a linear read-out does not fire", "End the graph in neurons, such as LI.")
        elif kind(node) == "Input":
            refuse(name, "an Input receives nothing", "Remove the edge.")
        else:
            step = replace(_STEPS[kind(node)](name, node, path), nodes=(*path.nodes, name))
            yield from _walk(nodes, following, step, name)


def _linear(name: str, node: Any, path: Path) -> Path:
    weight = numbers(name, node, "weight")
    if weight.ndim != 2 or weight.shape[1] != path.size:
        refuse(f"{name}.weight", f"shape {weight.shape} does not take {path.size} values", "Give (n_out, n_in).")
    n_out, matrix = weight.shape[0], weight.T
    bias = numbers(name, node, "bias") if kind(node) == "Affine" else np.zeros(n_out)
    if bias.shape != (n_out,):
        refuse(f"{name}.bias", f"shape {bias.shape} for {n_out} values", f"Give ({n_out},).")
    if path.pairs is not None:
        refuse(name, "it follows a convolution without neurons between", "Put neurons between them.")
    dense = matrix * path.diagonal[:, None] if path.diagonal is not None else path.dense @ matrix
    return replace(
        path, shape=(n_out,), diagonal=None, dense=dense, bias=path.bias @ matrix + bias,
        stored=path.stored + weight.size + (n_out if kind(node) == "Affine" else 0),
    )  # fmt: skip


def _scale(name: str, node: Any, path: Path) -> Path:
    factors = numbers(name, node, "scale").reshape(-1)
    if factors.size not in (1, path.size):
        refuse(f"{name}.scale", f"{factors.size} factors for {path.size} values", "Give one a value.")
    return path.scaled(np.broadcast_to(factors, (path.size,)))


def _flatten(name: str, node: Any, path: Path) -> Path:
    return replace(path, shape=(path.size,))


def _delay(name: str, node: Any, path: Path) -> Path:
    delays = numbers(name, node, "delay").reshape(-1)
    if delays.size not in (1, path.size) or delays.min(initial=0) < 0:
        refuse(f"{name}.delay", f"{delays.size} delays for {path.size} values, or one below 0", "Give one a value.")
    if np.ptp(delays) == 0:
        delays = delays[:1]
    elif path.diagonal is None:
        refuse(f"{name}.delay", "delays differ behind the weights", "Put the Delay before the weights.")
    return replace(path, delay_s=path.delay_s + delays)


def _convolution(name: str, node: Any, path: Path) -> Path:
    """Return the convolution as one synapse for each use of a weight; signals are (channels, height, width)."""
    weight, groups = numbers(name, node, "weight"), _whole(name, node, "groups", 1)[0]
    if path.diagonal is None:
        refuse(name, "it follows other weights without neurons between", "Put neurons between them.")
    if weight.ndim != 4 or groups < 1 or weight.shape[0] % groups:
        refuse(f"{name}.weight", f"shape {weight.shape} in {groups} groups", "Give (c_out, c_in / groups, k_y, k_x).")
    given = getattr(node, "input_shape", None)
    shape = path.shape if len(path.shape) == 3 else (weight.shape[1] * groups, *_extents(name, given))
    if prod(shape) != path.size or shape[0] != weight.shape[1] * groups:
        refuse(name, f"{path.shape} values are no map of {weight.shape[1] * groups} channels", "Mend the shapes.")
    stride, dilation = _whole(name, node, "stride", 2), _whole(name, node, "dilation", 2)
    padding = _padding(name, node, weight.shape[2:], stride, dilation)
    extents = [
        (n + before + after - d * (k - 1) - 1) // s + 1
        for n, (before, after), d, k, s in zip(shape[1:], padding, dilation, weight.shape[2:], stride, strict=True)
    ]
    if min(extents) < 1 or prod(extents) * weight.size > MOST_SYNAPSES:
        refuse(name, f"maps of {extents} make no layer, or more than {MOST_SYNAPSES:,} synapses", "Check the shapes.")
    bias = numbers(name, node, "bias").reshape(-1)
    if bias.size != weight.shape[0]:
        refuse(f"{name}.bias", f"{bias.size} biases for {weight.shape[0]} channels", "Give one a channel.")
    pre, post, which = _unrolled(shape, tuple(extents), weight.shape, stride, dilation, padding, groups)
    weights = weight.reshape(-1)[which] * path.diagonal[pre]
    return replace(
        path, shape=(weight.shape[0], *extents), diagonal=None, pairs=(pre, post, weights),
        bias=np.bincount(post, path.bias[pre] * weights, minlength=weight.shape[0] * prod(extents))
        + np.repeat(bias, prod(extents)),
        stored=path.stored + weight.size + bias.size,
    )  # fmt: skip


def _unrolled(shape, extents, kernel, stride, dilation, padding, groups) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (pre, post, place in the kernel) of every use of a weight, in order of the post neuron."""
    out, within, ky, kx = np.ix_(*(np.arange(n) for n in kernel))
    tables = []
    for y in range(extents[0]):
        for x in range(extents[1]):
            row = y * stride[0] + ky * dilation[0] - padding[0][0]
            column = x * stride[1] + kx * dilation[1] - padding[1][0]
            channel = out // (kernel[0] // groups) * kernel[1] + within
            pre = (channel * shape[1] + row) * shape[2] + column
            post = (out * extents[0] + y) * extents[1] + x
            inside = (row >= 0) & (row < shape[1]) & (column >= 0) & (column < shape[2])
            place = ((out * kernel[1] + within) * kernel[2] + ky) * kernel[3] + kx
            keep = np.broadcast_to(inside, kernel)
            tables.append(np.stack([np.broadcast_to(each, kernel)[keep] for each in (pre, post, place)]))
    pre, post, place = np.concatenate(tables, axis=1)
    order = np.lexsort((pre, post))
    return pre[order], post[order], place[order]


def _whole(name: str, node: Any, key: str, n: int) -> tuple[int, ...]:
    values = numbers(name, node, key).reshape(-1)
    if values.size not in (1, n) or (values < 1).any() or (values > 1 << 20).any():
        refuse(f"{name}.{key}", f"{values.tolist()} is not {n} whole numbers from 1", "Mend the node.")
    return tuple(int(value) for value in np.broadcast_to(values, (n,)))


def _extents(name: str, given: Any) -> tuple[int, int]:
    values = np.atleast_1d(given) if given is not None else np.zeros(0)
    if values.size != 2 or min(values) < 1:
        refuse(f"{name}.input_shape", f"{given} is no height and width", "Give the Input (channels, height, width).")
    return int(values[0]), int(values[1])


def _padding(name, node, kernel, stride, dilation) -> list[tuple[int, int]]:
    """Return (before, after) of height and width; "same" puts the odd one after."""
    given = getattr(node, "padding", 0)
    given = given.decode() if isinstance(given, bytes) else given
    if isinstance(given, str):
        if given not in ("valid", "same") or (given == "same" and stride != (1, 1)):
            refuse(
                f"{name}.padding", f"{given!r} is no padding here", 'Give numbers, "valid", or "same" without stride.'
            )
        total = [d * (k - 1) if given == "same" else 0 for d, k in zip(dilation, kernel, strict=True)]
        return [(whole // 2, whole - whole // 2) for whole in total]
    values = numbers(name, node, "padding").reshape(-1)
    if values.size not in (1, 2) or (values < 0).any() or (values > 1 << 20).any():
        refuse(f"{name}.padding", f"{values.tolist()} is not two whole numbers from 0", "Mend the node.")
    return [(int(value), int(value)) for value in np.broadcast_to(values, (2,))]


_STEPS = {
    "Linear": _linear, "Affine": _linear, "Scale": _scale, "Flatten": _flatten, "Delay": _delay, "Conv2d": _convolution,
}  # fmt: skip
