"""A class of errors for each code.

Written by generate.py from src/error.rs.
"""

# fmt: off
# ruff: noqa: RUF022

from __future__ import annotations

from typing import Dict, Type

from ._kinds import CallTimeout, ConfigError, ConnectionFailed, InvalidArgument, OssLiveError, ServiceError


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


class NoBucket(ConfigError):
    """The client's configuration names no bucket."""


class NoRegion(ConfigError):
    """Neither the client's configuration nor its endpoint names a region."""


class NotImplementedByService(ServiceError):
    """The service does not do this."""


class NoSuchBucket(ServiceError):
    """The bucket does not exist."""


class NoSuchKey(ServiceError):
    """The object does not exist; also a playlist before its first fragment."""


class NoSuchLiveChannel(ServiceError):
    """The channel does not exist."""


class PublicEndpointForbidden(ServiceError):
    """The account may not transfer data at the default public endpoint of the region: it needs a
    custom domain, bound to the bucket.
    """


class ProxyFailed(ConnectionFailed):
    """The proxy refused the connection or broke it off."""


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


class UnknownHost(ConnectionFailed):
    """The name of the host has no address."""


class UntrustedCertificate(ConnectionFailed):
    """The certificate of the host is not trusted."""


class UserDisable(ServiceError):
    """The account is disabled."""


class WaitTimedOut(CallTimeout):
    """The time limit of ``wait_until_live`` and its relatives has passed."""


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
    "NotImplemented": NotImplementedByService,
    "NoSuchBucket": NoSuchBucket,
    "NoSuchKey": NoSuchKey,
    "NoSuchLiveChannel": NoSuchLiveChannel,
    "PublicEndpointForbidden": PublicEndpointForbidden,
    "ProxyFailed": ProxyFailed,
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
    "NotImplementedByService",
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchLiveChannel",
    "PublicEndpointForbidden",
    "ProxyFailed",
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
