"""The kinds of errors, with a class for each."""

from __future__ import annotations

import enum
from typing import Any, Dict, Optional, Tuple, Type


class ErrorKind(enum.Enum):
    """The class of a failure: who has to do something about it."""

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


class OssLiveError(Exception):
    """A call failed. Its text is one line with everything that is known."""

    #: The class of the failure.
    kind: ErrorKind
    #: The reason by name, such as "NoSuchLiveChannel", when it has one.
    code: Optional[str]
    #: The HTTP status of the reply, when there was one.
    http_status: Optional[int]
    #: The identifier by which the service's support finds the request.
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
        # The class of an error may be made at run time, which pickle could
        # not find by its name.
        from .errors import error_of

        return error_of, (
            str(self),
            self.kind,
            self.code,
            self.http_status,
            self.request_id,
            self.ec,
        )


class InvalidArgument(OssLiveError, ValueError):
    """An argument is out of its range or malformed."""


class ConfigError(OssLiveError, ValueError):
    """The client's configuration is incomplete or contradictory."""


class CredentialsError(OssLiveError):
    """No usable credentials were found."""


class ConnectionFailed(OssLiveError, ConnectionError):
    """The service was not reached, or the connection broke: name look-up, TCP, TLS or proxy."""


class CallTimeout(OssLiveError, TimeoutError):
    """The limit for the whole call or for making a connection passed."""


class ServiceError(OssLiveError):
    """The service answered with an error."""


class BadReply(OssLiveError):
    """The service answered with something that is not understood, or with too much."""


class LibraryFault(OssLiveError):
    """The library has a fault. Please report it with the message."""


class Stopped(OssLiveError):
    """The caller stopped the client before it was done: ``client.shutdown()``."""


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
}
