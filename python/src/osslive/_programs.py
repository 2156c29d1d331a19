"""Finds programs to run. Never from the working directory or a directory above it, where somebody
else may have put one."""

from __future__ import annotations

import os
import sys
import sysconfig
from typing import List, Optional, Union

_SUFFIX = ".exe" if sys.platform == "win32" else ""


class ProgramNotFound(RuntimeError):
    """A program was not found; lists where it was looked for."""


def osslive_command(given: Union[str, os.PathLike[str], None] = None) -> str:
    """Returns the command ``osslive``: the one given, the one in ``OSSLIVE_BIN``, the one in
    this package, or the first on ``PATH``."""
    for label, named in (("binary", given), ("OSSLIVE_BIN", os.environ.get("OSSLIVE_BIN"))):
        if named:
            # A name without a folder would be looked up on PATH when run.
            path = os.path.abspath(named)
            if not _is_program(path):
                raise ProgramNotFound(f"{label} {os.fspath(named)!r}: no such executable file")
            return path
    own = [os.path.join(folder, f"osslive{_SUFFIX}") for folder in _own_folders()]
    found = next(filter(_is_program, own), None) or on_path("osslive")
    if found is None:
        raise ProgramNotFound(
            "the command osslive was not found: OSSLIVE_BIN is not set, this package has none ("
            + ", ".join(own)
            + "), and no absolute directory on PATH has one; to build it, run cargo build "
            "--release -p osslive-cli in the sources of osslive, and set OSSLIVE_BIN to "
            "target/release/osslive"
        )
    return found


def on_path(name: str) -> Optional[str]:
    """Returns the first program of that name in the folders on ``PATH``. Unlike
    :func:`shutil.which`, this ignores entries that mean the working directory, and does not start
    there on Windows."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    paths = (os.path.join(folder, name + _SUFFIX) for folder in folders if os.path.isabs(folder))
    return next(filter(_is_program, paths), None)


def _own_folders() -> List[str]:
    """Returns the folders in which an installation of this package puts the command."""
    user = "nt_user" if os.name == "nt" else "posix_user"
    return [sysconfig.get_path("scripts"), sysconfig.get_path("scripts", user)]


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
