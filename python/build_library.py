"""Builds the shared library and the command with cargo, and puts them into the wheel.

The Rust sources are one folder up, or in ``rust`` in a source distribution.
``OSSLIVE_BUILT_LIBRARY`` and ``OSSLIVE_BUILT_COMMAND`` name files that are already
built, for cross builds; ``OSSLIVE_WHEEL_PLATFORM`` then names the wheel's platform.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, Dict, Optional

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The files cargo needs; the workspace's other members must exist, but are not built.
SOURCES = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "cbindgen.toml",
    "README.md",
    "include",
    "src",
    "capi",
    "local/Cargo.toml",
    "local/assets",
    "local/src",
    "cli/Cargo.toml",
    "cli/src",
    "cli/assets",
    "benches/Cargo.toml",
    "benches/src",
    "benches/pure.rs",
    "examples/rust",
    "ffi-tests/Cargo.toml",
    "ffi-tests/src",
]


class BuildLibrary(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: Dict[str, Any]) -> None:
        if self.target_name == "sdist":
            self._pack_sources(build_data)
            return
        root = Path(self.root)
        library = built("OSSLIVE_BUILT_LIBRARY", root, "osslive-capi", "--lib", library_name())
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag()}"
        if version == "editable":
            shutil.copy(library, root / "src" / "osslive" / library.name)
            return
        build_data["force_include"][str(library)] = f"osslive/{library.name}"
        command = built("OSSLIVE_BUILT_COMMAND", root, "osslive-cli", "--bins", command_name())
        build_data["shared_scripts"][str(command)] = command.name

    def _pack_sources(self, build_data: Dict[str, Any]) -> None:
        repository = rust_sources(Path(self.root))
        for name in SOURCES:
            if (repository / name).exists():
                build_data["force_include"][str(repository / name)] = f"rust/{name}"


def built(variable: str, root: Path, package: str, target: str, name: str) -> Path:
    """Returns the built file of a package: the one the variable names, or one built by cargo."""
    given = os.environ.get(variable)
    if given:
        path = Path(given).resolve()
        # A missing file would be omitted from the wheel without an error.
        if not path.is_file():
            raise SystemExit(f"{variable}: {path} is not a file")
        return path
    if shutil.which("cargo") is None:
        raise SystemExit(
            "building osslive requires Rust, but cargo is not on PATH: https://rustup.rs"
        )
    repository = rust_sources(root)
    command = ["cargo", "rustc", "--release", "--locked", "--package", package, target, *jobs()]
    subprocess.run(command, cwd=repository, check=True)
    file = repository / os.environ.get("CARGO_TARGET_DIR", "target") / "release" / name
    if not file.is_file():
        raise SystemExit(f"cargo did not build {file}")
    return file


def jobs() -> list[str]:
    count: Optional[str] = os.environ.get("CARGO_BUILD_JOBS")
    return ["--jobs", count] if count else []


def rust_sources(root: Path) -> Path:
    for folder in (root / "rust", root.parent):
        if (folder / "capi" / "src").is_dir():
            return folder
    raise SystemExit("the Rust sources of osslive are neither in rust nor one folder up")


def library_name() -> str:
    if sys.platform == "win32":
        return "osslive.dll"
    return "libosslive.dylib" if sys.platform == "darwin" else "libosslive.so"


def command_name() -> str:
    return "osslive.exe" if sys.platform == "win32" else "osslive"


def platform_tag() -> str:
    given = os.environ.get("OSSLIVE_WHEEL_PLATFORM")
    return given or sysconfig.get_platform().replace("-", "_").replace(".", "_")
