"""An exception class for each code.

Written by generate.py from src/error.rs.
"""

# fmt: off
# ruff: noqa: RUF022

from __future__ import annotations

from typing import Dict, Type

from ._kinds import (
    CallTimeout,
    ConfigError,
    ConnectionFailed,
    InvalidArgument,
    OssLiveError,
    ServiceError,
)


class AccessDenied(ServiceError):
    """Permission denied, or the URL has expired."""


class AccessKeyIdAndSecurityTokenNotMatch(ServiceError):
    """The token belongs to another access key."""


class BucketDisable(ServiceError):
    """The bucket is disabled."""


class BucketNotEmpty(ServiceError):
    """The bucket still contains objects or channels."""


class ChannelAlreadyExists(ServiceError):
    """The channel already exists."""


class ChannelNotLive(ServiceError):
    """The channel is not live."""


class ChannelStillLive(ServiceError):
    """The channel is live, so it cannot be changed or deleted."""


class InternalError(ServiceError):
    """Internal error of the service."""


class InvalidAccessKeyId(ServiceError):
    """The access key does not exist."""


class InvalidBucketName(ServiceError):
    """The bucket name is invalid."""


class InvalidChannelName(InvalidArgument):
    """The channel name is invalid."""


class InvalidDigest(ServiceError):
    """The MD5 of the body does not match."""


class InvalidRequest(ServiceError):
    """The request is contradictory, or the playlist cannot be processed."""


class InvalidSecurityToken(ServiceError):
    """The STS token is invalid."""


class LiveChannelDisabled(ServiceError):
    """The channel is disabled."""


class MalformedXML(ServiceError):
    """The XML of the body is invalid."""


class MetaOperationQpsLimitExceeded(ServiceError):
    """Too many channel operations per second."""


class MethodNotAllowed(ServiceError):
    """The method is not allowed for the resource."""


class MissingContentLength(ServiceError):
    """The length of the body is missing."""


class NonStandardHostForbidden(ServiceError):
    """The host of the request is not a standard host."""


class NoBucket(ConfigError):
    """The client's configuration names no bucket."""


class NoRegion(ConfigError):
    """Neither the client's configuration nor its endpoint names a region."""


class NothingRecorded(ServiceError):
    """Nothing was recorded in that time range."""


class NotImplementedByService(ServiceError):
    """Not implemented by the service."""


class NoSuchBucket(ServiceError):
    """The bucket does not exist."""


class NoSuchKey(ServiceError):
    """The object does not exist, or the playlist has no fragment yet."""


class NoSuchLiveChannel(ServiceError):
    """The channel does not exist."""


class ProxyFailed(ConnectionFailed):
    """The proxy refused or closed the connection."""


class PublicEndpointForbidden(ServiceError):
    """The account may not use the region's public endpoint for data: it needs a custom domain bound
    to the bucket.
    """


class RequestTimeTooSkewed(ServiceError):
    """The clocks differ by more than 15 minutes."""


class SecondLevelDomainForbidden(ServiceError):
    """The public service needs the bucket in the host name."""


class SecurityTokenExpired(ServiceError):
    """The STS token has expired."""


class SecurityTokenNotSupported(ServiceError):
    """STS tokens are not supported here."""


class ServiceUnavailable(ServiceError):
    """The service is busy."""


class SignatureDoesNotMatch(ServiceError):
    """The signature is wrong."""


class UnknownHost(ConnectionFailed):
    """The host name could not be resolved."""


class UntrustedCertificate(ConnectionFailed):
    """The TLS certificate of the host is not trusted."""


class UserDisable(ServiceError):
    """The account is disabled."""


class WaitTimedOut(CallTimeout):
    """The time limit of ``wait_until_live`` or another wait has passed."""


BY_CODE: Dict[str, Type[OssLiveError]] = {
    "AccessDenied": AccessDenied,
    "AccessKeyIdAndSecurityTokenNotMatch": AccessKeyIdAndSecurityTokenNotMatch,
    "BucketDisable": BucketDisable,
    "BucketNotEmpty": BucketNotEmpty,
    "ChannelAlreadyExists": ChannelAlreadyExists,
    "ChannelNotLive": ChannelNotLive,
    "ChannelStillLive": ChannelStillLive,
    "InternalError": InternalError,
    "InvalidAccessKeyId": InvalidAccessKeyId,
    "InvalidArgument": InvalidArgument,
    "InvalidBucketName": InvalidBucketName,
    "InvalidChannelName": InvalidChannelName,
    "InvalidDigest": InvalidDigest,
    "InvalidRequest": InvalidRequest,
    "InvalidSecurityToken": InvalidSecurityToken,
    "LiveChannelDisabled": LiveChannelDisabled,
    "MalformedXML": MalformedXML,
    "MetaOperationQpsLimitExceeded": MetaOperationQpsLimitExceeded,
    "MethodNotAllowed": MethodNotAllowed,
    "MissingContentLength": MissingContentLength,
    "NonStandardHostForbidden": NonStandardHostForbidden,
    "NoBucket": NoBucket,
    "NoRegion": NoRegion,
    "NothingRecorded": NothingRecorded,
    "NotImplemented": NotImplementedByService,
    "NoSuchBucket": NoSuchBucket,
    "NoSuchKey": NoSuchKey,
    "NoSuchLiveChannel": NoSuchLiveChannel,
    "ProxyFailed": ProxyFailed,
    "PublicEndpointForbidden": PublicEndpointForbidden,
    "RequestTimeTooSkewed": RequestTimeTooSkewed,
    "SecondLevelDomainForbidden": SecondLevelDomainForbidden,
    "SecurityTokenExpired": SecurityTokenExpired,
    "SecurityTokenNotSupported": SecurityTokenNotSupported,
    "ServiceUnavailable": ServiceUnavailable,
    "SignatureDoesNotMatch": SignatureDoesNotMatch,
    "UnknownHost": UnknownHost,
    "UntrustedCertificate": UntrustedCertificate,
    "UserDisable": UserDisable,
    "WaitTimedOut": WaitTimedOut,
}

__all__ = [
    "AccessDenied",
    "AccessKeyIdAndSecurityTokenNotMatch",
    "BucketDisable",
    "BucketNotEmpty",
    "ChannelAlreadyExists",
    "ChannelNotLive",
    "ChannelStillLive",
    "InternalError",
    "InvalidAccessKeyId",
    "InvalidBucketName",
    "InvalidChannelName",
    "InvalidDigest",
    "InvalidRequest",
    "InvalidSecurityToken",
    "LiveChannelDisabled",
    "MalformedXML",
    "MetaOperationQpsLimitExceeded",
    "MethodNotAllowed",
    "MissingContentLength",
    "NonStandardHostForbidden",
    "NoBucket",
    "NoRegion",
    "NothingRecorded",
    "NotImplementedByService",
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchLiveChannel",
    "ProxyFailed",
    "PublicEndpointForbidden",
    "RequestTimeTooSkewed",
    "SecondLevelDomainForbidden",
    "SecurityTokenExpired",
    "SecurityTokenNotSupported",
    "ServiceUnavailable",
    "SignatureDoesNotMatch",
    "UnknownHost",
    "UntrustedCertificate",
    "UserDisable",
    "WaitTimedOut",
]
