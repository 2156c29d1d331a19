"""Access to the library: every call, string and object goes through here."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import _log, _work
from ._declarations import ErrorPointer, Function, OwnedString
from ._library import library
from .errors import ErrorKind, OssLiveError, error_of


def call(function: Function, *arguments: Any) -> None:
    """Calls a function that returns a status, and raises its error."""
    _log.follow()
    error = ErrorPointer()
    status = function(*arguments, ctypes.byref(error))
    if status != 0:
        raise _exception(status, error)


def call_text(function: Function, *arguments: Any) -> str:
    """Calls a function whose last output is a string, and returns it."""
    # Not a context manager: signing a URL takes little longer than one does.
    string = OwnedString()
    try:
        call(function, *arguments, ctypes.byref(string))
        return ctypes.string_at(string).decode()
    finally:
        library().string_free(string)


def _exception(status: int, error: Any) -> OssLiveError:
    """Converts an error object to an exception and frees it."""
    native = library()
    try:
        return error_of(
            native.error_message(error).decode() or "the call failed",
            _kind(status),
            _string_or_none(native.error_code(error)),
            native.error_http_status(error) or None,
            _string_or_none(native.error_request_id(error)),
            _string_or_none(native.error_ec(error)),
        )
    finally:
        native.error_free(error)


def _kind(status: int) -> ErrorKind:
    try:
        return ErrorKind(status)
    except ValueError:
        return ErrorKind.INTERNAL


def _string_or_none(text: Optional[bytes]) -> Optional[str]:
    return None if text is None else text.decode()


class Handle:
    """Owns an object of the library, which is freed with the last reference.

    A call holds a reference while it runs, so an object that is closed in the meantime is
    freed when the last call on it has ended.
    """

    __slots__ = ("_as_parameter_", "_free", "_owner")

    def __init__(self, pointer: Any, free: Function) -> None:
        # ctypes passes this instead of the object, and checks its type.
        self._as_parameter_ = pointer
        self._free = free
        self._owner = os.getpid()

    @property
    def pointer(self) -> Any:
        """For arrays, which do not keep this object alive."""
        return self._as_parameter_

    # Bound early: at interpreter exit the module's names may be gone.
    def __del__(self, getpid: Callable[[], int] = os.getpid) -> None:
        # An object inherited by a child process may hold locks of threads that do not
        # exist in the child. It is not freed.
        if self._owner == getpid():
            self._free(self._as_parameter_)


class Instances:
    """An object of the library of which there are several instances.

    Each process has its own: parent and child would mix their requests on shared
    connections. In a process, one is for the main thread, whose calls signals end
    together with the object they use, and one for all other threads.

    ``make`` receives the instance of ``base`` that it depends on. ``prepare``
    updates a new instance once all threads can see it.
    """

    def __init__(
        self,
        make: Callable[[Any], Handle],
        base: Optional[Instances] = None,
        prepare: Callable[[Handle], None] = lambda _: None,
    ) -> None:
        self._make = make
        self._base = base
        self._prepare = prepare
        # By process, and whether it is for the main thread; with its base.
        self._made: Dict[Tuple[int, bool], Tuple[Optional[Handle], Handle]] = {}

    def handle(self, of_main_thread: Optional[bool] = None) -> Handle:
        """Returns the instance for this thread, or for the main thread or all others."""
        is_main = _work.on_main_thread() if of_main_thread is None else of_main_thread
        key = (os.getpid(), is_main)
        base = None if self._base is None else self._base.handle(is_main)
        found = self._made.get(key)
        if found is None or found[0] is not base:
            if found is not None:
                self._made.pop(key, None)
            found = self._made.setdefault(key, (base, self._make(base)))
            self._prepare(found[1])
        return found[1]

    def of_this_process(self) -> List[Handle]:
        """Returns all instances that this process has created."""
        process = os.getpid()
        return [made for key, (_, made) in tuple(self._made.items()) if key[0] == process]

    def forget(self, of_main_thread: bool) -> None:
        """Drops an instance; the next use creates another one."""
        self._made.pop((os.getpid(), of_main_thread), None)
