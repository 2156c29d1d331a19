"""Sources of credentials, apart from access keys."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Optional, Union

from ._arguments import optional_text, text
from ._library import Library
from ._native import Handle, call


@dataclass(frozen=True)
class EcsRole:
    """The RAM role of the ECS instance that the program runs on. If ``name`` is None, it is
    requested from the metadata service."""

    name: Optional[str] = None

    def _set(self, native: Library, config: Handle) -> None:
        call(native.config_set_ecs_role, config, optional_text(self.name, "name"))


@dataclass(frozen=True)
class OidcRole:
    """A RAM role, assumed with the token of an OIDC provider, as RRSA does in Kubernetes. The
    token file is read again for each refresh. By default, ``session_name`` is "osslive" and
    ``sts_endpoint`` comes from the environment (``ALIBABA_CLOUD_STS_ENDPOINT``, or
    ``ALIBABA_CLOUD_STS_REGION``), else "sts.aliyuncs.com"."""

    role_arn: str
    oidc_provider_arn: str
    oidc_token_file: Union[str, os.PathLike[str]]
    session_name: Optional[str] = None
    sts_endpoint: Optional[str] = None

    def _set(self, native: Library, config: Handle) -> None:
        call(
            native.config_set_oidc_role,
            config,
            text(self.role_arn, "role_arn"),
            text(self.oidc_provider_arn, "oidc_provider_arn"),
            text(os.fspath(self.oidc_token_file), "oidc_token_file"),
            optional_text(self.session_name, "session_name"),
            optional_text(self.sts_endpoint, "sts_endpoint"),
        )


@dataclass(frozen=True)
class CredentialProcess:
    """A program that prints credentials, as a command with its arguments. No shell is involved.
    Within 30 seconds it must print a JSON object of ``AccessKeyId``, ``AccessKeySecret`` and, for
    temporary credentials, ``SecurityToken`` and ``Expiration``; or of ``access_key_id``,
    ``access_key_secret``, ``sts_token`` and ``expiration``."""

    command: str = field(repr=False)

    def _set(self, native: Library, config: Handle) -> None:
        call(native.config_set_credential_process, config, text(self.command, "command"))


@dataclass(frozen=True)
class CredentialsUri:
    """A URL that returns the same JSON as a :class:`CredentialProcess`."""

    uri: str = field(repr=False)

    def _set(self, native: Library, config: Handle) -> None:
        call(native.config_set_credentials_uri, config, text(self.uri, "uri"))


#: Sources of temporary credentials, which are obtained by the first call that needs them, and
#: refreshed before they expire.
CredentialsSource = Union[EcsRole, OidcRole, CredentialProcess, CredentialsUri]

#: For ``isinstance``.
SOURCES = (EcsRole, OidcRole, CredentialProcess, CredentialsUri)


def set_source(native: Library, config: Handle, source: CredentialsSource) -> None:
    """Sets the source of a configuration."""
    source._set(native, config)  # pyright: ignore[reportPrivateUsage]
