"""The one way into the library: every call, string and object goes through here."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Callable, Optional

from . import _log
from ._library import ErrorPointer, Function, OwnedString, library
from .errors import ErrorKind, OssLiveError, error_of


def call(function: Function, *arguments: Any) -> None:
    """Calls a function that returns a status, and raises what it reports."""
    _log.follow()
    error = ErrorPointer()
    status = function(*arguments, ctypes.byref(error))
    if status != 0:
        raise _taken(status, error)


def call_text(function: Function, *arguments: Any) -> str:
    """Calls a function whose last output is a string, which is given back to the library."""
    # Not a context manager: signing a URL takes little more than one does.
    string = OwnedString()
    try:
        call(function, *arguments, ctypes.byref(string))
        return ctypes.string_at(string).decode()
    finally:
        library().string_free(string)


def _taken(status: int, error: Any) -> OssLiveError:
    """The error object as an exception; the object is freed."""
    native = library()
    try:
        return error_of(
            native.error_message(error).decode() or "the call failed",
            _kind(status),
            _text_or_none(native.error_code(error)),
            native.error_http_status(error) or None,
            _text_or_none(native.error_request_id(error)),
            _text_or_none(native.error_ec(error)),
        )
    finally:
        native.error_free(error)


def _kind(status: int) -> ErrorKind:
    try:
        return ErrorKind(status)
    except ValueError:
        return ErrorKind.INTERNAL


def _text_or_none(text: Optional[bytes]) -> Optional[str]:
    return None if text is None else text.decode()


class Handle:
    """An object of the library that is ours; it is freed with the last reference.

    A call holds a reference for as long as it runs, so an object that is
    closed meanwhile is freed when the last call on it has ended.
    """

    __slots__ = ("_as_parameter_", "_free", "_owner")

    def __init__(self, pointer: Any, free: Function) -> None:
        # What ctypes passes in place of this object, with its type checked.
        self._as_parameter_ = pointer
        self._free = free
        self._owner = os.getpid()

    @property
    def pointer(self) -> Any:
        """For arrays, which do not keep this object alive."""
        return self._as_parameter_

    # Bound early: at interpreter exit the module's names may be gone.
    def __del__(self, getpid: Callable[[], int] = os.getpid) -> None:
        # What a child process inherited may hold locks of threads that the
        # child does not have. It is left to the process's end.
        if self._owner == getpid():
            self._free(self._as_parameter_)


class PerProcess:
    """An object of the library, made anew in a child process: connections that parent and child
    both write to would mix their requests."""

    def __init__(self, make: Callable[[], Handle]) -> None:
        self._make = make
        self._current = (os.getpid(), make())

    def handle(self) -> Handle:
        process, handle = self._current
        if process != os.getpid():
            handle = self._make()
            self._current = (os.getpid(), handle)
        return handle
