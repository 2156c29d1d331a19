"""Errors.

Every failure of a call is an :class:`OssLiveError`. Each kind of failure (the category)
and each error code (the reason) has a class. An error is an instance of both its classes,
so either can be caught::

    try:
        client.get_channel("main-stage")
    except osslive.NoSuchLiveChannel:
        ...                                # this reason
    except osslive.ServiceError as error:
        print(error.code, error.request_id)  # any other error of the service
"""

from __future__ import annotations

from typing import Any, Mapping, Optional

from . import _codes  # pyright: ignore[reportPrivateUsage]
from ._codes import *  # noqa: F403
from ._codes import BY_CODE
from ._kinds import (
    BY_KIND,
    BadReply,
    CallTimeout,
    ConfigError,
    ConnectionFailed,
    CredentialsError,
    ErrorKind,
    FileFailed,
    InvalidArgument,
    LibraryFault,
    OssLiveError,
    ServiceError,
    Stopped,
    combined,
)

__all__ = [
    "BY_CODE",
    "BY_KIND",
    "BadReply",
    "CallTimeout",
    "ConfigError",
    "ConnectionFailed",
    "CredentialsError",
    "ErrorKind",
    "FileFailed",
    "InvalidArgument",
    "LibraryFault",
    "OssLiveError",
    "ServiceError",
    "Stopped",
    "error_of",
    "error_of_json",
]
__all__ += _codes.__all__

for _class in {OssLiveError, *BY_KIND.values(), *BY_CODE.values()}:
    # The module where users find it.
    _class.__module__ = __name__


def error_of(
    message: str,
    kind: ErrorKind,
    code: Optional[str] = None,
    http_status: Optional[int] = None,
    request_id: Optional[str] = None,
    ec: Optional[str] = None,
) -> OssLiveError:
    """Creates an error of the class for its kind and code."""
    # An unknown code gets no class of its own: a server could return any number
    # of them. A name rejected by the service is both InvalidChannelName, as if
    # rejected here, and a ServiceError.
    by_kind = BY_KIND[kind]
    of_kind_and_code = combined(BY_CODE.get(code or "", by_kind), by_kind)
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
    """Creates the error of one of many items from the library's JSON."""
    return error_of(
        json["text"],
        _KINDS.get(json["kind"].lower(), ErrorKind.INTERNAL),
        json.get("code"),
        json.get("status"),
        json.get("requestId"),
        json.get("ec"),
    )
