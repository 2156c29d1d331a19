"""What can go wrong.

Every failure of a call is an :class:`OssLiveError`. A class stands for each
kind of failure (who has to act) and for each error code (why). An error is an
instance of both its classes, so either can be caught::

    try:
        client.get_channel("main-stage")
    except osslive.NoSuchLiveChannel:
        ...                                # this reason
    except osslive.ServiceError as error:
        print(error.code, error.request_id)  # any other answer of the service
"""

from __future__ import annotations

import enum
import functools
from typing import Any, Dict, Mapping, Optional, Tuple, Type


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
        return error_of, (
            str(self),
            self.kind,
            self.code,
            self.http_status,
            self.request_id,
            self.ec,
        )


# By kind.


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


# By code.


class AccessDenied(ServiceError):
    """No right to do this, or the URL has expired."""


class AccessKeyIdAndSecurityTokenNotMatch(ServiceError):
    """The token belongs to another access key."""


class BucketDisable(ServiceError):
    """The bucket is disabled."""


class BucketNotEmpty(ServiceError):
    """The bucket still holds objects or channels."""


class ChannelAlreadyExists(ServiceError):
    """``create_channel`` met a channel of that name."""


class ChannelNotLive(ServiceError):
    """The live details of a channel that is not live were asked for."""


class ChannelStillLive(ServiceError):
    """The channel is live, and may now neither be changed nor deleted."""


class InternalError(ServiceError):
    """The service had an internal fault."""


class InvalidAccessKeyId(ServiceError):
    """The access key does not exist."""


class InvalidBucketName(ServiceError):
    """The bucket's name breaks the naming rules."""


class InvalidChannelName(InvalidArgument):
    """The channel's name breaks the naming rules."""


class InvalidDigest(ServiceError):
    """The body's MD5 is not the one announced."""


class InvalidRequest(ServiceError):
    """The request contradicts itself, or a playlist cannot be handled."""


class InvalidSecurityToken(ServiceError):
    """The STS token is not valid."""


class LiveChannelDisabled(ServiceError):
    """The channel is disabled."""


class MalformedXML(ServiceError):
    """The body is not the XML that was expected."""


class MetaOperationQpsLimitExceeded(ServiceError):
    """Too many calls on channels in a second."""


class MethodNotAllowed(ServiceError):
    """The method does not fit the resource."""


class MissingContentLength(ServiceError):
    """A body needs its length."""


class NonStandardHostForbidden(ServiceError):
    """The host of the request is not a standard one."""


class NotImplementedByService(ServiceError):
    """The service does not do this (code ``NotImplemented``, a name that Python uses)."""


class NoSuchBucket(ServiceError):
    """The bucket does not exist."""


class NoSuchKey(ServiceError):
    """The object does not exist; also a playlist before its first fragment."""


class NoSuchLiveChannel(ServiceError):
    """The channel does not exist."""


class RequestTimeTooSkewed(ServiceError):
    """The clocks differ by more than 15 minutes."""


class SecondLevelDomainForbidden(ServiceError):
    """The public service wants the bucket in the host name."""


class SecurityTokenExpired(ServiceError):
    """The STS token has expired."""


class SecurityTokenNotSupported(ServiceError):
    """STS tokens are not taken here."""


class ServiceUnavailable(ServiceError):
    """The service is busy."""


class SignatureDoesNotMatch(ServiceError):
    """The signature is not the one the service computed."""


class UserDisable(ServiceError):
    """The account is disabled."""


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

BY_CODE: Dict[str, Type[OssLiveError]] = {
    "NotImplemented": NotImplementedByService,
    **{
        of_code.__name__: of_code
        for of_code in (
            AccessDenied,
            AccessKeyIdAndSecurityTokenNotMatch,
            BucketDisable,
            BucketNotEmpty,
            ChannelAlreadyExists,
            ChannelNotLive,
            ChannelStillLive,
            InternalError,
            InvalidAccessKeyId,
            InvalidArgument,
            InvalidBucketName,
            InvalidChannelName,
            InvalidDigest,
            InvalidRequest,
            InvalidSecurityToken,
            LiveChannelDisabled,
            MalformedXML,
            MetaOperationQpsLimitExceeded,
            MethodNotAllowed,
            MissingContentLength,
            NonStandardHostForbidden,
            NoSuchBucket,
            NoSuchKey,
            NoSuchLiveChannel,
            RequestTimeTooSkewed,
            SecondLevelDomainForbidden,
            SecurityTokenExpired,
            SecurityTokenNotSupported,
            ServiceUnavailable,
            SignatureDoesNotMatch,
            UserDisable,
        )
    },
}


@functools.cache
def _class_of(kind: ErrorKind, code: Optional[str]) -> Type[OssLiveError]:
    by_kind = BY_KIND[kind]
    by_code = BY_CODE.get(code or "", by_kind)
    if issubclass(by_code, by_kind):
        return by_code
    # A name that the service refuses is both InvalidChannelName, as when it
    # is refused here, and a ServiceError.
    return type(by_code.__name__, (by_code, by_kind), {"__doc__": by_code.__doc__})


def error_of(
    message: str,
    kind: ErrorKind,
    code: Optional[str] = None,
    http_status: Optional[int] = None,
    request_id: Optional[str] = None,
    ec: Optional[str] = None,
) -> OssLiveError:
    """The error of the class that its kind and code ask for."""
    # A code that is not known gets no class of its own: a server could name
    # any number of them.
    of_kind_and_code = _class_of(kind, code if code in BY_CODE else None)
    return of_kind_and_code(
        message,
        kind=kind,
        code=code,
        http_status=http_status,
        request_id=request_id,
        ec=ec,
    )


_KINDS = {kind.name.replace("_", "").lower(): kind for kind in ErrorKind}


def error_of_json(json: Mapping[str, Any]) -> OssLiveError:
    """The error of one of many things, as the library writes it beside their results."""
    code, message = json.get("code"), json["message"]
    told = (("HTTP", "status"), ("request id", "requestId"), ("EC", "ec"))
    details = ", ".join(f"{name} {json[key]}" for name, key in told if key in json)
    line = ": ".join(part for part in (code, message) if part)
    return error_of(
        f"{line} ({details})" if details else line,
        _KINDS.get(json["kind"].lower(), ErrorKind.INTERNAL),
        code,
        json.get("status"),
        json.get("requestId"),
        json.get("ec"),
    )
