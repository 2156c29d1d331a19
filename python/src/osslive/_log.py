"""The library's log, as the logger ``osslive``.

Nothing is to be switched on: the library is told to say what that logger, as
it is configured at the time of a call, wants to hear.
"""

from __future__ import annotations

import atexit
import logging
from functools import partial
from typing import Any

from . import _work
from ._declarations import LogCallback
from ._library import library

logger = logging.getLogger("osslive")
# Failures are raised: they need not be printed as well where nobody
# configured logging.
logger.addHandler(logging.NullHandler())

_LEVELS = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG}
_OFF = 0


def _receive(level: int, message: bytes, _user_data: Any) -> None:
    of_python = _LEVELS.get(level, logging.DEBUG)
    if logger.isEnabledFor(of_python):
        text = message.decode(errors="replace")
        _work.log(partial(logger.log, of_python, "%s", text))


# Kept alive, because the library may call it at any time.
_callback = LogCallback(_receive)


class _Tap:
    """The level that the library was last given."""

    def __init__(self) -> None:
        self.level = _OFF
        self.is_set = False
        self.is_closed = False

    def turn(self, level: int) -> None:
        # It fails inside a logging handler that makes calls of its own; the
        # next call elsewhere tries again. The callback stays, and the logger
        # drops the few lines of level 1 when it is off: to take a callback
        # away is to wait for those that run, perhaps for a lock of this thread.
        if library().set_log_callback(_callback, None, level or 1, None) == 0:
            self.level, self.is_set = level, True

    def close(self) -> None:
        """The end of the interpreter."""
        _work.quit_all()
        self.is_closed = True
        if self.is_set:
            library().set_log_callback(LogCallback(), None, 1, None)


_tap = _Tap()
atexit.register(_tap.close)


def _wanted() -> int:
    if logger.isEnabledFor(logging.DEBUG):
        return 4
    if logger.isEnabledFor(logging.WARNING):
        return 2
    return 1 if logger.isEnabledFor(logging.ERROR) else _OFF


def follow() -> None:
    """Passes the level of the logger to the library."""
    level = _wanted()
    if level != _tap.level and not _tap.is_closed:
        _tap.turn(level)
