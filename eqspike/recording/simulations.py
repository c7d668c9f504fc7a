"""A simulation's spikes, weights and counts as one .npz file, which NumPy alone reads."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eqspike.core.errors import OutputError
from eqspike.recording.environment import current_environment
from eqspike.recording.files import write_atomically

if TYPE_CHECKING:
    from eqspike.core.ledger import Ledger

FORMAT = "eqspike-simulation-1"


def check_suffix(path: str | PathLike) -> None:
    """Refuse a name that NumPy would not recognise.

    Raises
    ------
    OutputError
        if it does not end in .npz.
    """
    if Path(path).suffix != ".npz":
        raise OutputError("spikes are written as .npz.", field=str(path), remedy="End the name in .npz.")


def write_simulation(
    path: str | PathLike,
    spikes: Mapping[str, tuple[np.ndarray, np.ndarray]],
    weights: Mapping[str, np.ndarray],
    ledger: Ledger,
    spec: Mapping[str, Any],
    results: Mapping[str, Any],
    *,
    overwrite: bool = False,
) -> None:
    """Write a simulation in one step, whole or not at all.

    Parameters
    ----------
    spikes : times (s) and neurons by layer, stored as ``spikes/LAYER/t`` and ``spikes/LAYER/i``.
    weights : those that a rule may have changed, stored as ``weights/PROJECTION``.
    ledger, spec, results : stored as JSON texts, beside ``format`` and ``environment``.

    Raises
    ------
    OutputError
        if the file exists and ``overwrite`` is false, or cannot be written.
    """
    texts = {"spec": spec, "results": results, "ledger": ledger.to_dict(), "environment": current_environment()}
    arrays: dict[str, np.ndarray] = {name: np.array(json.dumps(value)) for name, value in texts.items()}
    arrays["format"] = np.array(FORMAT)
    for layer, (t, i) in spikes.items():
        arrays |= {f"spikes/{layer}/t": t, f"spikes/{layer}/i": i}
    arrays |= {f"weights/{name}": values for name, values in weights.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_atomically(path, buffer.getvalue(), overwrite=overwrite)
