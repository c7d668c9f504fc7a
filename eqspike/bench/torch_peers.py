"""PyTorch stepping the same energy-based networks eagerly, as published code does; a process of its own.

    python -m eqspike.bench.torch_peers convolution --arrays case.npz --states out.npz --threads 1

prints one JSON document. Any Python with torch and numpy will do; it needs nothing else that eqspike needs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from eqspike.core.errors import ConfigError, EqspikeError

Arrays = Mapping[str, np.ndarray]
EPOCH = 60_000  # images


def measure(
    workload: str, arrays: Arrays, *, python: str = sys.executable, threads: int = 1, **options: object
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Run ``workload`` in a process of its own; return its report and what it computed.

    Parameters
    ----------
    workload : "convolution" or "prototypical".
    arrays : what it starts from, see `convolution_arrays` and `prototypical`.
    python : an interpreter that has torch.
    threads : of torch, and of the libraries under it.
    options : further options of the command, by name.

    Raises
    ------
    ConfigError : ``python`` has no torch, or the process failed.
    """
    with TemporaryDirectory() as folder:
        given, found = Path(folder, "arrays.npz"), Path(folder, "states.npz")
        np.savez(given, **arrays)
        wanted = {"arrays": given, "states": found, "threads": threads, **options}
        flags = [text for name, value in wanted.items() for text in (f"--{name.replace('_', '-')}", str(value))]
        root = str(Path(__file__).parents[2])
        environment = {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": str(threads)}
        command = [python, "-m", "eqspike.bench.torch_peers", workload, *flags]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ConfigError(f"the PyTorch peer failed: {done.stderr.strip().rpartition(chr(10))[2]}", field="python")
        with np.load(found) as states:
            return json.loads(done.stdout), dict(states)


def convolution_arrays(
    seed: int = 0, *, channels: tuple[int, ...] = (3, 64, 128), side: int = 32, batch: int = 64, outputs: int = 10
) -> dict[str, np.ndarray]:
    """Return random images (batch, side, side, c), kernels 3 x 3 and dense weights that neither die nor saturate."""
    rng = np.random.default_rng(seed)
    arrays = {"images": rng.random((batch, side, side, channels[0]))}
    for index, (below, above) in enumerate(pairwise(channels)):
        arrays[f"kernel_{index}"] = rng.normal(0, 1 / np.sqrt(9 * below), (3, 3, below, above))
    features = (side // 2 ** (len(channels) - 1)) ** 2 * channels[-1]
    arrays["dense"] = rng.normal(0, 1 / np.sqrt(features), (features, outputs))
    return {name: values.astype(np.float32) for name, values in arrays.items()}


def convolution(arrays: Arrays, *, iterations: int, repeats: int, device: str) -> tuple[dict[str, Any], Arrays]:
    """Settle s_l <- clip(d phi / d s_l, 0, 1), the last layer unclipped, of 3 x 3 convolutions and 2 x 2 mean pools.

    Three forms, timed in turn: ``autograd`` of phi, ``explicit`` transposes, and ``cached``, explicit with the
    input's drive computed once. The first two compute it at every step, as published code does.

    Parameters
    ----------
    arrays : ``images`` (batch, height, width, c), ``kernel_0`` ... (3, 3, c_in, c_out), ``dense`` (features, n).
    iterations, repeats : settling steps, and how often each form is timed.
    device : torch's name of it.
    """
    torch = _torch()
    network = _ConvolutionalPeer(torch, arrays, device)
    forms: dict[str, Callable[[], list[Any]]] = {
        "autograd": lambda: network.settle_by_autograd(iterations),
        "explicit": lambda: network.settle(iterations, cached=False),
        "cached": lambda: network.settle(iterations, cached=True),
    }
    ends = {name: form() for name, form in forms.items()}
    wall, cpu = _in_turn(forms, repeats, torch.cuda.synchronize if device.startswith("cuda") else lambda: None)
    spread = max(
        float((a - b).abs().max()) for form in ends.values() for a, b in zip(form, ends["cached"], strict=True)
    )
    images = len(arrays["images"])
    report = {
        "iterations": iterations,
        "batch": images,
        "device": device,
        "seconds": wall,
        "cpu_seconds": cpu,
        "images_per_s": {name: images / seconds for name, seconds in wall.items()},
        "largest_difference_between_forms": spread,
    }
    states = [s.permute(0, 2, 3, 1) if s.ndim == 4 else s for s in ends["autograd"]]
    return report, {f"state_{place}": s.cpu().numpy() for place, s in enumerate(states, 1)}


class _ConvolutionalPeer:
    """The network in PyTorch's own layout, channels first."""

    def __init__(self, torch: Any, arrays: Arrays, device: str) -> None:
        self.torch, self.functional = torch, torch.nn.functional
        kernels = [arrays[f"kernel_{index}"] for index in range(sum(name.startswith("kernel_") for name in arrays))]
        self.images = torch.tensor(arrays["images"].transpose(0, 3, 1, 2).copy(), device=device)
        self.kernels = [torch.tensor(w.transpose(3, 2, 0, 1).copy(), device=device) for w in kernels]
        channels, outputs = kernels[-1].shape[3], arrays["dense"].shape[1]
        side = arrays["images"].shape[1] // 2 ** len(kernels)
        dense = arrays["dense"].reshape(side, side, channels, outputs).transpose(2, 0, 1, 3)
        self.dense = torch.tensor(dense.reshape(-1, outputs), device=device)

    def rest(self) -> list[Any]:
        """Return all states at zero."""
        batch, side, shapes = len(self.images), self.images.shape[2], []
        for kernel in self.kernels:
            side //= 2
            shapes.append((batch, kernel.shape[0], side, side))
        return [self.images.new_zeros(shape) for shape in [*shapes, (batch, self.dense.shape[1])]]

    def up(self, kernel: Any, s: Any) -> Any:
        """Convolve and pool."""
        return self.functional.avg_pool2d(self.functional.conv2d(s, kernel, padding=1), 2)

    def down(self, kernel: Any, s: Any) -> Any:
        """Transpose `up`."""
        spread = self.functional.interpolate(s, scale_factor=2, mode="nearest") / 4
        return self.functional.conv_transpose2d(spread, kernel, padding=1)

    def settle_by_autograd(self, iterations: int) -> list[Any]:
        """Step with the gradient of phi."""
        states = self.rest()
        for _ in range(iterations):
            states = [s.detach().requires_grad_() for s in states]
            below = [self.images, *states[:-2]]
            phi = sum((self.up(w, a) * b).sum() for w, a, b in zip(self.kernels, below, states, strict=False))
            phi = phi + (states[-2].flatten(1) @ self.dense * states[-1]).sum()
            drives = self.torch.autograd.grad(phi, states)
            states = [*(drive.clamp(0, 1) for drive in drives[:-1]), drives[-1]]
        return [s.detach() for s in states]

    def settle(self, iterations: int, *, cached: bool) -> list[Any]:
        """Step with the drives written out."""
        states = self.rest()
        with self.torch.no_grad():
            first = self.up(self.kernels[0], self.images)
            for _ in range(iterations):
                if not cached:
                    first = self.up(self.kernels[0], self.images)
                up = [first, *(self.up(w, s) for w, s in zip(self.kernels[1:], states, strict=False))]
                down = [self.down(w, s) for w, s in zip(self.kernels[1:], states[1:], strict=False)]
                down.append((states[-1] @ self.dense.T).view_as(states[-2]))
                last = states[-2].flatten(1) @ self.dense
                states = [*((a + b).clamp(0, 1) for a, b in zip(up, down, strict=True)), last]
        return states


def prototypical(
    arrays: Arrays, *, minibatches: int, batch: int, free_steps: int, nudged_steps: int, beta: float, device: str
) -> tuple[dict[str, Any], Arrays]:
    r"""Train one hidden layer by step-synchronous prototypical EP with plain SGD, learning rates 0.08 and 0.04.

    h <- sigma(x W_in + b_h + o W_out^T), o <- sigma(h W_out + b_o) [+ beta (y - o)], both from the old state, with
    sigma(x) = 1/(1 + exp(-4 (x - 1/2))); dW = (s^beta s^beta^T - s s^T) / (beta B). The input's drive is computed at
    every step, as published code does.

    Parameters
    ----------
    arrays : ``images`` (n, n_in), ``targets`` (n, n_out), ``w_in`` (n_in, n_hidden), ``w_out`` (n_hidden, n_out),
        ``b_hidden``, ``b_out``; taken in order, again from the start when they end.
    minibatches, batch : how many are learned, and of how many images.
    free_steps, nudged_steps, beta : the two phases.
    """
    torch = _torch()
    names = ("w_in", "b_hidden", "w_out", "b_out")
    theta = [torch.tensor(arrays[name], device=device) for name in names]
    rates = (0.08, 0.08, 0.04, 0.04)
    images, targets = (torch.tensor(arrays[name], device=device) for name in ("images", "targets"))

    def learn(theta: list[Any], index: int) -> list[Any]:
        start = index % (len(images) // batch) * batch
        x, y = images[start : start + batch], targets[start : start + batch]
        free = _step(torch, theta, x, y, None, free_steps, 0.0)
        nudged = _step(torch, theta, x, y, free, nudged_steps, beta)
        (h, o), (hb, ob) = free, nudged
        changes = (x.T @ hb - x.T @ h, (hb - h).sum(0), hb.T @ ob - h.T @ o, (ob - o).sum(0))
        return [w + rate / (beta * batch) * change for w, rate, change in zip(theta, rates, changes, strict=True)]

    with torch.no_grad():
        learn(theta, 0)  # warm up
        wall, cpu = time.perf_counter(), time.process_time()
        for index in range(minibatches):
            theta = learn(theta, index)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    scale = EPOCH / (minibatches * batch)
    report = {
        "minibatches": minibatches,
        "batch": batch,
        "seconds_per_epoch": wall * scale,
        "cpu_seconds_per_epoch": cpu * scale,
        "epoch_images": EPOCH,
    }
    return report, {name: value.cpu().numpy() for name, value in zip(names, theta, strict=True)}


def _step(torch: Any, theta: list[Any], x: Any, y: Any, states: Any, steps: int, beta: float) -> tuple[Any, Any]:
    """Take ``steps`` synchronous steps from ``states``, from zero if none."""
    w_in, b_hidden, w_out, b_out = theta
    h, o = states or (x.new_zeros(len(x), len(b_hidden)), x.new_zeros(len(x), len(b_out)))
    for _ in range(steps):
        to_h, to_o = x @ w_in + b_hidden + o @ w_out.T, h @ w_out + b_out
        h_new, o_new = 1 / (1 + torch.exp(-4 * (to_h - 0.5))), 1 / (1 + torch.exp(-4 * (to_o - 0.5)))
        h, o = h_new, o_new + beta * (y - o) if beta else o_new
    return h, o


def _in_turn(
    works: dict[str, Callable[[], object]], repeats: int, wait: Callable[[], None]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the median wall and CPU seconds of each work, all taken in turn."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            wait()
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            wait()
            times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    wall, cpu = ({name: median(t[which] for t in taken) for name, taken in times.items()} for which in (0, 1))
    return wall, cpu


def _torch() -> Any:
    try:
        import torch
    except ModuleNotFoundError:
        raise ConfigError(
            f"{sys.executable} has no torch, the peer to compare with.",
            field="python",
            remedy="Install it with: pip install 'eqspike[bench]', or name a Python that has it.",
        ) from None
    return torch


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m eqspike.bench.torch_peers", description=__doc__.splitlines()[0])
    workloads = parser.add_subparsers(dest="workload", required=True)
    settling = workloads.add_parser("convolution", help="settling a convolutional Hopfield network")
    settling.add_argument("--arrays", help=".npz to start from; without it, random ones")
    settling.add_argument("--iterations", type=int, default=20)
    settling.add_argument("--repeats", type=int, default=5)
    training = workloads.add_parser("prototypical", help="training 784-512-10 by prototypical EP")
    training.add_argument("--arrays", required=True, help=".npz to start from")
    training.add_argument("--minibatches", type=int, default=50)
    training.add_argument("--batch", type=int, default=20)
    training.add_argument("--free-steps", type=int, default=40)
    training.add_argument("--nudged-steps", type=int, default=15)
    training.add_argument("--beta", type=float, default=0.1)
    for workload in (settling, training):
        workload.add_argument("--states", help=".npz to write what came out to")
        workload.add_argument("--threads", type=int, default=1)
        workload.add_argument("--device", default="cpu")
    return parser


def main() -> None:
    """Run the workload that the command line names and print its report as JSON."""
    options = vars(_options().parse_args())
    workload, path, states, threads = (options.pop(name) for name in ("workload", "arrays", "states", "threads"))
    torch = _torch()
    torch.set_num_threads(threads)
    arrays = dict(np.load(path)) if path else convolution_arrays()
    report, found = {"convolution": convolution, "prototypical": prototypical}[workload](arrays, **options)
    if states:
        np.savez(states, **found)
    print(json.dumps({"workload": workload, "torch": torch.__version__, "threads": threads, **report}))


if __name__ == "__main__":
    try:
        main()
    except EqspikeError as error:
        sys.exit(f"{error.problem} {error.remedy}")
