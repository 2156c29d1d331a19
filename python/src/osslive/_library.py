"""Finds and loads the shared library."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from pathlib import Path
from typing import List, Tuple

from ._declarations import ABI_VERSION, FUNCTIONS, Function, Functions


class LibraryError(ImportError):
    """The shared library is missing or incompatible; lists what was tried."""


#: Prefixes of functions that neither use the network nor wait for anything else.
_BRIEF = (
    "osslive_version",
    "osslive_abi_version",
    "osslive_string_",
    "osslive_error_",
    "osslive_config_",
    "osslive_channel_config_",
    "osslive_sweep_options_",
    "osslive_get_rtmp_url",
    "osslive_get_publish_url",
    "osslive_get_play_url",
)


class Library(Functions):
    """The functions of the library, without their prefix.

    They release the global interpreter lock while they run, except for those that
    take less time than releasing it.
    """

    def __init__(self, path: str) -> None:
        waiting = ctypes.CDLL(path)
        brief = ctypes.PyDLL(path)
        self.path = path
        found = _function(brief, "osslive_abi_version")()
        if found != ABI_VERSION:
            raise LibraryError(f"ABI version {found}: must be {ABI_VERSION}")
        for name in FUNCTIONS:
            function = _function(brief if name.startswith(_BRIEF) else waiting, name)
            setattr(self, name[len("osslive_") :], function)


def _function(dll: ctypes.CDLL, name: str) -> Function:
    try:
        function = dll[name]
    except AttributeError:
        raise LibraryError(f"it has no function {name}") from None
    function.restype, function.argtypes = FUNCTIONS[name]
    return function


def file_names() -> Tuple[str, str]:
    """Returns the library's name on this system: in a package, and for the loader."""
    if sys.platform == "win32":
        return "osslive.dll", "osslive.dll"
    if sys.platform == "darwin":
        return "libosslive.dylib", f"libosslive.{ABI_VERSION}.dylib"
    return "libosslive.so", f"libosslive.so.{ABI_VERSION}"


def _candidates() -> List[Tuple[str, str]]:
    """Returns where to look, in order: a label, and the path to load ("" for none). Never the
    working directory, where somebody else may have put a library."""
    own_name, system_name = file_names()
    named = os.environ.get("OSSLIVE_LIBRARY", "")
    return [
        ("the package's own", str(Path(__file__).resolve().parent / own_name)),
        # A name without a folder would be looked up by the loader.
        ("OSSLIVE_LIBRARY", named and os.path.abspath(named)),
        *(("the system's", path) for path in _system_paths(system_name)),
    ]


def _system_paths(name: str) -> List[str]:
    if sys.platform == "darwin":
        # By name only, dlopen would search the working directory.
        folders = (os.path.join(sys.prefix, "lib"), "/opt/homebrew/lib", "/usr/local/lib")
        return [os.path.join(folder, name) for folder in folders]
    # The loader interprets empty and relative entries as parts of the working directory.
    search = os.environ.get("LD_LIBRARY_PATH", "")
    entries = search.replace(";", ":").split(":") if search else []
    return [name] if all(map(os.path.isabs, entries)) else []


@functools.cache
def library() -> Library:
    """Returns the library, loading it on the first call."""
    tried: List[str] = []
    for label, path in _candidates():
        if not path:
            tried.append(f"{label}: not set")
            continue
        try:
            return Library(path)
        except (OSError, LibraryError) as error:
            tried.append(f"{label}: {path}: {_reason(error, path)}")
    raise LibraryError("no usable osslive library; tried\n  " + "\n  ".join(tried))


def _reason(error: Exception, path: str) -> str:
    text = str(error)
    prefix = f"{path}: "
    return text[len(prefix) :] if text.startswith(prefix) else text
