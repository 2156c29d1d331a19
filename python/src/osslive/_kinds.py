"""The kinds of errors, with a class for each."""

from __future__ import annotations

import enum
from typing import Any, Dict, Optional, Tuple, Type


class ErrorKind(enum.Enum):
    """The category of a failure."""

    #: An argument is invalid. Nothing was sent.
    INVALID_ARGUMENT = 1
    #: The configuration is incomplete or contradictory.
    CONFIG = 2
    #: No usable credentials were found.
    CREDENTIALS = 3
    #: The service is unreachable, or the connection was lost.
    CONNECTION = 4
    #: The call or the connection timed out.
    TIMEOUT = 5
    #: The service returned an error; see its code.
    SERVICE = 6
    #: The response is invalid, or larger than the size limit.
    BAD_REPLY = 7
    #: A bug in the library.
    INTERNAL = 8
    #: The caller stopped the client or the operation.
    STOPPED = 9
    #: A local file could not be read or written.
    FILE = 10


class OssLiveError(Exception):
    """A failed call. ``str()`` is one line with everything known about it."""

    #: The category of the failure.
    kind: ErrorKind
    #: The name of the reason, such as "NoSuchLiveChannel", if there is one.
    code: Optional[str]
    #: The HTTP status of the response, if there was one.
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
        # The class may have been created at run time: then pickle cannot find it
        # by name, but can find its parts.
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
    """The caller stopped the client with ``client.shutdown()``, or stopped the operation."""


class FileFailed(OssLiveError, OSError):
    """A local file could not be read or written."""


_Class = Type[OssLiveError]

#: The classes created at run time, by their parts.
_COMBINED: Dict[Tuple[_Class, _Class], _Class] = {}


def combined(by_code: _Class, by_kind: _Class) -> _Class:
    """Returns the exception class that is both."""
    if issubclass(by_code, by_kind):
        return by_code
    parts = (by_code, by_kind)
    if parts not in _COMBINED:
        made = type(by_code.__name__, parts, {"__doc__": by_code.__doc__})
        # If two threads create it at once, both use the first one.
        _COMBINED.setdefault(parts, made)
    return _COMBINED[parts]


def _parts(of: _Class) -> Tuple[_Class, _Class]:
    """Returns the parts from which :func:`combined` created a class."""
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
