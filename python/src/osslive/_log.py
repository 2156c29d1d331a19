"""Passes the library's log to the logger ``osslive``.

It needs no setup: the library logs at the level to which that logger is configured at
the time of a call.
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
# Failures are raised: they need not be printed as well if logging is not
# configured.
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


class _LevelSync:
    """The level last passed to the library."""

    def __init__(self) -> None:
        self.level = _OFF
        self.is_set = False
        self.is_closed = False

    def set_level(self, level: int) -> None:
        # This fails inside a logging handler that makes calls itself; the next
        # call elsewhere tries again. When logging is off, the callback stays, and
        # the logger drops the few messages of level 1: removing it would wait for
        # running callbacks, which may wait for a lock of this thread.
        if library().set_log_callback(_callback, None, level or 1, None) == 0:
            self.level, self.is_set = level, True

    def close(self) -> None:
        """Disables the callback at interpreter shutdown."""
        _work.quit_all()
        self.is_closed = True
        if self.is_set:
            library().set_log_callback(LogCallback(), None, 1, None)


_level_sync = _LevelSync()
atexit.register(_level_sync.close)


def _wanted() -> int:
    if logger.isEnabledFor(logging.DEBUG):
        return 4
    if logger.isEnabledFor(logging.WARNING):
        return 2
    return 1 if logger.isEnabledFor(logging.ERROR) else _OFF


def follow() -> None:
    """Passes the level of the logger to the library."""
    level = _wanted()
    if level != _level_sync.level and not _level_sync.is_closed:
        _level_sync.set_level(level)
