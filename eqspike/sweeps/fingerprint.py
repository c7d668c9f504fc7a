"""What a measurement depends on, as two hashes: the resolved configuration, and the code that computes."""

from __future__ import annotations

import ast
import hashlib
import json
from functools import lru_cache
from pathlib import Path

from eqspike.training.spec import RunSpec

COMPUTING = (
    "core/contrast.py",
    "core/rng.py",
    "data",
    "energies",
    "kernels",
    "learning",
    "network",
    "substrates",
    "training",
)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def configuration_hash(spec: RunSpec) -> str:
    """Return the hash of everything in ``spec`` that decides what is computed but the seed: one hash per case."""
    decisive = spec.model_dump(mode="json", exclude={"name", "title", "seed"})
    return _hash(json.dumps(decisive, sort_keys=True))


def run_id(spec: RunSpec, code: str) -> str:
    """Return the name of a run, 16 hexadecimal digits: of all that decides what is computed, and of the code.

    Parameters
    ----------
    code : :func:`code_hash` of the code that computes.
    """
    decisive = spec.model_dump(mode="json", exclude={"name", "title"})
    return hashlib.sha256(f"{json.dumps(decisive, sort_keys=True)}{code}".encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def code_hash() -> str:
    """Return the hash of the sources that compute a run; comments, docstrings and layout do not count."""
    package = Path(__file__).parent.parent
    sources = [package / part for part in COMPUTING]
    files = [file for source in sources for file in ([source] if source.is_file() else sorted(source.rglob("*.py")))]
    return _hash("".join(file.relative_to(package).as_posix() + code_of(file.read_text("utf-8")) for file in files))


def code_of(source: str) -> str:
    """Return what a Python source does, without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


def _hash(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
