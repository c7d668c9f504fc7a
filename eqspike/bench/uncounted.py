"""The engine without its ledger, made from its own source, so that the ledger's cost can be measured."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import eqspike.kernels

_MODULES = ("neurons", "plasticity", "clocked_learning", "clocked", "presentations")
_COUNTED = ("table", "cut", "changed", "clipped")


class _Strip(ast.NodeTransformer):
    """Drop what only counts: additions to ``table``, ``counts``, ``cut``, ``changed`` and ``clipped``."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        target = node.target
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
        counts = isinstance(target, ast.Name) and target.id in (*_COUNTED, "counts")
        return ast.copy_location(ast.Pass(), node) if counts else node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return ast.copy_location(ast.Pass(), node) if ast.unparse(node).startswith("add_into(counts.") else node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        match node:
            case ast.Assign([ast.Name(target)], ast.BinOp(ast.Name(left), ast.Add())) if target == left:
                return ast.copy_location(ast.Pass(), node) if target in _COUNTED else node
        return node


def uncounted_present(folder: Path) -> Callable:
    """Return the loop over samples compiled from sources in which nothing is counted, written to ``folder``."""
    package = folder / "eqspike_uncounted"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in _MODULES:
        tree = ast.parse((Path(eqspike.kernels.__file__).parent / f"{name}.py").read_text("utf-8"))
        source = ast.unparse(ast.fix_missing_locations(_Strip().visit(tree)))
        for module in _MODULES:
            source = source.replace(f"eqspike.kernels.{module} ", f"eqspike_uncounted.{module} ")
        (package / f"{name}.py").write_text(source, "utf-8")
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("eqspike_uncounted.presentations").present_uncached
    finally:
        sys.path.remove(str(folder))
