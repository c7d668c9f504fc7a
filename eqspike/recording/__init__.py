"""Run files in HDF5: every stored array declared once, written atomically, readable with plain h5py."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from eqspike.recording.content import RunContent, RunSummary
from eqspike.recording.environment import current_environment
from eqspike.recording.files import check_output
from eqspike.recording.schema import SCHEMA_VERSION, describe_schema

if TYPE_CHECKING:
    from eqspike.recording.store import read_run, read_summary, write_run

__all__ = [
    "SCHEMA_VERSION",
    "RunContent",
    "RunSummary",
    "check_output",
    "current_environment",
    "describe_schema",
    "read_run",
    "read_summary",
    "write_run",
]


def __getattr__(name: str) -> object:
    """Import what needs h5py when it is first asked for."""
    if name in __all__:
        return getattr(import_module("eqspike.recording.store"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
