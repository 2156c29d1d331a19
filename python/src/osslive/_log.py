"""The library's log, as the logger ``osslive``.

Nothing is to be switched on: the library is told to say what that logger, as
it is configured at the time of a call, wants to hear.
"""

from __future__ import annotations

import atexit
import logging
import os
from typing import Any

from ._library import LogCallback, library

logger = logging.getLogger("osslive")
# Failures are raised: they need not be printed as well where nobody
# configured logging.
logger.addHandler(logging.NullHandler())

_LEVELS = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG}
_OFF = 0


def _receive(level: int, message: bytes, _user_data: Any) -> None:
    logger.log(_LEVELS.get(level, logging.DEBUG), "%s", message.decode(errors="replace"))


# For as long as the library may call it, which is for ever.
_callback = LogCallback(_receive)


class _Tap:
    """What the library was told last."""

    def __init__(self) -> None:
        self.level = _OFF
        self.is_closed = False

    def turn(self, level: int) -> None:
        callback = LogCallback() if level == _OFF else _callback
        # It fails inside a logging handler that makes calls of its own; the
        # next call elsewhere tries again. With the callback off, the level
        # must still be one of those that exist.
        if library().set_log_callback(callback, None, level or 1, None) == 0:
            self.level = level

    def close(self, process: int) -> None:
        """No callback may enter an interpreter that is going away."""
        self.is_closed = True
        # In a child process, the lock that this waits for may be held by a
        # thread that the child does not have.
        if self.level != _OFF and process == os.getpid():
            self.turn(_OFF)


_tap = _Tap()
atexit.register(_tap.close, os.getpid())


def _wanted() -> int:
    if logger.isEnabledFor(logging.DEBUG):
        return 4
    if logger.isEnabledFor(logging.WARNING):
        return 2
    return 1 if logger.isEnabledFor(logging.ERROR) else _OFF


def follow() -> None:
    """Tells the library what the logger wants to hear now."""
    level = _wanted()
    if level != _tap.level and not _tap.is_closed:
        _tap.turn(level)
