"""The kinds of errors, with a class for each."""

from __future__ import annotations

import enum
from typing import Any, Dict, Optional, Tuple, Type


class ErrorKind(enum.Enum):
    """The category of a failure."""

    #: An argument was refused before anything was sent.
    INVALID_ARGUMENT = 1
    #: The configuration is incomplete or contradictory.
    CONFIG = 2
    #: No usable credentials were found.
    CREDENTIALS = 3
    #: The service was not reached, or the connection broke.
    CONNECTION = 4
    #: The limit for the whole call or for making a connection passed.
    TIMEOUT = 5
    #: The service answered with an error; the code says which.
    SERVICE = 6
    #: The service answered with something that is not understood.
    BAD_REPLY = 7
    #: The library has a fault.
    INTERNAL = 8
    #: The caller stopped the client before it was done.
    STOPPED = 9
    #: A local file could not be read or written.
    FILE = 10


class OssLiveError(Exception):
    """A failed call. ``str()`` is one line with everything known about it."""

    #: The class of the failure.
    kind: ErrorKind
    #: The reason by name, such as "NoSuchLiveChannel", when it has one.
    code: Optional[str]
    #: The HTTP status of the reply, when there was one.
    http_status: Optional[int]
    #: The request id, which identifies the request to the service's support.
    request_id: Optional[str]
    #: The service's detailed error code, such as "0044-00000308".
    ec: Optional[str]

    def __init__(
        self,
        message: str,
        *,
        kind: ErrorKind = ErrorKind.INVALID_ARGUMENT,
        code: Optional[str] = None,
        http_status: Optional[int] = None,
        request_id: Optional[str] = None,
        ec: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.http_status = http_status
        self.request_id = request_id
        self.ec = ec

    def __reduce__(self) -> Tuple[Any, ...]:
        # The class may have been made at run time, which pickle could not
        # find by its name; its parts it can.
        return _restored, (_parts(type(self)), str(self), self.__dict__)


class InvalidArgument(OssLiveError, ValueError):
    """An argument is invalid."""


class ConfigError(OssLiveError, ValueError):
    """The client's configuration is incomplete or contradictory."""


class CredentialsError(OssLiveError):
    """No usable credentials were found."""


class ConnectionFailed(OssLiveError, ConnectionError):
    """The service is unreachable, or the connection was lost: name resolution, TCP, TLS, proxy."""


class CallTimeout(OssLiveError, TimeoutError):
    """The call or the connection timed out."""


class ServiceError(OssLiveError):
    """The service returned an error."""


class BadReply(OssLiveError):
    """The response is invalid, or larger than the size limit."""


class LibraryFault(OssLiveError):
    """A bug in the library. Please report it with the message."""


class Stopped(OssLiveError):
    """The caller stopped the client with ``client.shutdown()``, or stopped the work."""


class FileFailed(OssLiveError, OSError):
    """A local file could not be read or written."""


_Class = Type[OssLiveError]

#: The classes that were made at run time, and what they were made of.
_COMBINED: Dict[Tuple[_Class, _Class], _Class] = {}


def combined(by_code: _Class, by_kind: _Class) -> _Class:
    """Returns the class of errors that are both."""
    if issubclass(by_code, by_kind):
        return by_code
    parts = (by_code, by_kind)
    if parts not in _COMBINED:
        made = type(by_code.__name__, parts, {"__doc__": by_code.__doc__})
        # Of two threads that make it at once, both take the first one.
        _COMBINED.setdefault(parts, made)
    return _COMBINED[parts]


def _parts(of: _Class) -> Tuple[_Class, _Class]:
    """What :func:`combined` makes a class of."""
    return next((parts for parts, made in list(_COMBINED.items()) if made is of), (of, of))


def _restored(parts: Tuple[_Class, _Class], message: str, fields: Dict[str, Any]) -> OssLiveError:
    error = combined(*parts)(message)
    error.__dict__.update(fields)
    return error


BY_KIND: Dict[ErrorKind, Type[OssLiveError]] = {
    ErrorKind.INVALID_ARGUMENT: InvalidArgument,
    ErrorKind.CONFIG: ConfigError,
    ErrorKind.CREDENTIALS: CredentialsError,
    ErrorKind.CONNECTION: ConnectionFailed,
    ErrorKind.TIMEOUT: CallTimeout,
    ErrorKind.SERVICE: ServiceError,
    ErrorKind.BAD_REPLY: BadReply,
    ErrorKind.INTERNAL: LibraryFault,
    ErrorKind.STOPPED: Stopped,
    ErrorKind.FILE: FileFailed,
}
