"""How the modules of the package depend on each other."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path
from typing import Dict, Iterator, Set

import osslive

PACKAGE = Path(osslive.__file__).parent


def imported(module: Path) -> Iterator[str]:
    """Yields the modules of the package that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names = [node.module] if node.module else [name.name for name in node.names]
            yield from (name.split(".")[0] for name in names)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [name.name for name in node.names]
            outer = node.module or "" if isinstance(node, ast.ImportFrom) else None
            for name in names if outer is None else [f"{outer}.{name}" for name in names]:
                if name.startswith("osslive."):
                    yield name.split(".")[1]


def graph() -> Dict[str, Set[str]]:
    modules = {path.stem: path for path in PACKAGE.glob("*.py")}
    return {name: set(imported(path)) & set(modules) for name, path in modules.items()}


def test_imports_go_one_way() -> None:
    modules = graph()
    assert modules["client"] >= {"_native", "models"}, "imports are found"
    order = list(graphlib.TopologicalSorter(modules).static_order())
    assert set(order) == set(modules)


def test_an_import_inside_a_function_counts(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "def f():\n"
        "    from .errors import error_of\n"
        "    from . import _log, _work\n"
        "    import osslive.plot, os\n"
        "    from osslive.models import Channel\n"
    )
    assert list(imported(module)) == ["errors", "_log", "_work", "plot", "models"]
